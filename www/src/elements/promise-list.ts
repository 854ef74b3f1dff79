import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { MethodEntry } from '../protocol.gen.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './info-pop.js';

/** What a method needs and what it promises. */
@customElement('promise-list')
export class PromiseList extends AppElement {
  static override styles = [
    shared,
    css`
      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 0.1em 1.5em;
        font-size: 0.85em;
      }
      div {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0.4em;
      }
      dt {
        color: var(--soft);
      }
    `,
  ];

  @property({ attribute: false }) method!: MethodEntry;

  protected override render() {
    const t = this.t.guide;
    const { needs, axioms, stochastic, signed } = this.method;
    return html`<dl>
      <div>
        <dt>${t.needsTitle}</dt>
        <dd>${needs.length > 0 ? this.f.list(needs.map((n) => t.needs[n] ?? n)) : t.needsNothing}</dd>
      </div>
      ${
        axioms.length > 0
          ? html`<div>
              <dt>${t.axiomsTitle}</dt>
              <dd>
                ${axioms.map((id, k) => {
                  const [name, about] = t.axioms[id] ?? [id, ''];
                  return html`${k > 0 ? ' ' : nothing}<info-pop labelled label=${this.t.explainTerm(name)}
                      ><span slot="label">${name}</span>
                      <p>${about}</p></info-pop
                    >`;
                })}
              </dd>
            </div>`
          : nothing
      }
      <div>
        <dd class="soft">${[signed ? t.signed : t.unsigned, ...(stochastic ? [t.random] : [])].join(' · ')}</dd>
      </div>
    </dl>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'promise-list': PromiseList;
  }
}
