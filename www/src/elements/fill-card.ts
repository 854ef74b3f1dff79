import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { findImputer, keyOf } from '../plan.js';
import { probabilityOf, spreadOf, type Draw, type Filled } from '../removal/bench.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

import './gauge-list.js';
import './param-form.js';
import './prepared-view.js';
import './provenance-list.js';
import { vars } from './vars.js';

/** One imputer's filling: the picture, the network's answer to it, how far it is from what the network knows. */
@customElement('fill-card')
export class FillCard extends AppElement {
  static override styles = [
    shared,
    css`
      article {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.45em;
      }
      h4 {
        margin: 0;
        font-size: 0.95em;
        font-weight: 650;
        line-height: 1.3;
      }
      :host([wide]) {
        grid-column: 1 / -1;
      }
      :host([wide]) article {
        padding: 1em;
        border-radius: var(--radius);
        background: var(--sunk);
      }
      .blank {
        display: grid;
        place-items: center;
        aspect-ratio: 1;
        padding: 0.5em;
        border-radius: var(--radius);
        background: var(--sunk);
        text-align: center;
        overflow-wrap: anywhere;
      }
      .failed {
        align-content: center;
        color: var(--alarm);
      }
      .answer {
        line-height: 1.35;
      }
      .changed {
        color: var(--alarm);
        font-weight: 600;
      }
      .track {
        position: relative;
        display: block;
        height: 0.45em;
        border-radius: 99em;
        background: var(--line);
      }
      .track > span {
        display: block;
        width: max(2px, var(--now));
        height: 100%;
        border-radius: inherit;
        background: var(--accent);
      }
      .track::after {
        content: '';
        position: absolute;
        left: calc(var(--before) - 1px);
        top: -0.2em;
        bottom: -0.2em;
        width: 2px;
        background: var(--ink);
      }
      .body {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1em 1.5em;
      }
      .open > .picture {
        max-width: 26em;
      }
      @media (min-width: 52rem) {
        .open {
          grid-template-columns: minmax(0, 24em) minmax(0, 1fr);
        }
      }
      .picture {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.45em;
        align-content: start;
      }
      .more {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1em;
        align-content: start;
      }
      .strip {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(5.5em, 1fr));
        gap: 0.6em;
      }
      .strip li {
        display: grid;
        gap: 0.2em;
      }
      .facts {
        min-height: 1.4em;
      }
      a {
        color: var(--accent);
        text-underline-offset: 0.15em;
      }
      h5 {
        margin: 0;
        font-size: 1em;
        font-weight: 650;
      }
      .more > button {
        justify-self: start;
      }
      button.open-close {
        justify-self: start;
        min-height: 1.9em;
        padding: 0.1em 0.7em;
        font-size: 0.85em;
      }
    `,
  ];

  @property({ attribute: false }) filled!: Filled;
  @state() private open = false;

  protected override render() {
    const t = this.t.removal.fills;
    const { filled } = this;
    const entry = findImputer(this.state.catalogue, filled.imputer);
    const name = entry ? this.text('imputer', entry).name : filled.imputer;
    const [first] = filled.draws;
    this.toggleAttribute('wide', this.open);
    return html`<article aria-label=${name} aria-busy=${filled.state === 'running'}>
      <h4>${name}</h4>
      <div class="body ${this.open ? 'open' : ''}">
        <div class="picture">
          ${first ? this.#picture(first, name) : this.#blank()} ${first ? this.#answer(filled.draws) : nothing}
          <p class="small soft facts">
            ${filled.state === 'done' ? this.f.duration(filled.seconds) : nothing}
            ${filled.draws.length > 1 ? t.drawn(filled.draws.length) : nothing}
          </p>
          ${
            filled.state === 'done' || filled.state === 'failed'
              ? html`<button
                  class="open-close"
                  type="button"
                  aria-expanded=${this.open}
                  @click=${() => (this.open = !this.open)}
                >
                  ${this.open ? t.less : t.more}<span class="hidden-text">: ${name}</span>
                </button>`
              : nothing
          }
        </div>
        ${this.open ? this.#more() : nothing}
      </div>
    </article>`;
  }

