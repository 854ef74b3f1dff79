import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { findMetric, MOST_MAPS } from '../plan.js';
import type { Evaluated } from '../protocol.gen.js';
import { CURVES, mapOf, type CurveMetric, type Removers } from '../removal/bench.js';
import { compared } from '../removal/bench-work.js';
import type { Order } from '../report.js';
import { shared } from '../styles/shared.js';
import { table } from '../styles/table.js';
import './curve-plot.js';
import type { Series } from './curve-plot.js';
import './info-pop.js';
import { MapElement } from './map-element.js';
import './provenance-list.js';
import './term-note.js';

/** Styles of lines: colours first, then the same colours otherwise drawn. */
const COLOURS = 6;
const DRAWN = ['', ' dotted', ' fine'] as const;

function styleOf(k: number): string {
  return `${k % COLOURS}${DRAWN[Math.floor(k / COLOURS) % DRAWN.length] ?? ''}`;
}

/** One map scored with every imputer in both orders: how much of the score is the filling's. */
@customElement('remover-curves')
export class RemoverCurves extends MapElement {
  static override styles = [
    shared,
    table,
    css`
      td,
      tbody th {
        vertical-align: top;
      }
      .text {
        max-width: 18em;
        white-space: normal;
        font-size: 0.85em;
        text-align: start;
      }
      .pair {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.5em;
      }
      @media (min-width: 66rem) {
        .pair {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        }
      }
      work-bar {
        flex: 1 1 12em;
      }
      .fields {
        max-width: 18em;
        grid-template-columns: minmax(0, 1fr);
      }
      .apart {
        font-size: 0.85em;
        color: var(--soft);
        white-space: nowrap;
      }
    `,
  ];

  @state() private asTable = false;

  protected override render() {
    const t = this.t.removal.removers;
    const { bench, catalogue } = this.state;
    const map = mapOf(this.state);
    const metrics = CURVES.filter((id) => findMetric(catalogue, id));
    const chosen = compared(this.state).length;
    return html`<div class="stack">
      <div class="fields">
        <label class="field">
          <span class="label">${t.metric}</span>
          <select
            @change=${(event: Event) =>
              this.app.store.dispatch({
                type: 'bench',
                bench: { metric: (event.target as HTMLSelectElement).value as CurveMetric },
              })}
          >
            ${metrics.map(
              (id) => html`<option value=${id} .selected=${id === bench.metric}>${this.metricName(id)}</option>`,
            )}
          </select>
        </label>
      </div>
      ${this.runner('removers', () => this.app.controller.bench.removers(), {
        run: t.run(this.f.count(chosen)),
        plan: map
          ? t.plan(this.methodName(map.method.id), map.label)
          : this.t.removal.film.noMap(this.methodName(bench.method)),
        blocked: chosen === 0 || (!map && this.state.explained.length >= MOST_MAPS),
      })}
      ${bench.removers && bench.removers.rows.length > 0 ? this.#found(bench.removers) : nothing}
    </div>`;
  }

  #found(found: Removers) {
    const t = this.t.removal.removers;
    return html`${this.#reading(found)}
      <div class="scroll" tabindex="0" role="region" aria-label=${t.table}>
        <table>
          <caption>
            ${t.caption(this.metricName(found.metric), this.methodName(found.method), found.label)}
          </caption>
          <thead>
            <tr>
              <th scope="col">${t.imputer}</th>
              <th scope="col">${this.t.report.orders.morf}</th>
              <th scope="col">${this.t.report.orders.lerf}</th>
              <th scope="col">
                ${t.gap} <info-pop label=${this.t.explainTerm(t.gap)}><p>${t.gapNote}</p></info-pop>
              </th>
            </tr>
          </thead>
          <tbody>
            ${found.rows.map(
              (row) =>
                html`<tr>
                  <th scope="row">${this.imputerName(row.imputer)}</th>
                  ${
                    row.error && !row.morf && !row.lerf
                      ? html`<td class="text" colspan="3" lang="en">${this.t.trust.failed(row.error.message)}</td>`
                      : html`${this.#cell(row.morf)} ${this.#cell(row.lerf)}
                          <td>${this.#gap(row.morf, row.lerf)}</td>`
                  }
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <div class="row">
        <button type="button" aria-pressed=${this.asTable} @click=${() => (this.asTable = !this.asTable)}>
          ${this.asTable ? this.t.trust.asChart : this.t.trust.asTable}
        </button>
        <term-note .app=${this.app} term="order"></term-note>
      </div>
      <div class="pair">${this.#chart(found, 'morf')} ${this.#chart(found, 'lerf')}</div>`;
  }

  #cell(score: Evaluated | null) {
    if (!score) return html`<td class="soft">…</td>`;
    const { score: value, undefined: why, spread, provenance } = score;
    if (value === null) return html`<td class="text">${this.t.trust.undefined(why ?? '')}</td>`;
    return html`<td>
      <info-pop labelled label=${this.t.trust.provenance}>
        <span slot="label">
          ${this.f.number(value)}
          ${spread ? html`<span class="apart">± ${this.f.number(spread.deviation)}</span>` : nothing}
        </span>
        <provenance-list .app=${this.app} .provenance=${provenance}></provenance-list>
      </info-pop>
    </td>`;
  }

  #gap(morf: Evaluated | null, lerf: Evaluated | null) {
    const [most, least] = [morf?.score ?? null, lerf?.score ?? null];
    return most === null || least === null ? nothing : this.f.number(least - most);
  }

  /** From where to where the score moves with the filling alone. */
  #reading({ rows, metric }: Removers) {
    const t = this.t.removal.removers;
    const values = rows.flatMap(({ imputer, morf }) => {
      const value = morf?.score ?? null;
      return value === null ? [] : [{ imputer, value }];
    });
    if (values.length < 2) return nothing;
    const sorted = [...values].sort((a, b) => a.value - b.value);
    const [low, high] = [sorted[0], sorted.at(-1)];
    if (!low || !high) return nothing;
    const side = (end: typeof low) => [this.f.number(end.value), this.imputerName(end.imputer)] as const;
    return html`<p>${t.reading(this.metricName(metric), ...side(low), ...side(high))}</p>`;
  }

  #chart(found: Removers, order: Order) {
    const series = found.rows.flatMap((row, k): Series[] => {
      const curve = row[order]?.curves[0];
      return curve ? [{ name: this.imputerName(row.imputer), style: styleOf(k), x: curve.x, y: curve.y }] : [];
    });
    if (series.length === 0) return nothing;
    const name = this.t.report.orders[order];
    return html`<div class="stack">
      <h4>${name}</h4>
      <curve-plot
        .app=${this.app}
        .series=${series}
        name=${`${this.metricName(found.metric)}, ${name}`}
        x-label=${this.t.trust.xAxis.removed}
        y-label=${this.t.trust.yAxis(this.t.answer.kinds[this.#kind(found)], found.label)}
        ?table=${this.asTable}
      ></curve-plot>
    </div>`;
  }

  #kind({ rows }: Removers) {
    return rows.find((r) => r.morf)?.morf?.provenance.target.kind ?? this.state.plan.kind;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'remover-curves': RemoverCurves;
  }
}
