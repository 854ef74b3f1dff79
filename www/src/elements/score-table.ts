import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { findMetric } from '../plan.js';
import { bestFirst, bestKeys, BY_NAME, sortRows } from '../reading.js';
import { byCategory, readingOf, type Column } from '../report.js';
import type { ScoredRow, View } from '../state.js';
import { shared } from '../styles/shared.js';
import './heatmap-view.js';
import './info-pop.js';
import './metric-note.js';
import './provenance-list.js';
import { ReportElement } from './report-base.js';
import './term-note.js';

/** Thumbnails show the map alone. */
const BARE: Pick<View, 'background'> = { background: 'none' };

/** Methods by metrics, sortable; controls marked, best values marked. */
@customElement('score-table')
export class ScoreTable extends ReportElement {
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
      .group th {
        padding-bottom: 0.1em;
        border-bottom: 2px solid var(--line);
        text-align: start;
        font-size: 0.8em;
        color: var(--soft);
      }
      .group th + th {
        border-inline-start: 1px solid var(--line);
      }
      .reading {
        display: block;
        font-size: 0.75em;
        font-weight: 400;
        line-height: 1.3;
        color: var(--soft);
      }
      .good::before {
        content: '▲ ' / '';
        color: var(--accent);
      }
      .mixed::before {
        content: '◆ ' / '';
      }
      .poor {
        color: var(--alarm);
      }
      .poor::before {
        content: '▼ ' / '';
      }
      .apart {
        font-size: 0.8em;
        white-space: nowrap;
        color: var(--soft);
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
    const { scores, sorting } = this.state;
    if (!scores) return nothing;
    const { columns } = scores;
    const named = scores.rows.map((row) => ({ ...row, name: this.rowName(row) }));
    const rows = sortRows(named, sorting);
    const best = new Map(columns.map((c) => [c.id, bestKeys(rows, c.id, c.direction)]));
    const groups = byCategory(columns);
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${this.t.trust.table(scores.label)}>
      <table>
        <caption>
          ${this.t.trust.table(scores.label)}
          <term-note .app=${this.app} term="control"></term-note>
        </caption>
        <thead>
          ${
            groups.length > 1
              ? html`<tr class="group">
                  <td></td>
                  ${groups.map(
                    (g) => html`<th scope="colgroup" colspan=${g.columns.length}>${this.categoryName(g.category)}</th>`,
                  )}
                </tr>`
              : nothing
          }
          <tr>
            ${this.#head(BY_NAME, this.t.trust.method, 'ascending', nothing)}
            ${columns.map((c) => this.#columnHead(c, columns))}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr class=${row.control ? 'control' : ''}>
                <th scope="row">
                  <span class="method">
                    ${
                      row.map
                        ? html`<heatmap-view
                            still
                            .map=${row.map}
                            .prepared=${this.state.prepared}
                            .view=${{ ...this.state.view, ...BARE }}
                            alt=""
                            aria-hidden="true"
                          ></heatmap-view>`
                        : nothing
                    }
                    <span>
                      ${row.name} ${row.control ? html`<span class="tag">${this.t.trust.control}</span>` : nothing}
                    </span>
                  </span>
                </th>
                ${columns.map((c) => this.#cell(rows, row, c, best.get(c.id)?.has(row.key) ?? false))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  #columnHead(column: Column, columns: readonly Column[]) {
    const { direction } = column;
    const arrow = direction === 'higher' ? '↑' : '↓';
    const detail = this.columnDetail(column, columns);
    const metric = findMetric(this.state.catalogue, column.metric);
    const note = html`<span class="direction">
      ${detail ? html`${detail}<br />` : nothing}${arrow} ${this.t.trust[direction]}
      ${metric ? html`<metric-note .app=${this.app} .metric=${metric} direction=${direction}></metric-note>` : nothing}
    </span>`;
    return this.#head(column.id, this.metricName(column.metric), bestFirst(direction), note);
  }

  #head(by: string, name: string, first: 'ascending' | 'descending', note: unknown) {
    const { sorting } = this.state;
    const sorted = sorting.by === by;
    const mark = sorted ? (sorting.order === 'ascending' ? ' ▲' : ' ▼') : '';
    return html`<th scope="col" aria-sort=${sorted ? sorting.order : 'none'}>
      <button type="button" title=${this.t.trust.sortBy(name)} @click=${() => this.#sort(by, first)}>
        ${name}<span aria-hidden="true">${mark}</span>
      </button>
      ${note}
    </th>`;
  }

  #cell(rows: readonly ScoredRow[], row: ScoredRow, column: Column, best: boolean) {
    const t = this.t.trust;
    const cell = row.cells[column.id] ?? { state: 'pending' };
    if (cell.state === 'pending') return html`<td class="soft"><span aria-label=${t.pending} role="img">…</span></td>`;
    if (cell.state === 'unreached') return html`<td class="text soft">${this.t.report.unreached}</td>`;
    if (cell.state === 'failed') {
      return html`<td class="text" lang="en">${t.failed(cell.error.message)}</td>`;
    }
    const { score, undefined: why, spread, provenance } = cell.result;
    const text = score === null ? t.undefined(why ?? '') : this.f.number(score);
    const apart = spread ? `± ${this.f.number(spread.deviation)}` : '';
    return html`<td class=${score === null ? 'text' : best ? 'best' : ''}>
      <info-pop labelled label=${t.provenance}>
        <span slot="label"
          >${text}${apart ? html`<span class="apart"> ${apart}</span>` : nothing}${best ? html`<span class="hidden-text"> (${t.best})</span>` : nothing}</span
        >
        ${
          spread
            ? html`<p>
                ${this.t.report.spread(spread.draws, this.f.number(spread.deviation), this.f.number(spread.lowest), this.f.number(spread.highest))}
              </p>`
            : nothing
        }
        <provenance-list .app=${this.app} .provenance=${provenance}></provenance-list>
      </info-pop>
      ${this.#reading(rows, row, column)}
    </td>`;
  }

  /** What the number says beside the controls; the controls' own say what they are by their row. */
  #reading(rows: readonly ScoredRow[], row: ScoredRow, column: Column) {
    const t = this.t.report;
    const found = readingOf(rows, column, row);
    if (!found || found.kind === 'control') return nothing;
    const words = {
      good: () => t.good(found.of),
      mixed: () => t.mixed(found.beats, found.of),
      poor: () => t.poor,
      alone: () => t.alone,
    }[found.kind]();
    return html`<span class="reading ${found.kind}">${words}</span>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'score-table': ScoreTable;
  }
}