  #blank() {
    const t = this.t.removal.fills;
    const { state, error } = this.filled;
    if (state === 'failed') {
      return html`<div class="blank failed small" role="alert" lang="en">${error?.message ?? ''}</div>`;
    }
    const words = { waiting: t.waiting, running: t.running, left: t.left, done: '' }[state];
    return html`<div class="blank small soft">${words}</div>`;
  }

  #picture({ rgba }: Draw, name: string) {
    const { prepared } = this.state;
    if (!prepared) return nothing;
    return html`<prepared-view
      .prepared=${{ ...prepared, rgba }}
      alt=${this.t.removal.fills.alt(name)}
    ></prepared-view>`;
  }

  /** The top answer, and the probability of the class looked at, as it was and as it is. */
  #answer(draws: readonly Draw[]) {
    const t = this.t.removal.fills;
    const { target } = this.filled;
    const before = probabilityOf(this.state.answer, target);
    const values = draws.flatMap((d) => probabilityOf(d.answer, target) ?? []);
    const top = draws[0]?.answer[0];
    if (!top || before === null || values.length === 0) return nothing;
    const { mean, deviation } = spreadOf(values);
    const label = this.state.answer?.find((c) => c.class === target)?.label ?? '';
    const was = this.state.answer?.[0];
    const changed = draws.filter((d) => d.answer[0]?.class !== was?.class).length;
    const verdict =
      changed === 0
        ? html`<span class="soft">${t.same}</span>`
        : html`<span class="changed">${draws.length > 1 ? t.changedOf(changed, draws.length) : t.changed}</span>`;
    return html`<p class="small answer">
        <strong>${top.label}</strong> ${this.f.percent(top.probability)} <br />${verdict}
      </p>
      <p class="small">
        <span class="soft">${label}:</span> ${this.f.percent(before)} → ${this.f.percent(mean)}
        ${values.length > 1 ? html`<span class="soft">± ${this.f.percent(deviation)}</span>` : nothing}
        <span class="track" aria-hidden="true" ${vars({ '--now': `${100 * mean}%`, '--before': `${100 * before}%` })}>
          <span></span>
        </span>
      </p>`;
  }

  #more() {
    const t = this.t.removal.fills;
    const { filled } = this;
    const entry = findImputer(this.state.catalogue, filled.imputer);
    return html`<div class="more small">
      ${entry ? html`<p>${this.text('imputer', entry).summary}</p>` : nothing}
      ${
        filled.gauges.length > 0
          ? html`<gauge-list .app=${this.app} .gauges=${filled.gauges} .draws=${filled.draws.length}></gauge-list>`
          : nothing
      }
      ${filled.draws.length > 1 ? this.#strip() : nothing}
      ${
        entry && entry.params.length > 0
          ? html`<param-form .app=${this.app} entry=${keyOf('imputer', entry.id)} .params=${entry.params}></param-form>
              <button
                type="button"
                ?disabled=${this.state.work !== null}
                @click=${() => void this.app.controller.bench.fill(entry.id)}
              >
                ${t.again}
              </button>`
          : nothing
      }
      ${
        filled.provenance
          ? html`<details>
              <summary>${this.t.provenanceShort}</summary>
              <provenance-list .app=${this.app} .provenance=${filled.provenance}></provenance-list>
            </details>`
          : nothing
      }
      ${entry ? this.link({ registry: 'imputer', id: entry.id }, this.t.guide.about(this.text('imputer', entry).name)) : nothing}
    </div>`;
  }

  /** All draws small, each with its answer, so that one sees how far they lie apart. */
  #strip() {
    const t = this.t.removal.fills;
    const { filled } = this;
    const { prepared } = this.state;
    if (!prepared) return nothing;
    const label = this.state.answer?.find((c) => c.class === filled.target)?.label ?? '';
    return html`<div class="stack">
      <h5>${t.strip(filled.draws.length)}</h5>
      <ul class="strip">
        ${filled.draws.map((draw) => {
          const probability = probabilityOf(draw.answer, filled.target);
          return html`<li>
            <prepared-view .prepared=${{ ...prepared, rgba: draw.rgba }} alt=${t.drawAlt(draw.seed)}></prepared-view>
            <span>${probability === null ? nothing : html`${label} ${this.f.percent(probability)}`}</span>
          </li>`;
        })}
      </ul>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'fill-card': FillCard;
  }
}
