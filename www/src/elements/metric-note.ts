import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { findImputer } from '../plan.js';
import type { MetricEntry } from '../protocol.gen.js';
import type { Direction } from '../reading.js';
import { paramText } from '../i18n/index.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './info-pop.js';
import './reference-note.js';

/** Everything that is known of a metric, behind a question mark. */
@customElement('metric-note')
export class MetricNote extends AppElement {
  static override styles = [
    shared,
    css`
      :host {
        display: inline-block;
        line-height: 1;
      }
      strong {
        display: block;
        margin-bottom: 0.3em;
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0.15em 0.75em;
        margin-block: 0.6em;
        font-size: 0.95em;
      }
      dt {
        color: var(--soft);
      }
    `,
  ];

  @property({ attribute: false }) metric!: MetricEntry;
  /** Which way is better where it is not the metric's own. */
  @property() direction: Direction | '' = '';

  protected override render() {
    const { metric } = this;
    const t = this.t.report;
    const { name, summary, caution, range } = this.text('metric', metric);
    const imputer = findImputer(this.state.catalogue, metric.imputer);
    const key = `metric/${metric.id}`;
    const sensitive = metric.sensitive.map((s) => {
      const param = metric.params.find((p) => p.name === s);
      return param ? paramText(this.state.language, key, param).label : (t.needs[s] ?? s);
    });
    const facts: [string, string][] = [
      [t.facts.category, t.categories[metric.category] ?? metric.category],
      [t.facts.direction, this.t.trust[this.direction || (metric.direction as Direction)]],
      [t.facts.range, range],
      [t.facts.needs, this.f.list(metric.needs.map((need) => t.needs[need] ?? need))],
      [t.facts.imputer, imputer ? this.text('imputer', imputer).name : ''],
      [t.facts.sensitive, this.f.list(sensitive)],
    ];
    return html`<info-pop label=${this.t.explainTerm(name)}>
      <strong>${name}</strong>
      <p>${summary}</p>
      <dl>
        ${facts
          .filter(([, value]) => value !== '')
          .map(
            ([fact, value]) =>
              html`<dt>${fact}</dt>
                <dd>${value}</dd>`,
          )}
      </dl>
      ${metric.stochastic ? html`<p class="small soft">${t.facts.random}</p>` : nothing}
      <p class="small">${this.t.caution}: ${caution}</p>
      <reference-note .app=${this.app} .reference=${metric.reference}></reference-note>
    </info-pop>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'metric-note': MetricNote;
  }
}
