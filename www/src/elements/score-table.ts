import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { findMetric } from '../plan.js';
import type { MetricEntry } from '../protocol.gen.js';
import { bestFirst, bestKeys, BY_NAME, sortRows, type Direction } from '../reading.js';
import type { ScoredRow, View } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './heatmap-view.js';
import './info-pop.js';
import './provenance-list.js';
import './term-note.js';

/** Thumbnails show the map alone. */
const BARE: Pick<View, 'background'> = { background: 'none' };

/** Methods by metrics, sortable; controls marked, best values marked. */
@customElement('score-table')
export class ScoreTable extends AppElement {
  static override styles = [
    shared,
    css`
      .scroll {
        position: relative;
        overflow-x: auto;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        font-variant-numeric: tabular-nums;
      }
      caption {
        padding-bottom: 0.5em;
        text-align: start;
        font-weight: 650;
      }
      th,
      td {
        padding: 0.4em 0.6em;
        border-bottom: 1px solid var(--line);
        text-align: end;
        vertical-align: middle;
      }
      th:first-child {
        text-align: start;
        font-weight: 500;
      }
      thead th {
        vertical-align: bottom;
      }
      thead button {
        min-height: 1.75em;
        padding: 0.1em 0.4em;
        border-color: transparent;
        background: none;
        font-weight: 600;
        text-align: inherit;
      }
      .direction {
        display: block;
        font-size: 0.75em;
        font-weight: 400;
        color: var(--soft);
        padding-inline: 0.5em;
      }
      .method {
        display: flex;
        align-items: center;
        gap: 0.6em;
      }
      heatmap-view {
        flex: none;
        width: 2.4em;
        border-radius: 0.3em;
      }
      .control {
        color: var(--soft);
      }
      .tag {
        padding: 0.05em 0.5em;
        border: 1px solid var(--edge);
        border-radius: 99em;
        font-size: 0.75em;
      }
      .best {
        font-weight: 700;
        color: var(--accent);
      }
      .text {
        max-width: 16em;
        font-size: 0.8em;
        line-height: 1.3;
        white-space: normal;
      }
    `,
  ];

  #sort(by: string, first: 'ascending' | 'descending'): void {
    const { sorting } = this.state;
    const other = first === 'ascending' ? 'descending' : 'ascending';
    const order = sorting.by === by && sorting.order === first ? other : first;
    this.app.store.dispatch({ type: 'set', settings: { sorting: { by, order } } });
  }

  protected override render() {
    const { scores, sorting, catalogue } = this.state;
    if (!scores) return nothing;
    const metrics = scores.metrics.flatMap((id) => findMetric(catalogue, id) ?? []);
    const named = scores.rows.map((row) => ({ ...row, name: this.rowName(row) }));
    const rows = sortRows(named, sorting);
    const best = new Map(metrics.map((m) => [m.id, bestKeys(rows, m.id, m.direction as Direction)]));
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${this.t.trust.table(scores.label)}>
      <table>
        <caption>
          ${this.t.trust.table(scores.label)}
          <term-note .app=${this.app} term="control"></term-note>
        </caption>
        <thead>
          <tr>
            ${this.#head(BY_NAME, this.t.trust.method, 'ascending', '')} ${metrics.map((m) => this.#metricHead(m))}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr class=${row.control ? 'control' : ''}>
                <th scope="row">
                  <span class="method">
                    <heatmap-view
                      still
                      .map=${row.map}
                      .prepared=${this.state.prepared}
                      .view=${{ ...this.state.view, ...BARE }}
                      alt=""
                      aria-hidden="true"
                    ></heatmap-view>
                    <span>
                      ${row.name} ${row.control ? html`<span class="tag">${this.t.trust.control}</span>` : nothing}
                    </span>
                  </span>
                </th>
                ${metrics.map((m) => this.#cell(row, m, best.get(m.id)?.has(row.key) ?? false))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  #metricHead(metric: MetricEntry) {
    const direction = metric.direction as Direction;
    const arrow = direction === 'higher' ? '↑' : '↓';
    return this.#head(
      metric.id,
      this.text('metric', metric).name,
      bestFirst(direction),
      `${arrow} ${this.t.trust[direction]}`,
    );
  }

  #head(by: string, name: string, first: 'ascending' | 'descending', note: string) {
    const { sorting } = this.state;
    const sorted = sorting.by === by;
    const mark = sorted ? (sorting.order === 'ascending' ? ' ▲' : ' ▼') : '';
    return html`<th scope="col" aria-sort=${sorted ? sorting.order : 'none'}>
      <button type="button" title=${this.t.trust.sortBy(name)} @click=${() => this.#sort(by, first)}>
        ${name}<span aria-hidden="true">${mark}</span>
      </button>
      ${note ? html`<span class="direction">${note}</span>` : nothing}
    </th>`;
  }

  #cell(row: ScoredRow, metric: MetricEntry, best: boolean) {
    const t = this.t.trust;
    const cell = row.cells[metric.id] ?? { state: 'pending' };
    if (cell.state === 'pending') return html`<td class="soft"><span aria-label=${t.pending}>…</span></td>`;
    if (cell.state === 'failed') {
      return html`<td class="text" lang="en">${t.failed(cell.error.message)}</td>`;
    }
    const { score, undefined: why, provenance } = cell.result;
    const text = score === null ? t.undefined(why ?? '') : this.f.number(score);
    return html`<td class=${score === null ? 'text' : best ? 'best' : ''}>
      <info-pop labelled label=${t.provenance}>
        <span slot="label">${text}${best ? html`<span class="hidden-text"> (${t.best})</span>` : nothing}</span>
        <provenance-list .app=${this.app} .provenance=${provenance}></provenance-list>
      </info-pop>
    </td>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'score-table': ScoreTable;
  }
}
