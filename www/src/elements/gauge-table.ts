import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { findImputer } from '../plan.js';
import type { CriterionEntry } from '../protocol.gen.js';
import type { Filled } from '../removal/bench.js';
import { shared } from '../styles/shared.js';
import { table } from '../styles/table.js';
import { AppElement } from './base.js';
import './info-pop.js';
import './reference-note.js';

/** Every filling by every criterion, so that the fillings can be compared; the best of each column is marked. */
@customElement('gauge-table')
export class GaugeTable extends AppElement {
  static override styles = [
    shared,
    table,
    css`
      td,
      tbody th {
        vertical-align: bottom;
      }
      th:first-child {
        min-width: 9em;
      }
      thead th {
        min-width: 6.5em;
      }
      .direction {
        display: block;
        font-size: 0.85em;
        font-weight: 400;
      }
      .best {
        font-weight: 700;
        color: var(--accent);
      }
    `,
  ];

  protected override render() {
    const t = this.t.removal.gauges;
    const { catalogue, bench } = this.state;
    const rows = bench.filled.filter((f) => f.gauges.length > 0);
    const columns = (catalogue?.criteria ?? []).filter((c) => rows.some((f) => this.#value(f, c) !== undefined));
    if (rows.length < 2 || columns.length === 0) return nothing;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${t.table}>
      <table>
        <caption>
          ${t.caption}
        </caption>
        <thead>
          <tr>
            <th scope="col">${this.t.removal.removers.imputer}</th>
            ${columns.map((c) => this.#head(c))}
          </tr>
        </thead>
        <tbody>
          ${rows.map((row) => {
            const entry = findImputer(catalogue, row.imputer);
            return html`<tr>
              <th scope="row">${entry ? this.text('imputer', entry).name : row.imputer}</th>
              ${columns.map((c) => this.#cell(rows, row, c))}
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
  }

  #value(filled: Filled, { id }: CriterionEntry): number | null | undefined {
    return filled.gauges.find((g) => g.id === id)?.value;
  }

  #head(entry: CriterionEntry) {
    const t = this.t.removal.gauges;
    const { name, summary, range } = this.text('criterion', entry);
    const words = { lower: `↓ ${t.lower}`, higher: `↑ ${t.higher}` }[entry.better] ?? t.neither;
    return html`<th scope="col">
      ${name}
      <info-pop label=${this.t.explainTerm(name)}>
        <p>${summary}</p>
        <p>${range}</p>
        <reference-note .app=${this.app} .reference=${entry.reference}></reference-note>
      </info-pop>
      <span class="direction">${words}</span>
    </th>`;
  }

  #cell(rows: readonly Filled[], row: Filled, entry: CriterionEntry) {
    const value = this.#value(row, entry);
    if (value === null || value === undefined) {
      const why = row.gauges.find((g) => g.id === entry.id)?.undefined ?? '';
      return html`<td class="soft">
        <info-pop labelled label=${this.t.trust.undefined(why)}
          ><span slot="label">–</span><span lang="en">${why}</span></info-pop
        >
      </td>`;
    }
    const values = rows.flatMap((f) => this.#value(f, entry) ?? []);
    const top = { lower: Math.min(...values), higher: Math.max(...values) }[entry.better];
    const best = value === top && values.some((v) => v !== value);
    return html`<td class=${best ? 'best' : ''}>
      ${this.f.number(value)}${best ? html`<span class="hidden-text"> (${this.t.trust.best})</span>` : nothing}
    </td>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'gauge-table': GaugeTable;
  }
}
