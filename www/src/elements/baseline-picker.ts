import { html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { baselineOf } from '../plan.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** The picture that a method compares with: another sample of the network, or an own file. */
@customElement('baseline-picker')
export class BaselinePicker extends AppElement {
  static override styles = [shared];

  #choose(name: string): void {
    this.app.store.dispatch({ type: 'set', settings: { baseline: { name, file: null } } });
  }

  #open(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) this.app.store.dispatch({ type: 'set', settings: { baseline: { name: file.name, file } } });
    input.value = '';
  }

  protected override render() {
    const t = this.t.why;
    const chosen = baselineOf(this.state);
    const samples = (entryOf(this.state)?.card.sample ?? []).filter((s) => s.file !== this.state.picture?.sample);
    const option = (value: string, label: string) =>
      html`<option value=${value} .selected=${value === chosen?.name}>${label}</option>`;
    return html`<div class="fields">
      <div class="field">
        <label class="label" for="baseline">${t.baseline}</label>
        <select
          id="baseline"
          ?disabled=${samples.length === 0 && !chosen}
          @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}
        >
          ${chosen?.file ? option(chosen.name, chosen.name) : nothing} ${samples.map((s) => option(s.file, s.label))}
        </select>
      </div>
      <label class="field">
        <span class="label">${t.baselineOwn}</span>
        <input type="file" accept="image/*" @change=${(event: Event) => this.#open(event)} />
      </label>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'baseline-picker': BaselinePicker;
  }
}
