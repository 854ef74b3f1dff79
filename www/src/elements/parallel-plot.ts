import { css, html, nothing, svg } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { ranks, type Column } from '../report.js';
import { score } from '../reading.js';
import type { ScoredRow } from '../state.js';
import { shared } from '../styles/shared.js';
import { ReportElement } from './report-base.js';
import { lineStyles } from '../styles/lines.js';

const WIDTH = 960;
const HEIGHT = 320;
const LEFT = 60;
const RIGHT = 60;
const TOP = 46;
const BOTTOM = 34;
/** Longest axis name drawn; the table and the legend have it whole. */
const LETTERS = 20;

/** Parallel coordinates: an axis a column, a line a map, up is better; the same as a table of places. */
@customElement('parallel-plot')
export class ParallelPlot extends ReportElement {
  static override styles = [
    shared,
    lineStyles,
    css`
      .scroll {
        position: relative;
        overflow-x: auto;
      }
      .chart {
        min-width: 34em;
      }
      svg {
        display: block;
        width: 100%;
        height: auto;
        overflow: visible;
      }
      text {
        fill: var(--soft);
        font-size: 13px;
      }
      .axis {
        stroke: var(--edge);
      }
      .line.faint {
        opacity: 0.15;
      }
      .line.strong {
        stroke-width: 4;
      }
      circle {
        fill: var(--card);
        stroke-width: 2;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 0.15em 0.5em;
      }
      .legend button {
        min-height: 1.75em;
        padding: 0.1em 0.6em;
        border-color: transparent;
        background: none;
        font-size: 0.9em;
      }
      .legend button[aria-pressed='true'] {
        border-color: var(--accent);
      }
      .legend svg {
        width: 2.4em;
        height: 0.8em;
      }
      table {
        border-collapse: collapse;
        font-size: 0.9em;
        font-variant-numeric: tabular-nums;
      }
      th,
      td {
        padding: 0.25em 0.7em;
        border-bottom: 1px solid var(--line);
        text-align: end;
        font-weight: 400;
      }
      tbody th,
      thead th:first-child {
        text-align: start;
      }
      thead th {
        font-weight: 600;
        vertical-align: bottom;
      }
    `,
  ];

  @state() private asTable = false;
  /** The row that stands out. */
  @state() private chosen = '';

  /** From 0 (worst here) to 1 (best here) on each axis; null where there is no value. */
  #heights(rows: readonly ScoredRow[], column: Column): (number | null)[] {
    const values = rows.map((row) => score(row, column.id));
    const known = values.filter((v) => v !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return values.map((v) => {
      if (v === null) return null;
      const share = high > low ? (v - low) / (high - low) : 0.5;
      return column.direction === 'higher' ? share : 1 - share;
    });
  }

  protected override render() {
    const { scores } = this.state;
    if (!scores) return nothing;
    const t = this.t.report;
    const { rows } = scores;
    const columns = scores.columns.filter((c) => rows.filter((row) => score(row, c.id) !== null).length > 1);
    if (columns.length < 2) return nothing;
    return html`<div class="stack">
      <div class="row">
        <h3>${t.parallel}</h3>
        <button
          class="noprint"
          type="button"
          aria-pressed=${this.asTable}
          @click=${() => (this.asTable = !this.asTable)}
        >
          ${this.asTable ? this.t.trust.asChart : this.t.trust.asTable}
        </button>
      </div>
      ${this.asTable ? this.#table(rows, columns) : this.#chart(rows, columns)}
    </div>`;
  }

