import { html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { findImputer, keyOf } from '../plan.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './param-form.js';
import './reference-note.js';
import './term-note.js';

/** Chooses how removed pixels are filled, with the filler's own parameters. Fires `imputer-change`. */
@customElement('imputer-select')
export class ImputerSelect extends AppElement {
  static override styles = [shared];

  @property() value = '';
  @property() label = '';
  /** Leaves out the explanation below, where several of these stand together. */
  @property({ type: Boolean }) brief = false;

  protected override render() {
    const { catalogue } = this.state;
    const chosen = findImputer(catalogue, this.value);
    return html`<div class="stack">
      <div class="field">
        <span class="label">
          <label for="imputer">${this.label}</label><term-note .app=${this.app} term="imputer"></term-note>
        </span>
        <select
          id="imputer"
          @change=${(event: Event) => {
            const detail = (event.target as HTMLSelectElement).value;
            this.dispatchEvent(new CustomEvent('imputer-change', { detail }));
          }}
        >
          ${catalogue?.imputers.map(
            (i) =>
              html`<option value=${i.id} .selected=${i.id === this.value}>${this.text('imputer', i).name}</option>`,
          )}
        </select>
      </div>
      ${
        chosen && !this.brief
          ? html`<div class="small">
              <p class="soft">
                ${this.text('imputer', chosen).summary} ${chosen.needsKept ? `(${this.t.trust.needsKept})` : nothing}
              </p>
              <reference-note .app=${this.app} .reference=${chosen.reference}></reference-note>
            </div>`
          : nothing
      }
      ${
        chosen && chosen.params.length > 0
          ? html`<param-form
              .app=${this.app}
              entry=${keyOf('imputer', chosen.id)}
              .params=${chosen.params}
            ></param-form>`
          : nothing
      }
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'imputer-select': ImputerSelect;
  }
}
