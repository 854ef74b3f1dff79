import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { parseNumbers, PRESET_IDS, presetOf, withLayout, withPreset, type PresetId } from '../card-edit.js';
import type { Interpolation, Layout, ModelCard, Preprocessing, ResizeMode } from '../protocol.gen.js';
import type { Draft } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** The form for a network of the visitor's own: what was inferred, editable. */
@customElement('own-model')
export class OwnModel extends AppElement {
  static override styles = [
    shared,
    css`
      form {
        display: grid;
        gap: 0.9em;
        padding: 1em;
        border: 1px solid var(--accent);
        border-radius: var(--radius);
      }
      li {
        list-style: disc;
        margin-inline-start: 1.2em;
        overflow-wrap: anywhere;
      }
    `,
  ];

  /** Fields that hold no usable numbers. */
  @state() private wrong: ReadonlySet<string> = new Set();

  #edit(draft: Draft, card: ModelCard): void {
    this.app.store.dispatch({ type: 'draft', draft: { ...draft, card } });
  }

  #prepare(draft: Draft, change: Partial<Preprocessing>): void {
    this.#edit(draft, { ...draft.card, preprocessing: { ...draft.card.preprocessing, ...change } });
  }

  #numbers(name: string, text: string, use: (numbers: number[]) => void): void {
    const numbers = parseNumbers(text);
    const wrong = new Set(this.wrong);
    if (numbers) wrong.delete(name);
    else wrong.add(name);
    this.wrong = wrong;
    if (numbers) use(numbers);
  }

  protected override render() {
    const { draft } = this.state;
    this.toggleAttribute('empty', draft === null);
    if (!draft) return nothing;
    const t = this.t.draft;
    const { inspected, card } = draft;
    const megabytes = `${this.f.number(draft.bytes.length / 2 ** 20)} MiB`;
    const facts = t.facts(this.f.count(inspected.nodes), String(inspected.opset), megabytes);
    return html`<form
      aria-label=${t.title}
      @submit=${(event: Event) => {
        event.preventDefault();
        if (this.wrong.size === 0) void this.app.controller.loadDraft(draft);
      }}
    >
      <h3>${card.name} <span class="soft small">${facts}</span></h3>
      <p class="small soft">${t.lead}</p>
      <div class="fields">${this.#network(draft)} ${this.#values(draft)} ${this.#size(draft)} ${this.#labels()}</div>
      <details class="small">
        <summary>${t.reasons}</summary>
        <ul lang="en">
          ${inspected.reasons.map((r) => html`<li>${r}</li>`)}
        </ul>
        <p class="soft">${t.inputs}: ${inspected.inputs.join('; ')}</p>
      </details>
      <div class="row">
        <button class="primary" type="submit">${t.load}</button>
        <button type="button" @click=${() => this.app.store.dispatch({ type: 'draft', draft: null })}>
          ${this.t.cancel}
        </button>
      </div>
    </form>`;
  }

  #network(draft: Draft) {
    const t = this.t.draft;
    const { card, inspected } = draft;
    const heads = Object.entries<string>(t.heads);
    const set = (change: Partial<ModelCard>) => this.#edit(draft, { ...card, ...change });
    return [
      this.#text('name', t.name, card.name, (name) => set({ name: name.trim() || card.name })),
      this.#select(
        t.layout,
        card.input.layout,
        [
          ['nchw', 'N C H W'],
          ['nhwc', 'N H W C'],
        ],
        (v) => this.#edit(draft, withLayout(card, v as Layout)),
      ),
      this.#text('shape', t.shape, card.input.shape.join(' '), (v) =>
        this.#numbers('shape', v, (shape) => set({ input: { ...card.input, shape } })),
      ),
      inspected.outputs.length > 1
        ? this.#select(
            t.output,
            card.output.name,
            inspected.outputs.map((o) => [o, o]),
            (name) => set({ output: { ...card.output, name } }),
          )
        : nothing,
      this.#select(t.head, card.output.head || 'auto', heads, (head) => set({ output: { ...card.output, head } })),
    ];
  }

  #values(draft: Draft) {
    const t = this.t.draft;
    const { mean, std } = draft.card.preprocessing;
    const presets: [string, string][] = [...PRESET_IDS, 'custom' as const].map((id) => [id, t.presets[id]]);
    return [
      this.#select(t.preset, presetOf(draft.card) ?? 'custom', presets, (id) => {
        if (id !== 'custom') this.#edit(draft, withPreset(draft.card, id as PresetId));
      }),
      this.#text('mean', t.mean, mean.map((v) => +v.toFixed(6)).join(' '), (v) =>
        this.#numbers('mean', v, (numbers) => this.#prepare(draft, { mean: numbers })),
      ),
      this.#text('std', t.std, std.map((v) => +v.toFixed(6)).join(' '), (v) =>
        this.#numbers('std', v, (numbers) => this.#prepare(draft, { std: numbers })),
      ),
    ];
  }

  #size(draft: Draft) {
    const t = this.t.draft;
    const { resize, interpolation, size, crop } = draft.card.preprocessing;
    const whole = (name: 'size' | 'crop', label: string, value: number) =>
      this.#text(name, label, String(value), (v) =>
        this.#numbers(name, v, ([n = 0]) => this.#prepare(draft, { [name]: Math.max(0, Math.round(n)) })),
      );
    return [
      this.#select(t.resize, resize, Object.entries(t.resizes), (v) =>
        this.#prepare(draft, { resize: v as ResizeMode }),
      ),
      this.#select(t.interpolation, interpolation, Object.entries(t.interpolations), (v) =>
        this.#prepare(draft, { interpolation: v as Interpolation }),
      ),
      resize === 'shorter-side' ? whole('size', t.size, size) : nothing,
      resize === 'shorter-side' ? whole('crop', t.crop, crop) : nothing,
    ];
  }

  #labels() {
    const t = this.t.draft;
    const count = this.state.draft?.labels.length ?? 0;
    return html`<label class="field">
      <span class="label">${t.labels}</span>
      <input
        type="file"
        accept=".txt,.csv,text/plain"
        @change=${(event: Event) => {
          const file = (event.target as HTMLInputElement).files?.[0];
          if (file) void this.app.controller.openLabels(file);
        }}
      />
      ${count > 0 ? html`<span class="small">${t.labelsRead(this.f.count(count))}</span>` : nothing}
    </label>`;
  }

  #text(name: string, label: string, value: string, change: (value: string) => void) {
    const wrong = this.wrong.has(name);
    return html`<label class="field">
      <span class="label">${label}</span>
      <input
        type="text"
        .value=${value}
        aria-invalid=${wrong}
        aria-describedby=${wrong ? `${name}-wrong` : nothing}
        @change=${(event: Event) => change((event.target as HTMLInputElement).value)}
      />
      ${wrong ? html`<span class="small" role="alert" id="${name}-wrong">${this.t.draft.badNumbers}</span>` : nothing}
    </label>`;
  }

  #select(
    label: string,
    value: string,
    options: readonly (readonly [string, string])[],
    change: (value: string) => void,
  ) {
    return html`<label class="field">
      <span class="label">${label}</span>
      <select @change=${(event: Event) => change((event.target as HTMLSelectElement).value)}>
        ${options.map(([id, name]) => html`<option value=${id} .selected=${id === value}>${name}</option>`)}
      </select>
    </label>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'own-model': OwnModel;
  }
}