  #chart(rows: readonly ScoredRow[], columns: readonly Column[]) {
    const t = this.t.report;
    const all = this.state.scores?.columns ?? columns;
    const step = (WIDTH - LEFT - RIGHT) / (columns.length - 1);
    const x = (k: number) => LEFT + k * step;
    const y = (height: number) => HEIGHT - BOTTOM - height * (HEIGHT - TOP - BOTTOM);
    const heights = columns.map((c) => this.#heights(rows, c));
    const styles = lineClasses(rows);
    const ends = (column: Column) => {
      const known = rows.flatMap((row) => score(row, column.id) ?? []);
      const [low, high] = [Math.min(...known), Math.max(...known)];
      return column.direction === 'higher' ? [high, low] : [low, high];
    };
    const tight = step < 150;
    return html`<p class="small soft">${t.parallelLead}</p>
      <div class="scroll" tabindex="0" role="region" aria-label=${t.parallel}>
        <div class="chart">
          <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${t.parallelAlt(rows.length, columns.length)}>
            ${columns.map((column, k) => {
              const [best, worst] = ends(column);
              const name = tight ? String(all.indexOf(column) + 1) : short(this.metricName(column.metric));
              const detail = tight ? '' : short(this.columnDetail(column, all));
              const anchor = k === 0 ? 'start' : k === columns.length - 1 ? 'end' : 'middle';
              const at = k === 0 ? x(k) - LEFT + 4 : k === columns.length - 1 ? x(k) + RIGHT - 4 : x(k);
              return svg`<line class="axis" x1=${x(k)} x2=${x(k)} y1=${TOP} y2=${HEIGHT - BOTTOM}></line>
                <text x=${at} y="14" text-anchor=${anchor}>${name}<title>${this.columnName(column, all)}</title></text>
                <text x=${at} y="28" text-anchor=${anchor}>${detail}</text>
                <text x=${x(k)} y=${TOP - 5} text-anchor="middle">${this.f.number(best ?? 0)}</text>
                <text x=${x(k)} y=${HEIGHT - BOTTOM + 16} text-anchor="middle">${this.f.number(worst ?? 0)}</text>`;
            })}
            ${rows.map((row, i) => {
              const points = heights.map((column, k) => ({ k, height: column[i] ?? null }));
              let pen = false;
              const path = points
                .map(({ k, height }) => {
                  const part = height === null ? '' : `${pen ? 'L' : 'M'}${x(k).toFixed(1)} ${y(height).toFixed(1)}`;
                  pen = height !== null;
                  return part;
                })
                .join('');
              const tone = this.chosen === '' ? '' : this.chosen === row.key ? 'strong' : 'faint';
              return svg`<path class="line s${styles[i]} ${tone}" d=${path}></path>
                ${points.map(({ k, height }) =>
                  height === null
                    ? nothing
                    : svg`<circle class="line s${styles[i]} ${tone}" cx=${x(k)} cy=${y(height)} r="3"></circle>`,
                )}`;
            })}
          </svg>
        </div>
      </div>
      <ul class="legend">
        ${rows.map(
          (row, i) =>
            html`<li>
              <button
                type="button"
                aria-pressed=${this.chosen === row.key}
                @click=${() => (this.chosen = this.chosen === row.key ? '' : row.key)}
              >
                <svg viewBox="0 0 40 12" aria-hidden="true">
                  <line class="line s${styles[i] ?? ''}" x1="0" x2="40" y1="6" y2="6"></line>
                </svg>
                ${this.rowName(row)}
              </button>
            </li>`,
        )}
      </ul>
      ${
        tight
          ? html`<p class="small soft">
              ${columns.map((c) => `${all.indexOf(c) + 1}. ${this.columnName(c, all)}`).join(' · ')}
            </p>`
          : nothing
      }`;
  }

  #table(rows: readonly ScoredRow[], columns: readonly Column[]) {
    const t = this.t.report;
    const all = this.state.scores?.columns ?? columns;
    const places = columns.map((c) =>
      ranks(
        rows.map((row) => score(row, c.id)),
        c.direction,
      ),
    );
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${t.placesTable}>
      <table>
        <caption class="hidden-text">
          ${t.placesTable}
        </caption>
        <thead>
          <tr>
            <th scope="col">${this.t.trust.method}</th>
            ${columns.map((c) => html`<th scope="col">${this.columnName(c, all)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row, i) =>
              html`<tr>
                <th scope="row">${this.rowName(row)}</th>
                ${places.map((column) => {
                  const place = column[i] ?? null;
                  return html`<td>${place === null ? '–' : this.f.number(place)}</td>`;
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

function short(name: string): string {
  return name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name;
}

/** Line styles as in the curves: six for explanations, four for controls. */
function lineClasses(rows: readonly ScoredRow[]): string[] {
  let methods = 0;
  let controls = 0;
  return rows.map((row) => (row.control ? `control-${controls++ % 4}` : String(methods++ % 6)));
}

declare global {
  interface HTMLElementTagNameMap {
    'parallel-plot': ParallelPlot;
  }
}
