import { css, html, nothing, svg } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { linePath, nearest, scale, valueAt, type Scale } from '../plots.js';
import { lineStyles } from '../styles/lines.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** One line of the chart. `style` is 0–5, which `dotted` or `fine` may follow, or `control-0` … `control-3`. */
export interface Series {
  readonly name: string;
  readonly style: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 340;
const LEFT = 52;
const RIGHT = 26;
const TOP = 12;
const BOTTOM = 44;

/** Curves as SVG with a legend that reads values, and the same values as a table. */
@customElement('curve-plot')
export class CurvePlot extends AppElement {
  static override styles = [
    shared,
    lineStyles,
    css`
      svg {
        display: block;
        width: 100%;
        height: auto;
        overflow: visible;
        touch-action: pan-y;
      }
      text {
        fill: var(--soft);
        font-size: 13px;
      }
      .grid {
        stroke: var(--line);
      }
      .cursor {
        stroke: var(--edge);
        stroke-dasharray: 2 2;
      }
      .legend {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 12em), 1fr));
        gap: 0.15em 1.25em;
        font-size: 0.9em;
      }
      .legend li {
        display: grid;
        grid-template-columns: 2.6em 1fr auto;
        gap: 0.5em;
        align-items: center;
      }
      .legend svg {
        height: 0.8em;
      }
      .scroll {
        position: relative;
        max-height: 24em;
        overflow: auto;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        font-size: 0.9em;
        font-variant-numeric: tabular-nums;
      }
      th,
      td {
        padding: 0.2em 0.6em;
        border-bottom: 1px solid var(--line);
        text-align: end;
        font-weight: 400;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--card);
        font-weight: 600;
      }
    `,
  ];

  @property({ attribute: false }) series: readonly Series[] = [];
  /** Where the values' axis begins and ends at least; none for the values' own range. */
  @property({ attribute: false }) domain: readonly [number, number] | null = null;
  @property() name = '';
  @property({ attribute: 'x-label' }) xLabel = '';
  @property({ attribute: 'y-label' }) yLabel = '';
  @property({ type: Boolean }) table = false;
  /** Index among the first curve's points where values are read. */
  @state() private at: number | null = null;

  #xs(): readonly number[] {
    return this.series[0]?.x ?? [];
  }

  #point(event: PointerEvent, sx: Scale): void {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const [low, high] = sx.domain;
    this.at = nearest(this.#xs(), low + ((x - LEFT) / (WIDTH - LEFT - RIGHT)) * (high - low));
  }

  #key(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.at = Math.max(0, Math.min(this.#xs().length - 1, (this.at ?? 0) + step));
  }

  protected override render() {
    if (this.series.length === 0) return html`<p class="soft">${this.t.trust.noCurves}</p>`;
    return this.table ? this.#asTable() : this.#asChart();
  }

  #asChart() {
    const sx = scale([0, 1], LEFT, WIDTH - RIGHT);
    const sy = scale([...this.series.flatMap((s) => s.y), ...(this.domain ?? [])], HEIGHT - BOTTOM, TOP);
    const x = this.at === null ? null : (this.#xs()[this.at] ?? null);
    return html`<div class="stack">
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        role="img"
        tabindex="0"
        aria-label="${this.t.trust.chartAlt(this.name, this.series.length)} ${this.t.trust.focus}"
        @pointermove=${(event: PointerEvent) => this.#point(event, sx)}
        @pointerleave=${() => (this.at = null)}
        @keydown=${this.#key}
        @focus=${() => (this.at ??= 0)}
        @blur=${() => (this.at = null)}
      >
        ${sy.ticks.map(
          (v) =>
            svg`<line class="grid" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${sy.at(v)} y2=${sy.at(v)}></line>
              <text x=${LEFT - 8} y=${sy.at(v) + 4} text-anchor="end">${this.f.number(v)}</text>`,
        )}
        ${sx.ticks.map(
          (v) => svg`<text x=${sx.at(v)} y=${HEIGHT - BOTTOM + 18} text-anchor="middle">${this.f.percent(v)}</text>`,
        )}
        <text x=${(LEFT + WIDTH - RIGHT) / 2} y=${HEIGHT - 4} text-anchor="middle">${this.xLabel}</text>
        ${
          x === null
            ? nothing
            : svg`<line class="cursor" x1=${sx.at(x)} x2=${sx.at(x)} y1=${TOP} y2=${HEIGHT - BOTTOM}></line>`
        }
        ${this.series.map((s) => svg`<path class="line s${s.style}" d=${linePath(s.x, s.y, sx, sy)}></path>`)}
      </svg>
      <p class="small soft">${this.yLabel}${x === null ? nothing : html` · ${this.f.percent(x)}`}</p>
      <ul class="legend" aria-live=${x === null ? 'off' : 'polite'}>
        ${this.series.map(
          (s) =>
            html`<li>
              <svg viewBox="0 0 40 12" aria-hidden="true">
                <line class="line s${s.style}" x1="0" x2="40" y1="6" y2="6"></line>
              </svg>
              <span>${s.name}</span>
              <span>${x === null ? nothing : this.f.number(valueAt(s.x, s.y, x))}</span>
            </li>`,
        )}
      </ul>
    </div>`;
  }

  #asTable() {
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${this.name}>
      <table>
        <caption class="hidden-text">
          ${this.name}: ${this.yLabel}
        </caption>
        <thead>
          <tr>
            <th scope="col">${this.xLabel}</th>
            ${this.series.map((s) => html`<th scope="col">${s.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${this.#xs().map(
            (x) =>
              html`<tr>
                <th scope="row">${this.f.percent(x)}</th>
                ${this.series.map((s) => html`<td>${this.f.number(valueAt(s.x, s.y, x))}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'curve-plot': CurvePlot;
  }
}
