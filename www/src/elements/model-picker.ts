import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** Chooses a bundled network, a loaded own one, or opens a file. */
@customElement('model-picker')
export class ModelPicker extends AppElement {
  static override styles = [
    shared,
    css`
      .line {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5em;
        align-items: end;
      }
      .line .field {
        flex: 1 1 11em;
      }
      .button:focus-within {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
    `,
  ];

  #choose(event: Event): void {
    void this.app.controller.chooseModel((event.target as HTMLSelectElement).value);
  }

  #open(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) void this.app.controller.openNetwork(file);
    input.value = '';
  }

  protected override render() {
    const { models, modelId, model } = this.state;
    const t = this.t.model;
    const entry = entryOf(this.state);
    const size = model ? model.dims.join(' × ') : '';
    return html`<div class="stack">
      <div class="line">
        <label class="field">
          <span class="label">${t.network}</span>
          <select @change=${this.#choose}>
            ${models.map(
              ({ card }) => html`<option value=${card.id} .selected=${card.id === modelId}>${card.name}</option>`,
            )}
          </select>
        </label>
        <label class="button">
          ${t.own}<input class="hidden-text" type="file" accept=".onnx" @change=${this.#open} />
        </label>
      </div>
      ${
        model && entry
          ? html`<p class="soft small">
              <span lang="en">${entry.card.summary}</span> ${t.facts(this.f.count(model.classes), size)}.
            </p>`
          : nothing
      }
      ${
        model?.gradientError
          ? html`<p class="small">${t.noGradient} <span lang="en">${model.gradientError.message}</span></p>`
          : nothing
      }
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'model-picker': ModelPicker;
  }
}
