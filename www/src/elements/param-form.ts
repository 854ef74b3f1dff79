import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { paramText } from '../i18n/index.js';
import { defaultOf, fitting } from '../plan.js';
import type { WireParam, WireValue } from '../protocol.gen.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './info-pop.js';

/** Fields for the declared parameters of a registry entry. */
@customElement('param-form')
export class ParamForm extends AppElement {
  static override styles = [
    shared,
    css`
      .wide {
        grid-column: 1 / -1;
      }
    `,
  ];

  /** `registry/id` of the entry. */
  @property() entry = '';
  @property({ attribute: false }) params: readonly WireParam[] = [];

  #change(param: WireParam, value: WireValue): void {
    const fits = fitting(param, value);
    const changed = fits === defaultOf(this.state, this.entry, param) ? undefined : fits;
    this.app.store.dispatch({ type: 'param', id: this.entry, name: param.name, value: changed });
  }

  protected override render() {
    return html`<div class="fields">${this.params.map((p) => this.#field(p))}</div>`;
  }

  #field(param: WireParam) {
    const { label, doc } = paramText(this.state.language, this.entry, param);
    const range =
      param.min !== null && param.max !== null ? ` (${this.f.number(param.min)} – ${this.f.number(param.max)})` : '';
    return html`<div class="field ${param.kind === 'layer' ? 'wide' : ''}">
      <span class="label">
        <label for=${param.name}>${label}</label>
        ${doc ? html`<info-pop label=${this.t.explainTerm(label)}><p>${doc}${range}</p></info-pop>` : nothing}
      </span>
      ${this.#control(param, this.state.params[this.entry]?.[param.name] ?? defaultOf(this.state, this.entry, param))}
    </div>`;
  }

  #control(param: WireParam, value: WireValue) {
    const { name } = param;
    switch (param.kind) {
      case 'flag':
        return html`<input
          id=${name}
          type="checkbox"
          .checked=${value === true}
          @change=${(event: Event) => this.#change(param, (event.target as HTMLInputElement).checked)}
        />`;
      case 'choice':
        return this.#select(
          param,
          param.choices.map((c) => [c, this.t.choiceNames[c] ?? c]),
          String(value),
        );
      case 'layer':
        return this.#layers(param, String(value));
      default:
        return html`<input
          id=${name}
          type="number"
          min=${param.min ?? nothing}
          max=${param.max ?? nothing}
          step=${param.kind === 'integer' ? 1 : 'any'}
          .value=${String(value)}
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement;
            const number = input.valueAsNumber;
            if (fitting(param, number) === undefined) input.value = String(value);
            else this.#change(param, number);
          }}
        />`;
    }
  }

  #select(param: WireParam, options: readonly (readonly [string, string])[], value: string) {
    return html`<select
      id=${param.name}
      @change=${(event: Event) => this.#change(param, (event.target as HTMLSelectElement).value)}
    >
      ${options.map(([id, text]) => html`<option value=${id} .selected=${id === value}>${text}</option>`)}
    </select>`;
  }

  #layers(param: WireParam, value: string) {
    const { model } = this.state;
    const layers = model?.layers ?? [];
    const names = new Set(layers.map((l) => l.name));
    const recommended = (entryOf(this.state)?.card.layers.explain ?? []).filter((name) => names.has(name));
    const normal = model === null || model.defaultLayer === null ? '' : (layers[model.defaultLayer]?.name ?? '');
    const option = (name: string, text: string) =>
      html`<option value=${name} .selected=${name === value}>${text}</option>`;
    return html`<select
      id=${param.name}
      @change=${(event: Event) => this.#change(param, (event.target as HTMLSelectElement).value)}
    >
      ${option('', this.t.why.layerDefault(normal))}
      ${
        recommended.length > 0
          ? html`<optgroup label=${this.t.why.layerCard}>${recommended.map((name) => option(name, name))}</optgroup>`
          : nothing
      }
      <optgroup label=${this.t.why.layerAll}>
        ${layers.map((l) => option(l.name, `${l.name} · ${l.op} ${l.shape.join('×')}`))}
      </optgroup>
    </select>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'param-form': ParamForm;
  }
}
