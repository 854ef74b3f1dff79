import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { byFamily, search } from '../finding.js';
import { blocked, controls, findImputer, findMethod, findMetric, keyOf, scorable } from '../plan.js';
import type { MethodEntry, MetricEntry, WireTargetKind } from '../protocol.gen.js';
import { available } from '../removal/bench-work.js';
import { CATEGORIES, columnsOf, hasBothOrders, REFERENCE, referenceImputer } from '../report.js';
import { rowsOf } from '../score.js';
import { entryOf, INITIAL, type ScorePlan } from '../state.js';
import { shared } from '../styles/shared.js';
import './imputer-select.js';
import './info-pop.js';
import './metric-note.js';
import './param-form.js';
import { ReportElement } from './report-base.js';
import './seed-field.js';
import './term-note.js';

/** Fillings that a score may be the mean of. */
const MOST_DRAWS = 100;
const KINDS: readonly WireTargetKind[] = ['probability', 'logit'];

/** Which maps, metrics and fillings are compared, and for how long. */
@customElement('metric-plan')
export class MetricPlan extends ReportElement {
  static override styles = [
    shared,
    css`
      .plan {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 22em), 1fr));
        gap: 1em 2em;
        align-items: start;
      }
      .metrics {
        grid-column: 1 / -1;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 16em), 1fr));
        gap: 0 1.25em;
        align-items: start;
        padding-block: 0.25em 0.6em;
      }
      li {
        min-width: 0;
      }
      .wide {
        grid-column: 1 / -1;
      }
      .common {
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 12em), 1fr));
        max-width: 60em;
        align-items: start;
      }
      .entry {
        display: flex;
        align-items: center;
        gap: 0.35em;
      }
      .category {
        border-top: 1px solid var(--line);
        padding-top: 0.35em;
      }
      .category > summary strong {
        color: var(--ink);
        font-weight: 600;
      }
      .settings {
        display: grid;
        gap: 0.75em;
        padding: 0.75em;
        border-radius: 0.6em;
        background: var(--sunk);
      }
      .search {
        max-width: 20em;
      }
      a {
        color: var(--accent);
        text-underline-offset: 0.15em;
      }
      .metrics > .row {
        margin-bottom: 0.6em;
      }
      summary .small {
        margin-inline-start: 0.5em;
      }
      legend {
        margin-bottom: 0.3em;
      }
    `,
  ];

  @state() private query = '';
  @state() private methodQuery = '';
  /** Categories that the visitor opened or closed. */
  @state() private open: Readonly<Record<string, boolean>> = { faithfulness: true };

