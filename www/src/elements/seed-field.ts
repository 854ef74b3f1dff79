import { html } from 'lit';
import { customElement } from 'lit/decorators.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './term-note.js';

const LARGEST = 0xffffffff;

/** The seed of everything that draws random numbers. */
@customElement('seed-field')
export class SeedField extends AppElement {
  static override styles = [shared];

  #change(event: Event): void {
    const seed = (event.target as HTMLInputElement).valueAsNumber;
    if (Number.isInteger(seed) && seed >= 0 && seed <= LARGEST) {
      this.app.store.dispatch({ type: 'set', settings: { seed } });
    } else {
      (event.target as HTMLInputElement).value = String(this.state.seed);
    }
  }

  protected override render() {
    return html`<div class="field">
      <span class="label">
        <label for="seed">${this.t.why.seed}</label><term-note .app=${this.app} term="seed"></term-note>
      </span>
      <input
        id="seed"
        type="number"
        min="0"
        max=${LARGEST}
        step="1"
        .value=${String(this.state.seed)}
        @change=${this.#change}
      />
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'seed-field': SeedField;
  }
}
