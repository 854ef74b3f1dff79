import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { byCategory, ranking, type Standing } from '../report.js';
import type { ScoredRow } from '../state.js';
import { shared } from '../styles/shared.js';
import { ReportElement } from './report-base.js';
import { vars } from './vars.js';

/** From here on all places have room. */
const WIDE = window.matchMedia('(min-width: 40rem)');
/** Means of shares differ by no less, unless they are equal. */
const SAME = 1e-9;

/** The maps by their mean place, category by category, controls among them. */
@customElement('report-ranking')
export class ReportRanking extends ReportElement {
  static override styles = [
    shared,
    css`
      .groups {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 22em), 1fr));
        gap: 1.25em 2em;
      }
      .group {
        break-inside: avoid;
      }
      ol {
        display: grid;
        gap: 0.2em;
        margin-top: 0.5em;
      }
      li {
        display: grid;
        grid-template-columns: 1.6em minmax(0, 1fr) 8em;
        align-items: center;
        gap: 0.5em;
        font-size: 0.92em;
      }
      .place {
        color: var(--soft);
        font-variant-numeric: tabular-nums;
        text-align: end;
      }
      .control {
        color: var(--soft);
        font-style: italic;
      }
      .track {
        position: relative;
        height: 0.9em;
        border-radius: 99em;
        background: var(--sunk);
      }
      .span,
      .dot {
        position: absolute;
        top: 50%;
        translate: 0 -50%;
        border-radius: 99em;
      }
      .span {
        left: calc(0.35em + (100% - 0.7em) * var(--from));
        width: max(2px, calc((100% - 0.7em) * (var(--to) - var(--from))));
        height: 0.25em;
        background: var(--edge);
      }
      .dot {
        left: calc((100% - 0.7em) * var(--at));
        width: 0.7em;
        height: 0.7em;
        background: var(--accent);
      }
      .control .dot {
        background: var(--series-control);
      }
      .ends {
        display: flex;
        justify-content: space-between;
        margin-inline-start: auto;
        width: 8.7em;
        font-size: 0.75em;
        color: var(--soft);
      }
    `,
  ];

  /** On a small screen each category says who comes first; all places are folded. */
  @state() private wide = WIDE.matches;

  readonly #resized = (): void => {
    this.wide = WIDE.matches;
  };

  override connectedCallback(): void {
    super.connectedCallback();
    WIDE.addEventListener('change', this.#resized);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    WIDE.removeEventListener('change', this.#resized);
  }

  protected override render() {
    const { scores } = this.state;
    if (!scores) return nothing;
    const t = this.t.report;
    const groups = byCategory(scores.columns)
      .map(({ category, columns }) => ({ category, columns, places: ranking(scores.rows, columns) }))
      .filter(({ places }) => places.length > 1);
    if (groups.length === 0) return nothing;
    return html`<div class="stack">
      <h3>${t.ranking}</h3>
      <p class="small soft">${t.rankingLead}</p>
      <div class="groups">
        ${groups.map(
          ({ category, columns, places }) =>
            html`<div class="group">
              <h4>${this.categoryName(category)} <span class="small soft">${t.byMetrics(columns.length)}</span></h4>
              ${this.#verdict(places)}
              ${
                this.wide
                  ? this.#places(places, columns.length)
                  : html`<details>
                      <summary class="small">${t.allPlaces(places.length)}</summary>
                      ${this.#places(places, columns.length)}
                    </details>`
              }
            </div>`,
        )}
      </div>
    </div>`;
  }

  #places(places: readonly Standing<ScoredRow>[], metrics: number) {
    const t = this.t.report;
    return html`<div class="ends" aria-hidden="true"><span>${t.first}</span><span>${t.last}</span></div>
      <ol>
        ${places.map((standing, at) => this.#place(standing, at, metrics))}
      </ol>`;
  }

  #verdict(places: readonly Standing<ScoredRow>[]) {
    const t = this.t.report;
    const [first] = places;
    const method = places.find((s) => !s.row.control);
    if (!first || !method) return nothing;
    const ahead = places.filter((s) => s.row.control).map((s) => ({ row: s.row, by: method.mean - s.mean }));
    const [best] = ahead.sort((a, b) => b.by - a.by);
    const names = (row: ScoredRow) => [this.rowName(method.row), this.rowName(row)] as const;
    const text =
      !best || best.by < -SAME
        ? t.winner(this.rowName(method.row))
        : best.by > SAME
          ? t.controlAhead(...names(best.row))
          : t.controlTies(...names(best.row));
    return html`<p class="small">${text}</p>`;
  }

  #place({ row, mean, best, worst, metrics }: Standing<ScoredRow>, at: number, of: number) {
    const t = this.t.report;
    const share = (value: number) => this.f.percent(value);
    return html`<li class=${row.control ? 'control' : ''}>
      <span class="place">${t.place(at + 1)}</span>
      <span>
        ${this.rowName(row)} ${row.control ? html`<span class="small">(${t.isControl})</span>` : nothing}
        ${metrics < of ? html`<span class="small soft">${t.byMetrics(metrics)}</span>` : nothing}
      </span>
      <span class="track" role="img" aria-label=${t.barAlt(share(mean), share(best), share(worst))}>
        <span class="span" ${vars({ '--from': String(best), '--to': String(worst) })}></span>
        <span class="dot" ${vars({ '--at': String(mean) })}></span>
      </span>
    </li>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'report-ranking': ReportRanking;
  }
}
