import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { ScoredRow } from '../state.js';
import { shared } from '../styles/shared.js';
import './curve-plot.js';
import type { Series } from './curve-plot.js';
import { ReportElement } from './report-base.js';
import './term-note.js';

const METHOD_STYLES = 6;
const CONTROL_STYLES = 4;

/** The curves behind one metric's column, as a chart or as a table. */
@customElement('curves-panel')
export class CurvesPanel extends ReportElement {
  static override styles = [
    shared,
    css`
      label {
        min-width: 0;
        max-width: 100%;
      }
      select {
        width: auto;
        max-width: 100%;
      }
    `,
  ];

  @state() private metric = '';
  @state() private curve = '';
  @state() private asTable = false;

  #curves(row: ScoredRow, metric: string) {
    const cell = row.cells[metric];
    return cell?.state === 'done' ? cell.result.curves : [];
  }

  #series(rows: readonly ScoredRow[], metric: string, label: string): Series[] {
    let methods = 0;
    let controls = 0;
    return rows.flatMap((row) => {
      const style = row.control ? `control-${controls++ % CONTROL_STYLES}` : String(methods++ % METHOD_STYLES);
      const curve = this.#curves(row, metric).find((c) => c.label === label);
      if (!curve) return [];
      const name = this.rowName(row);
      return [{ name, style, x: curve.x, y: curve.y }];
    });
  }

  protected override render() {
    const { scores } = this.state;
    const t = this.t.trust;
    if (!scores) return nothing;
    const withCurves = scores.columns.filter((c) => scores.rows.some((row) => this.#curves(row, c.id).length > 0));
    const column = withCurves.find((c) => c.id === this.metric) ?? withCurves[0];
    if (!column) return nothing;
    const name = this.columnName(column, scores.columns);
    const labels = [...new Set(scores.rows.flatMap((row) => this.#curves(row, column.id).map((c) => c.label)))];
    const label = labels.includes(this.curve) ? this.curve : (labels[0] ?? '');
    return html`<div class="stack">
      <div class="row">
        <h3>${t.curves} <term-note .app=${this.app} term="order"></term-note></h3>
        ${this.#select(
          t.curveOf,
          column.id,
          withCurves.map((c) => [c.id, this.columnName(c, scores.columns)]),
          (v) => (this.metric = v),
        )}
        ${
          labels.length > 1
            ? this.#select(
                t.order,
                label,
                labels.map((l) => [l, l]),
                (v) => (this.curve = v),
              )
            : nothing
        }
        <button
          class="noprint"
          type="button"
          aria-pressed=${this.asTable}
          @click=${() => (this.asTable = !this.asTable)}
        >
          ${this.asTable ? t.asChart : t.asTable}
        </button>
      </div>
      <curve-plot
        .app=${this.app}
        .series=${this.#series(scores.rows, column.id, label)}
        name=${name}
        x-label=${column.metric === 'insertion' ? t.xAxis.kept : t.xAxis.removed}
        y-label=${t.yAxis(this.t.answer.kinds[this.#kind(scores.rows, column.id)], scores.label)}
        ?table=${this.asTable}
      ></curve-plot>
    </div>`;
  }

  #kind(rows: readonly ScoredRow[], metric: string) {
    for (const row of rows) {
      const cell = row.cells[metric];
      if (cell?.state === 'done') return cell.result.provenance.target.kind;
    }
    return this.state.plan.kind;
  }

  #select(
    label: string,
    value: string,
    options: readonly (readonly [string, string])[],
    change: (value: string) => void,
  ) {
    return html`<label class="row">
      <span class="hidden-text">${label}</span>
      <select @change=${(event: Event) => change((event.target as HTMLSelectElement).value)}>
        ${options.map(([id, text]) => html`<option value=${id} .selected=${id === value}>${text}</option>`)}
      </select>
    </label>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'curves-panel': CurvesPanel;
  }
}