  #plan(plan: Partial<ScorePlan>): void {
    this.app.store.dispatch({ type: 'plan', plan });
  }

  #toggle(list: readonly string[], id: string): string[] {
    return list.includes(id) ? list.filter((other) => other !== id) : [...list, id];
  }

  /** What a metric needs that is not here, in words; empty where it can run. */
  #lacks(metric: MetricEntry): string {
    const { lacking } = this.t.report;
    const entry = entryOf(this.state);
    const sample = entry?.card.sample.find((s) => s.file === this.state.picture?.sample);
    const missing: Readonly<Record<string, boolean>> = {
      truth: !sample?.mask,
      set: !entry || entry.own || entry.card.sample.length < 2,
      gradient: this.state.model !== null && this.state.model.gradientError !== null,
      other: rowsOf(this.state).filter((row) => !row.control).length < 2,
    };
    return this.f.list(metric.needs.flatMap((need) => (missing[need] ? [lacking[need] ?? need] : [])));
  }

  protected override render() {
    return html`<div class="plan">${this.#maps()} ${this.#imputers()} ${this.#metrics()} ${this.#common()}</div>`;
  }

  #maps() {
    const t = this.t.report;
    const { state } = this;
    const here = new Set(scorable(state).map((e) => e.method.id));
    const names = controls(state).map((c) => this.text('method', c).name);
    const rest = (state.catalogue?.methods ?? []).filter((m) => m.family !== 'control' && !here.has(m.id));
    const shown = search(rest, this.methodQuery, (m) => {
      const { name, summary } = this.text('method', m);
      return { name, all: `${m.id} ${summary}` };
    });
    const added = state.plan.methods.flatMap((id) => (here.has(id) ? [] : (findMethod(state, id) ?? [])));
    return html`<fieldset>
      <legend class="label">${t.maps} <term-note .app=${this.app} term="control"></term-note></legend>
      <div class="stack">
        <p class="small">
          ${this.f.list([
            ...(scorable(state).length > 0 || added.length === 0 ? [t.mapsHere(scorable(state).length)] : []),
            ...added.map((m) => this.text('method', m).name),
          ])}
        </p>
        <p class="small soft">${t.alwaysControls(this.f.list(names))}</p>
        <details>
          <summary>${t.add}</summary>
          <div class="stack settings">
            <input
              class="search"
              type="search"
              aria-label=${t.findMethod}
              placeholder=${t.findMethod}
              .value=${this.methodQuery}
              @input=${(event: Event) => (this.methodQuery = (event.target as HTMLInputElement).value)}
            />
            ${shown.length === 0 ? html`<p class="small soft">${t.noMatch}</p>` : nothing}
            ${byFamily(shown).map(
              ({ family, entries }) =>
                html`<div>
                  <h4 class="small">${this.#family(family)}</h4>
                  <ul>
                    ${entries.map((m) => html`<li>${this.#method(m)}</li>`)}
                  </ul>
                </div>`,
            )}
          </div>
        </details>
      </div>
    </fieldset>`;
  }

  #family(family: string): string {
    return this.t.guide.families[family]?.name ?? family;
  }

  #method(method: MethodEntry) {
    const { plan } = this.state;
    const stopped = blocked(this.state, method) !== null;
    return html`<label class="check">
      <input
        type="checkbox"
        ?disabled=${stopped}
        .checked=${plan.methods.includes(method.id)}
        @change=${() => this.#plan({ methods: this.#toggle(plan.methods, method.id) })}
      />
      <span>${this.text('method', method).name}</span>
    </label>`;
  }

  #imputers() {
    const t = this.t.report;
    const { plan, catalogue } = this.state;
    const can = new Set(available(this.state).map((i) => i.id));
    const options: (readonly [string, string, boolean])[] = [
      [REFERENCE, t.ofReference, true],
      ...(catalogue?.imputers.map((i) => [i.id, this.text('imputer', i).name, can.has(i.id)] as const) ?? []),
    ];
    const toggle = (id: string) => {
      const imputers = this.#toggle(plan.imputers, id);
      this.#plan({ imputers: imputers.length > 0 ? imputers : [REFERENCE] });
      // The box that was the last one stays ticked.
      this.requestUpdate();
    };
    return html`<fieldset>
      <legend class="label">${t.imputers} <term-note .app=${this.app} term="imputer"></term-note></legend>
      <ul>
        ${options.map(
          ([id, name, possible]) =>
            html`<li class=${id === REFERENCE ? 'wide' : ''}>
              <label class="check">
                <input
                  type="checkbox"
                  .checked=${plan.imputers.includes(id)}
                  ?disabled=${!possible || (plan.imputers.length === 1 && plan.imputers[0] === id)}
                  @change=${() => toggle(id)}
                />
                <span>
                  ${name} ${possible ? nothing : html`<span class="soft">(${this.t.removal.fills.noNetwork})</span>`}
                </span>
              </label>
            </li>`,
        )}
      </ul>
      <p class="small soft">${t.imputersNote}</p>
    </fieldset>`;
  }

  #metrics() {
    const t = this.t.report;
    const all = this.state.catalogue?.metrics ?? [];
    const found = new Set(
      search(all, this.query, (m) => {
        const { name, summary } = this.text('metric', m);
        return { name, all: `${m.id} ${summary} ${this.categoryName(m.category)} ${m.reference}` };
      }),
    );
    const groups = CATEGORIES.map((category) => {
      const entries = all.filter((m) => m.category === category);
      return { category, entries, shown: entries.filter((m) => found.has(m)) };
    }).filter(({ shown }) => shown.length > 0);
    return html`<fieldset class="metrics">
      <legend class="label">${t.metrics} <term-note .app=${this.app} term="faithfulness"></term-note></legend>
      <div class="row">
        <input
          class="search"
          type="search"
          aria-label=${t.find}
          placeholder=${t.find}
          .value=${this.query}
          @input=${(event: Event) => (this.query = (event.target as HTMLInputElement).value)}
        />
        <span class="row small soft">
          ${t.presets}:
          <button class="quiet" type="button" @click=${() => this.#plan({ metrics: INITIAL.plan.metrics })}>
            ${t.preset.small}
          </button>
          <button class="quiet" type="button" @click=${() => this.#plan({ metrics: this.#oneOfEach() })}>
            ${t.preset.each}
          </button>
          <button class="quiet" type="button" @click=${() => this.#plan({ metrics: [] })}>${t.preset.none}</button>
        </span>
      </div>
      <p class="small">${this.link({ registry: 'departures' }, this.t.report.departures)}</p>
      ${groups.length === 0 ? html`<p class="small soft">${t.noMatch}</p>` : nothing}
      ${groups.map(({ category, entries, shown }) => {
        const chosen = entries.filter((m) => this.state.plan.metrics.includes(m.id)).length;
        return html`<details
          class="category"
          .open=${this.query !== '' || (this.open[category] ?? false)}
          @toggle=${(event: Event) => {
            if (this.query === '') this.open = { ...this.open, [category]: (event.target as HTMLDetailsElement).open };
          }}
        >
          <summary>
            <strong>${this.categoryName(category)}</strong> · ${t.chosen(chosen, entries.length)}
            <span class="small">${t.asks[category]}</span>
          </summary>
          <ul>
            ${shown.map((m) => this.#metric(m))}
          </ul>
        </details>`;
      })}
    </fieldset>`;
  }

  /** The first metric of each category that can run here. */
  #oneOfEach(): string[] {
    const all = this.state.catalogue?.metrics ?? [];
    return CATEGORIES.flatMap((category) => {
      const first = all.find((m) => m.category === category && this.#lacks(m) === '');
      return first ? [first.id] : [];
    });
  }

  #metric(metric: MetricEntry) {
    const { plan } = this.state;
    const on = plan.metrics.includes(metric.id);
    const lacks = this.#lacks(metric);
    const settings = on && (metric.params.length > 0 || metric.needs.includes('imputer'));
    return html`<li>
      <div class="entry">
        <label class="check">
          <input
            type="checkbox"
            .checked=${on}
            @change=${() => this.#plan({ metrics: this.#toggle(plan.metrics, metric.id) })}
          />
          <span>${this.text('metric', metric).name}</span>
        </label>
        <metric-note .app=${this.app} .metric=${metric}></metric-note>
      </div>
      ${lacks ? html`<p class="small soft">${lacks}</p>` : nothing}
      ${
        settings
          ? html`<details class="small">
              <summary>${this.t.settings}</summary>
              <div class="settings">${this.#settings(metric)}</div>
            </details>`
          : nothing
      }
    </li>`;
  }

  #settings(metric: MetricEntry) {
    const { plan } = this.state;
    const { id } = metric;
    return html`${
      metric.params.length > 0
        ? html`<param-form .app=${this.app} entry=${keyOf('metric', id)} .params=${metric.params}></param-form>`
        : nothing
    }
    ${
      metric.needs.includes('imputer') && plan.imputers.includes(REFERENCE)
        ? html`<imputer-select
            brief
            .app=${this.app}
            .value=${plan.removal[id] ?? referenceImputer(metric)}
            label=${this.t.trust.removal}
            @imputer-change=${({ detail }: CustomEvent<string>) =>
              this.#plan({ removal: { ...plan.removal, [id]: detail } })}
          ></imputer-select>`
        : nothing
    }`;
  }

  /** How many fillings a score is the mean of, where one of the fillings planned is drawn at random. */
  #draws() {
    const t = this.t.report;
    const { plan, catalogue } = this.state;
    const random = columnsOf(this.state).some(
      (c) => c.imputer !== null && findImputer(catalogue, c.imputer)?.stochastic,
    );
    if (!random) return nothing;
    return html`<div class="field">
      <span class="label">
        <label for="draws">${t.draws}</label><info-pop label=${this.t.explainTerm(t.draws)}>${t.drawsNote}</info-pop>
      </span>
      <input
        id="draws"
        type="number"
        min="1"
        max=${MOST_DRAWS}
        step="1"
        .value=${String(plan.draws)}
        @change=${(event: Event) => {
          const box = event.target as HTMLInputElement;
          const draws = Math.round(Math.min(MOST_DRAWS, Math.max(1, box.valueAsNumber || 1)));
          box.value = String(draws);
          this.#plan({ draws });
        }}
      />
    </div>`;
  }

  #common() {
    const { plan, catalogue } = this.state;
    const t = this.t.report;
    const two = plan.metrics.some((id) => {
      const metric = findMetric(catalogue, id);
      return metric !== undefined && hasBothOrders(metric);
    });
    const rows = rowsOf(this.state);
    const size = rows.length * columnsOf(this.state).length;
    return html`<div class="wide stack">
      <div class="fields common">
        <div class="field">
          <span class="label">
            <label for="kind">${this.t.trust.quantity}</label><term-note .app=${this.app} term="logit"></term-note>
          </span>
          <select
            id="kind"
            @change=${(event: Event) =>
              this.#plan({ kind: (event.target as HTMLSelectElement).value as WireTargetKind })}
          >
            ${KINDS.map(
              (k) => html`<option value=${k} .selected=${k === plan.kind}>${this.t.answer.kinds[k]}</option>`,
            )}
          </select>
        </div>
        <div class="field">
          <span class="label"><label for="budget">${t.budget}</label></span>
          <input
            id="budget"
            type="number"
            min="0"
            step="1"
            .value=${String(plan.budget)}
            @change=${(event: Event) => {
              const box = event.target as HTMLInputElement;
              const seconds = box.value === '' ? INITIAL.plan.budget : Math.max(0, box.valueAsNumber);
              box.value = String(seconds);
              this.#plan({ budget: seconds });
            }}
          />
        </div>
        <seed-field .app=${this.app}></seed-field>
        ${this.#draws()}
      </div>
      ${
        two
          ? html`<div class="row">
              <label class="check">
                <input
                  type="checkbox"
                  .checked=${plan.bothOrders}
                  @change=${() => this.#plan({ bothOrders: !plan.bothOrders })}
                />
                <span>${t.bothOrders}</span>
              </label>
              <term-note .app=${this.app} term="order"></term-note>
            </div>`
          : nothing
      }
      <p class="small soft">${t.size(this.f.count(size))}</p>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'metric-plan': MetricPlan;
  }
}
