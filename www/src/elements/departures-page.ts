import { css, html } from 'lit';
import { customElement } from 'lit/decorators.js';
import { DEPARTURES, type Part, type Table } from '../departures.js';
import { shared } from '../styles/shared.js';
import { sheet } from '../styles/sheet.js';
import './doc-text.js';
import { SheetPage } from './sheet-page.js';

/** Where Lucarne's metrics give other values than Quantus, and why. */
@customElement('departures-page')
export class DeparturesPage extends SheetPage {
  static override styles = [
    shared,
    sheet,
    css`
      h3 {
        margin-top: 0.6em;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        font-size: 0.95em;
      }
      th,
      td {
        padding: 0.5em 1em 0.5em 0;
        border-bottom: 1px solid var(--line);
        text-align: start;
        vertical-align: top;
      }
      thead th {
        color: var(--soft);
        font-weight: 600;
      }
      tbody th {
        font-weight: 400;
      }
      @media (max-width: 44rem) {
        thead {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        tr {
          display: grid;
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
          padding-block: 0.6em;
          border-bottom: 1px solid var(--line);
        }
        th,
        td {
          padding-block: 0.15em;
          border: 0;
        }
        tbody th,
        td:last-child {
          grid-column: 1 / -1;
        }
        td[data-head]:not([data-head=''])::before {
          content: attr(data-head) ': ' / '';
          font-size: 0.85em;
          color: var(--soft);
        }
      }
    `,
  ];

  protected override render() {
    const title = this.t.report.departures;
    return html`<article aria-label=${title}>
      ${this.navigation()}
      <h2 tabindex="-1">${title}</h2>
      ${DEPARTURES.map((part) => this.#part(part))}
    </article>`;
  }

  #part(part: Part) {
    switch (part.kind) {
      case 'heading':
        return html`<h3 lang="en">${part.text}</h3>`;
      case 'text':
        return html`<doc-text .app=${this.app} source=${part.text}></doc-text>`;
      case 'table':
        return this.#table(part);
    }
  }

  #table({ head, rows }: Table) {
    const text = (source: string) => html`<doc-text .app=${this.app} source=${source}></doc-text>`;
    return html`<table lang="en">
      <thead>
        <tr>
          ${head.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([first = '', ...rest]) =>
            html`<tr>
              <th scope="row">${text(first)}</th>
              ${rest.map((cell, k) => html`<td data-head=${k < rest.length - 1 ? (head[k + 1] ?? '') : ''}>${text(cell)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'departures-page': DeparturesPage;
  }
}
