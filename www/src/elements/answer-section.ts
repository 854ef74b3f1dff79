import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { ClassScore, WireTargetKind } from '../protocol.gen.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './section-frame.js';
import './term-note.js';
import { vars } from './vars.js';

const TOP = 5;
const FOUND = 40;
const KINDS: readonly WireTargetKind[] = ['logit', 'probability', 'output'];

/** Step 2: what the network answers, and which class is to be explained. */
@customElement('answer-section')
export class AnswerSection extends AppElement {
  static override styles = [
    shared,
    css`
      .sentence {
        font-size: 1.1em;
        font-weight: 600;
        line-height: 1.35;
      }
      ol {
        display: grid;
        gap: 0.35em;
      }
      .class {
        position: relative;
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 0 0.8em;
        width: 100%;
        min-height: 2.5em;
        padding: 0.3em 0.7em 0.55em;
        border: 1px solid transparent;
        border-radius: 0.5em;
        background: none;
        text-align: start;
      }
      .class:hover {
        border-color: var(--edge);
      }
      .class[aria-pressed='true'] {
        border-color: var(--accent);
        background: var(--accent-soft);
        color: var(--ink);
        font-weight: 600;
      }
      .class .percent {
        font-variant-numeric: tabular-nums;
      }
      .bar {
        grid-column: 1 / -1;
        height: 0.35em;
        border-radius: 99em;
        background: var(--sunk);
        overflow: hidden;
      }
      .bar > span {
        display: block;
        width: max(2px, var(--share));
        height: 100%;
        background: var(--accent);
      }
      .found {
        max-height: 15em;
        overflow-y: auto;
        margin-top: 0.5em;
      }
    `,
  ];

  @state() private wanted = '';

  #choose(target: number): void {
    this.app.store.dispatch({ type: 'target', target });
  }

  protected override render() {
    const { answer, target } = this.state;
    return html`<section-frame number="2" heading=${this.t.sections.answer} lead=${this.t.leads.answer}>
      ${
        answer && target !== null
          ? html`<div class="stack">${this.#answer(answer, target)}</div>`
          : html`<p class="soft">${this.t.answer.waiting}</p>`
      }
    </section-frame>`;
  }

  #answer(answer: readonly ClassScore[], target: number) {
    const t = this.t.answer;
    const [first] = answer;
    const listed = answer.slice(0, TOP);
    const chosen = answer.findIndex((c) => c.class === target);
    const other = answer[chosen];
    if (other && chosen >= TOP) listed.push(other);
    return html`
      <p class="sentence">
        ${first ? t.sentence(first.label, this.f.percent(first.probability)) : nothing}
        <term-note .app=${this.app} term="probability"></term-note>
      </p>
      ${first && first.probability < 0.5 ? html`<p class="soft small">${t.unsure}</p>` : nothing}
      <div class="label">${t.list} <term-note .app=${this.app} term="target"></term-note></div>
      <ol aria-label=${t.list}>
        ${listed.map((c) => html`<li>${this.#class(c, target, answer.indexOf(c))}</li>`)}
      </ol>
      <details class="small">
        <summary>${t.search}</summary>
        ${this.#search(answer, target)}
      </details>
      <details class="small">
        <summary>${this.t.settings}</summary>
        ${this.#quantity()}
      </details>
    `;
  }

  #class(score: ClassScore, target: number, rank: number) {
    return html`<button
      class="class"
      type="button"
      aria-pressed=${score.class === target}
      @click=${() => this.#choose(score.class)}
    >
      <span>
        ${score.label}
        ${rank >= TOP ? html`<span class="soft">${this.t.answer.rank(this.f.count(rank + 1))}</span>` : nothing}
      </span>
      <span class="percent">${this.f.percent(score.probability)}</span>
      <span class="bar" aria-hidden="true"><span ${vars({ '--share': `${score.probability * 100}%` })}></span></span>
    </button>`;
  }

  #search(answer: readonly ClassScore[], target: number) {
    const t = this.t.answer;
    const needle = this.wanted.trim().toLocaleLowerCase();
    const hits = needle ? answer.filter((c) => c.label.toLocaleLowerCase().includes(needle)) : [];
    return html`<label class="field">
        <span class="label">${t.explainClass}</span>
        <input
          type="search"
          autocomplete="off"
          .value=${this.wanted}
          @input=${(event: Event) => (this.wanted = (event.target as HTMLInputElement).value)}
        />
      </label>
      <p class="soft" role="status">${needle ? t.matches(this.f.count(hits.length)) : nothing}</p>
      ${
        hits.length > 0
          ? html`<ol class="found">
              ${hits.slice(0, FOUND).map((c) => html`<li>${this.#class(c, target, answer.indexOf(c))}</li>`)}
            </ol>`
          : nothing
      }`;
  }

  #quantity() {
    const t = this.t.answer;
    return html`<div class="field">
      <span class="label">
        <label for="kind">${t.quantity}</label><term-note .app=${this.app} term="logit"></term-note>
      </span>
      <select
        id="kind"
        @change=${(event: Event) => {
          const targetKind = (event.target as HTMLSelectElement).value as WireTargetKind;
          this.app.store.dispatch({ type: 'set', settings: { targetKind } });
        }}
      >
        ${KINDS.map((k) => html`<option value=${k} .selected=${k === this.state.targetKind}>${t.kinds[k]}</option>`)}
      </select>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'answer-section': AnswerSection;
  }
}
