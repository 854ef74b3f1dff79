import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import { markdown, STUDIES, type StudySection, type StudyTable } from '../study.js';
import { shared } from '../styles/shared.js';
import { sheet } from '../styles/sheet.js';
import { table } from '../styles/table.js';
import './doc-text.js';
import { SheetPage } from './sheet-page.js';

/** What the study of removal found over many pictures; its words, tables and figures are computed from its data. */
@customElement('study-page')
export class StudyPage extends SheetPage {
  static override styles = [
    shared,
    sheet,
    table,
    css`
      section {
        gap: 0.9em;
      }
      h3 {
        margin-top: 0.4em;
        font-size: 1.3em;
      }
      td,
      tbody th {
        vertical-align: top;
      }
      .words {
        min-width: 12em;
        text-align: start;
      }
      .figures {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 30em), 1fr));
        gap: 1.5em 2em;
      }
      figure {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.4em;
      }
      figure svg {
        display: block;
        width: 100%;
        height: auto;
      }
    `,
  ];

  protected override render() {
    const t = this.t.removal;
    const study = STUDIES[this.state.language];
    return html`<article aria-label=${t.study}>
      ${this.navigation()}
      <header class="stack">
        <h2 tabindex="-1">${study.title}</h2>
        <p class="small">${this.link({ registry: 'removal' }, t.tryBench)}</p>
      </header>
      ${study.sections.map((section) => this.#section(section))}
    </article>`;
  }

  #section({ title, text, tables, figures }: StudySection) {
    return html`<section>
      <h3>${title}</h3>
      <doc-text .app=${this.app} .source=${markdown(text)} .language=${this.state.language}></doc-text>
      ${tables.map((table) => this.#table(table))}
      ${
        figures.length > 0
          ? html`<div class="figures">
              ${figures.map(
                ({ caption, svg }) =>
                  html`<figure>
                    ${unsafeHTML(svg)}
                    <figcaption class="small soft">${caption}</figcaption>
                  </figure>`,
              )}
            </div>`
          : nothing
      }
    </section>`;
  }

  #table({ caption, columns, rows }: StudyTable) {
    const words = columns.map((_, k) => rows.every((row) => !/^[-<>]?\s*\d/.test(row[k] ?? '')));
    const kind = (k: number) => (words[k] ? 'words' : '');
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption>
          ${caption}
        </caption>
        <thead>
          <tr>
            ${columns.map((name, k) => html`<th scope="col" class=${kind(k)}>${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([first = '', ...rest]) =>
              html`<tr>
                <th scope="row">${first}</th>
                ${rest.map((cell, k) => html`<td class=${kind(k + 1)}>${cell}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'study-page': StudyPage;
  }
}
