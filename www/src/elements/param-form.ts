import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { pieces } from '../docs.js';
import { paramText } from '../i18n/index.js';
import { defaultOf, fitting, refusedParam } from '../plan.js';
import type { WireParam, WireValue } from '../protocol.gen.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './info-pop.js';
import './layer-picker.js';
import type { LayerEvent } from './layer-picker.js';

/** Fields for the declared parameters of a registry entry. */
@customElement('param-form')
export class ParamForm extends AppElement {
  static override styles = [
    shared,
    css`
      .wide {
        grid-column: 1 / -1;
      }
      .refusal {
        color: var(--alarm);
        overflow-wrap: anywhere;
      }
    `,
  ];

  /** `registry/id` of the entry. */
  @property() entry = '';
  @property({ attribute: false }) params: readonly WireParam[] = [];

  /** What is wrong with a field whose text is no value at all. */
  @state() private empty: string | null = null;

  /** Takes a value over even if it is out of range: the engine then says so, beside the field. */
  #change(param: WireParam, value: WireValue): void {
    const changed = value === defaultOf(this.state, this.entry, param) ? undefined : value;
    this.app.store.dispatch({ type: 'param', id: this.entry, name: param.name, value: changed });
  }

  protected override updated(): void {
    this.app.controller.check(this.entry);
  }

  protected override render() {
    return html`<div class="fields">${this.params.map((p) => this.#field(p))}</div>`;
  }

  /** Why the value of a parameter is refused; in the engine's words where it has said so. */
  #refusal(param: WireParam, value: WireValue): { readonly text: string; readonly lang: string } | null {
    const own = this.state.language;
    if (this.empty === param.name) return { text: this.t.guide.refusedEmpty, lang: own };
    const cost = this.state.costs[this.entry];
    if (refusedParam(this.params, cost) === param.name) return { text: cost?.refusal?.message ?? '', lang: 'en' };
    if (fitting(param, value) !== undefined) return null;
    const [low, high] = [param.min ?? 0, param.max ?? 0].map((v) => this.f.number(v));
    return { text: this.t.guide.refusedValue(low ?? '', high ?? ''), lang: own };
  }

  #field(param: WireParam) {
    const { label, doc } = paramText(this.state.language, this.entry, param);
    const range =
      param.min !== null && param.max !== null ? ` (${this.f.number(param.min)} – ${this.f.number(param.max)})` : '';
    const value = this.state.params[this.entry]?.[param.name] ?? defaultOf(this.state, this.entry, param);
    const refusal = this.#refusal(param, value);
    return html`<div class="field ${param.kind === 'layer' ? 'wide' : ''}">
      <span class="label">
        ${param.kind === 'layer' ? html`<span>${label}</span>` : html`<label for=${param.name}>${label}</label>`}
        ${doc ? html`<info-pop label=${this.t.explainTerm(label)}><p>${pieces(doc).map((piece) => (piece.kind === 'code' ? html`<code>${piece.text}</code>` : piece.text))}${range}</p></info-pop>` : nothing}
      </span>
      ${this.#control(param, value, label, refusal !== null)}
      <span id="refusal-${param.name}" class="small refusal" role="status" lang=${refusal?.lang ?? nothing}
        >${refusal?.text ?? ''}</span
      >
    </div>`;
  }

  #control(param: WireParam, value: WireValue, label: string, refused: boolean) {
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
        return html`<layer-picker
          .app=${this.app}
          .value=${String(value)}
          label=${label}
          @layer-change=${({ detail }: LayerEvent) => this.#change(param, detail)}
        ></layer-picker>`;
      default:
        return html`<input
          id=${name}
          type="number"
          min=${param.min ?? nothing}
          max=${param.max ?? nothing}
          step=${param.kind === 'integer' ? 1 : 'any'}
          .value=${String(value)}
          aria-invalid=${refused}
          aria-describedby="refusal-${name}"
          @change=${(event: Event) => {
            const number = (event.target as HTMLInputElement).valueAsNumber;
            this.empty = Number.isFinite(number) ? null : name;
            if (Number.isFinite(number)) this.#change(param, number);
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
}

declare global {
  interface HTMLElementTagNameMap {
    'param-form': ParamForm;
  }
}
