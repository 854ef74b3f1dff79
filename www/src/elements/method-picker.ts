import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { blocked, findMethod, keyOf } from '../plan.js';
import type { MethodEntry } from '../protocol.gen.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './imputer-select.js';
import './param-form.js';
import './reference-note.js';
import './seed-field.js';
import './term-note.js';

const FAMILIES = ['cam', 'gradient', 'perturbation', 'control'] as const;
type Family = (typeof FAMILIES)[number];

/** The methods by family, and what is known and can be set of the chosen one. */
@customElement('method-picker')
export class MethodPicker extends AppElement {
  static override styles = [
    shared,
    css`
      .families {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6em 2em;
      }
      .settings {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75em 1em;
      }
      .settings > * {
        flex: 1 1 12em;
        max-width: 34em;
      }
      .settings > .field {
        flex-grow: 0;
      }
      .chips {
        display: flex;
        flex-wrap: wrap;
        gap: 0.4em;
      }
      .chip {
        position: relative;
        display: inline-flex;
        align-items: center;
        min-height: 2.1em;
        padding: 0.15em 0.85em;
        border: 1px solid var(--edge);
        border-radius: 99em;
        cursor: pointer;
      }
      .chip input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        opacity: 0;
        cursor: inherit;
      }
      .chip:hover {
        border-color: var(--accent);
        color: var(--accent);
      }
      .chip:has(:checked) {
        border-color: var(--accent);
        background: var(--accent-soft);
        color: var(--ink);
        font-weight: 600;
      }
      .chip:has(:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .chip:has(:disabled) {
        border-style: dashed;
        color: var(--soft);
        cursor: not-allowed;
      }
      .about {
        display: grid;
        gap: 0.35em;
        padding: 0.9em 1.1em;
        border-radius: var(--radius);
        background: var(--sunk);
      }
    `,
  ];

  protected override render() {
    const { catalogue, offered } = this.state;
    const chosen = findMethod(this.state);
    const shown = catalogue?.methods.filter((m) => offered.length === 0 || offered.includes(m.id)) ?? [];
    return html`<div class="stack">
      <fieldset>
        <legend class="hidden-text">${this.t.why.method}</legend>
        <div class="families">
          ${FAMILIES.map((family) =>
            this.#family(
              family,
              shown.filter((m) => m.family === family),
            ),
          )}
        </div>
      </fieldset>
      ${chosen ? this.#about(chosen) : nothing}
    </div>`;
  }

  #family(family: Family, methods: readonly MethodEntry[]) {
    if (methods.length === 0) return nothing;
    return html`<div role="group" aria-labelledby=${family}>
      <div class="label">
        <span id=${family}>${this.t.why.families[family]}</span>
        ${family === 'control' ? html`<term-note .app=${this.app} term="control"></term-note>` : nothing}
      </div>
      <div class="chips">${methods.map((m) => this.#chip(m))}</div>
    </div>`;
  }

  #chip(method: MethodEntry) {
    const why = blocked(this.state, method) ? this.t.why.needsGradient : '';
    return html`<label class="chip" title=${why || nothing}>
      <input
        type="radio"
        name="method"
        value=${method.id}
        .checked=${method.id === this.state.method}
        ?disabled=${why !== ''}
        @change=${() => this.app.store.dispatch({ type: 'set', settings: { method: method.id } })}
      />
      ${this.text('method', method).name}${why ? html`<span class="hidden-text">, ${why}</span>` : nothing}
    </label>`;
  }

  #about(method: MethodEntry) {
    const { summary, caution } = this.text('method', method);
    return html`<div class="about">
        <p>${summary}</p>
        <p class="small soft"><strong>${this.t.caution}:</strong> ${caution}</p>
        <reference-note .app=${this.app} .reference=${method.reference}></reference-note>
      </div>
      ${this.#settings(method)}`;
  }

  #settings(method: MethodEntry) {
    const { store } = this.app;
    return html`<div class="settings">
      ${
        method.params.length > 0
          ? html`<param-form
              .app=${this.app}
              entry=${keyOf('method', method.id)}
              .params=${method.params}
            ></param-form>`
          : nothing
      }
      ${method.stochastic ? html`<seed-field class="field" .app=${this.app}></seed-field>` : nothing}
      ${
        method.needs.includes('imputer')
          ? html`<imputer-select
              .app=${this.app}
              .value=${this.state.removal}
              label=${this.t.why.removal}
              @imputer-change=${({ detail }: CustomEvent<string>) =>
                store.dispatch({ type: 'set', settings: { removal: detail } })}
            ></imputer-select>`
          : nothing
      }
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'method-picker': MethodPicker;
  }
}
