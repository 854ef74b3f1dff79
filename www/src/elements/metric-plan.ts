import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { imputerOfPaper, keyOf } from '../plan.js';
import type { MetricEntry, WireTargetKind } from '../protocol.gen.js';
import type { ScorePlan } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './imputer-select.js';
import './info-pop.js';
import './param-form.js';
import './reference-note.js';
import './seed-field.js';
import './term-note.js';

/** The choice "as each metric's paper". */
const PAPER = '';
const KINDS: readonly WireTargetKind[] = ['probability', 'logit'];

/** Which metrics, with which removal and parameters. */
@customElement('metric-plan')
export class MetricPlan extends AppElement {
  static override styles = [
    shared,
    css`
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 17em), 1fr));
        gap: 0.6em 1.25em;
        align-items: start;
      }
      li {
        min-width: 0;
      }
      .common {
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 14em), 1fr));
        max-width: 60em;
      }
      .check {
        font-weight: 600;
      }
      .settings {
        display: grid;
        gap: 0.75em;
        padding: 0.75em;
        border-radius: 0.6em;
        background: var(--sunk);
      }
    `,
  ];

  #plan(plan: Partial<ScorePlan>): void {
    this.app.store.dispatch({ type: 'plan', plan });
  }

  /** The removal that all metrics share, or `PAPER`. */
  #common(): string {
    const { plan, catalogue } = this.state;
    const ids = new Set(catalogue?.metrics.filter((m) => m.needs.includes('imputer')).map((m) => plan.removal[m.id] ?? PAPER));
    return ids.size === 1 ? ([...ids][0] ?? PAPER) : PAPER;
  }

  #setAll(imputer: string): void {
    const metrics = this.state.catalogue?.metrics ?? [];
    this.#plan({ removal: imputer === PAPER ? {} : Object.fromEntries(metrics.map((m) => [m.id, imputer])) });
  }

  protected override render() {
    const { catalogue, plan } = this.state;
    const t = this.t.trust;
    return html`<div class="stack">
      <fieldset>
        <legend class="label">${t.metrics} <term-note .app=${this.app} term="faithfulness"></term-note></legend>
        <ul>
          ${catalogue?.metrics.map((m) => html`<li>${this.#metric(m)}</li>`)}
        </ul>
      </fieldset>
      <div class="fields common">
        <div class="field">
          <span class="label">
            <label for="removal">${t.removalAll}</label><term-note .app=${this.app} term="imputer"></term-note>
          </span>
          <select id="removal" @change=${(event: Event) => this.#setAll((event.target as HTMLSelectElement).value)}>
            ${[
              [PAPER, t.asPaper] as const,
              ...(catalogue?.imputers.map((i) => [i.id, this.text('imputer', i).name] as const) ?? []),
            ].map(([id, name]) => html`<option value=${id} .selected=${id === this.#common()}>${name}</option>`)}
          </select>
        </div>
        <div class="field">
          <span class="label">
            <label for="kind">${t.quantity}</label><term-note .app=${this.app} term="logit"></term-note>
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
        <seed-field .app=${this.app}></seed-field>
      </div>
    </div>`;
  }

  #metric(metric: MetricEntry) {
    const { plan } = this.state;
    const { name, summary, caution, range } = this.text('metric', metric);
    const on = plan.metrics.includes(metric.id);
    const toggle = () =>
      this.#plan({ metrics: on ? plan.metrics.filter((m) => m !== metric.id) : [...plan.metrics, metric.id] });
    return html`<div class="row">
        <label class="check"><input type="checkbox" .checked=${on} @change=${toggle} /> ${name}</label>
        <info-pop label=${this.t.explainTerm(name)}>
          <p>${summary}</p>
          <p><strong>${this.t.caution}:</strong> ${caution}</p>
          <p class="soft">${range}</p>
          <reference-note .app=${this.app} .reference=${metric.reference}></reference-note>
        </info-pop>
      </div>
      <p class="small soft">${summary}</p>
      ${
        on
          ? html`<details class="small">
              <summary>${this.t.settings}</summary>
              <div class="settings">${this.#settings(metric)}</div>
            </details>`
          : nothing
      }`;
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
      metric.needs.includes('imputer')
        ? html`<imputer-select
            brief
            .app=${this.app}
            .value=${plan.removal[id] ?? imputerOfPaper(id)}
            label=${this.t.trust.removal}
            @imputer-change=${({ detail }: CustomEvent<string>) =>
              this.#plan({ removal: { ...plan.removal, [id]: detail } })}
          ></imputer-select>`
        : nothing
    }`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'metric-plan': MetricPlan;
  }
}
