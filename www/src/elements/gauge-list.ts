import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { CriterionEntry, Gauge } from '../protocol.gen.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './info-pop.js';
import './reference-note.js';

/** What the criteria say of a filling, each with its question, its better end, and why it has no value where it has none. */
@customElement('gauge-list')
export class GaugeList extends AppElement {
  static override styles = [
    shared,
    css`
      h5 {
        margin: 0 0 0.4em;
        font-size: 1em;
        font-weight: 650;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 17em), 1fr));
        gap: 0.7em 1.5em;
      }
      li {
        padding-top: 0.35em;
        border-top: 1px solid var(--line);
      }
      .head {
        display: flex;
        align-items: center;
        gap: 0.35em;
      }
      .value {
        margin-inline-start: auto;
        font-weight: 650;
        font-variant-numeric: tabular-nums;
      }
      .none {
        font-weight: 400;
        color: var(--soft);
      }
      info-pop p + p {
        margin-top: 0.4em;
      }
    `,
  ];

  @property({ attribute: false }) gauges: readonly Gauge[] = [];
  /** Fillings that the values are means of. */
  @property({ type: Number }) draws = 1;

  protected override render() {
    const t = this.t.removal.gauges;
    const { catalogue } = this.state;
    return html`<h5>${t.title}</h5>
      ${this.draws > 1 ? html`<p class="soft">${t.over(this.draws)}</p>` : nothing}
      <ul>
        ${this.gauges.map((gauge) => {
          const entry = catalogue?.criteria.find((c) => c.id === gauge.id);
          return entry ? this.#gauge(entry, gauge) : nothing;
        })}
      </ul>`;
  }

  #gauge(entry: CriterionEntry, { value, undefined: why }: Gauge) {
    const t = this.t.removal.gauges;
    const { name, summary, range } = this.text('criterion', entry);
    const arrow = { lower: '↓', higher: '↑' }[entry.better] ?? '';
    const direction = { lower: t.lower, higher: t.higher }[entry.better] ?? t.neither;
    return html`<li>
      <div class="head">
        <span>${name}</span>
        <info-pop label=${this.t.explainTerm(name)}>
          <p>${range}</p>
          <p lang="en"><code>${entry.formula}</code></p>
          <reference-note .app=${this.app} .reference=${entry.reference}></reference-note>
        </info-pop>
        <span class="value ${value === null ? 'none' : ''}"> ${value === null ? t.none : this.f.number(value)} </span>
      </div>
      <p class="soft">${summary} <span aria-hidden="true">${arrow}</span> ${direction}.</p>
      ${why ? html`<p class="soft" lang="en">${why}</p>` : nothing}
    </li>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'gauge-list': GaugeList;
  }
}
