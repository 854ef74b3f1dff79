import { css, html, type PropertyValues } from 'lit';
import { customElement } from 'lit/decorators.js';
import { DEPARTURES, type Part, type Table } from '../departures.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './doc-text.js';

/** Where Lucarne's metrics give other values than Quantus, and why. */
@customElement('departures-page')
export class DeparturesPage extends AppElement {
  static override styles = [
    shared,
    css`
      article {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.2em;
        padding: var(--gap);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--card);
        box-shadow: var(--shadow);
      }
      h2 {
        font-size: 1.9em;
        line-height: 1.15;
        letter-spacing: -0.015em;
      }
      /* It takes the focus so that reading goes on here; it is nothing to press. */
      h2:focus-visible {
        outline: none;
      }
      h3 {
        margin-top: 0.6em;
        font-size: 1.15em;
      }
      nav {
        display: flex;
        flex-wrap: wrap;
        gap: 0.3em 1.2em;
      }
      a {
        color: var(--accent);
        text-underline-offset: 0.15em;
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
        td[data-head]::before {
          content: attr(data-head) ': ' / '';
          font-size: 0.85em;
          color: var(--soft);
        }
      }
    `,
  ];

  protected override firstUpdated(changed: PropertyValues): void {
    super.firstUpdated(changed);
    this.renderRoot.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true });
  }

  protected override render() {
    const title = this.t.report.departures;
    const { all, back } = this.t.guide.pages;
    return html`<article aria-label=${title}>
      <nav aria-label=${all} class="small">${this.link(null, `← ${back}`)} ${this.link({ registry: 'all' }, all)}</nav>
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
