import { css, html, nothing, svg, type PropertyValues } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { findLayers, kindOf, outline, type Outline, type OutlineRow } from '../outline.js';
import type { LayerInfo } from '../protocol.gen.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

export type LayerEvent = CustomEvent<string>;

/** Height of a row and distance of two lanes, in units of the drawing. */
const ROW = 30;
const LANE = 13;
/** Networks with more layers get a search field. */
const MANY = 12;
const PAGE_ROWS = 8;

/** Sides of the little plate that stands for an output: wide for many channels, tall for many places. */
function plate(shape: readonly number[]): { readonly width: number; readonly height: number } {
  const [channels = 1, ...rest] = shape;
  const places = rest.reduce((a, b) => a * b, 1);
  return { width: 3 + 1.5 * Math.log2(Math.max(1, channels)), height: 4 + 1.15 * Math.log2(Math.max(1, places)) };
}

/** The network's outline as a list to choose from. Fires `layer-change` with the layer's name, empty for the recommended one. */
@customElement('layer-picker')
export class LayerPicker extends AppElement {
  static override styles = [
    shared,
    css`
      details {
        border: 1px solid var(--edge);
        border-radius: 0.5em;
        background: var(--card);
      }
      summary {
        display: flex;
        align-items: center;
        gap: 0.5em;
        min-height: 2.25em;
        padding: 0.25em 0.6em;
        color: var(--ink);
        overflow-wrap: anywhere;
      }
      summary::before {
        content: '▸';
        color: var(--soft);
      }
      [open] > summary::before {
        content: '▾';
      }
      .inside {
        display: grid;
        gap: 0.5em;
        padding: 0 0.6em 0.6em;
      }
      .list {
        position: relative;
        max-height: min(26em, 60vh);
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: 0.4em;
        overscroll-behavior: contain;
      }
      .option {
        display: flex;
        align-items: center;
        gap: 0.5em;
        min-height: 30px;
        padding-inline: 0.4em;
        border-inline-start: 3px solid transparent;
        cursor: pointer;
        font-size: 0.85em;
        line-height: 1.2;
      }
      .option.drawn {
        height: 30px;
      }
      .option:hover {
        background: var(--sunk);
      }
      .option[aria-selected='true'] {
        border-color: var(--accent);
        background: var(--accent-soft);
        font-weight: 600;
      }
      .option.flat .op {
        color: var(--soft);
        font-weight: 400;
      }
      .option.stage {
        border-top: 1px solid var(--line);
      }
      .list:focus-visible .active {
        outline: 2px solid var(--accent);
        outline-offset: -2px;
      }
      .option svg {
        flex: none;
        height: 30px;
        overflow: visible;
      }
      .name {
        flex: 1 1 0;
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        direction: rtl;
        text-align: end;
        color: var(--soft);
      }
      .name bdi {
        unicode-bidi: isolate;
      }
      .op {
        flex: none;
      }
      .shape {
        flex: none;
        color: var(--soft);
        font-variant-numeric: tabular-nums;
      }
      .star {
        flex: none;
        padding: 0 0.5em;
        border: 1px solid var(--accent);
        border-radius: 99em;
        color: var(--accent);
        font-size: 0.85em;
        font-weight: 400;
      }
      .line {
        fill: none;
        stroke: var(--edge);
        stroke-width: 1.6;
      }
      .mix {
        fill: var(--series-0);
      }
      .norm {
        fill: var(--series-4);
      }
      .act {
        fill: var(--series-1);
      }
      .pool {
        fill: var(--series-2);
      }
      .join {
        fill: var(--series-3);
      }
      .attention {
        fill: var(--series-5);
      }
      .other {
        fill: var(--series-control);
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 0.1em 0.9em;
      }
      .legend span {
        display: inline-flex;
        align-items: center;
        gap: 0.3em;
      }
      .legend svg {
        width: 0.8em;
        height: 0.8em;
      }
      @media (max-width: 30rem) {
        .option .op {
          max-width: 7em;
          overflow: hidden;
          text-overflow: ellipsis;
        }
      }
    `,
  ];

  /** The chosen layer; empty for the recommended one. */
  @property() value = '';
  /** What the field is called. */
  @property() label = '';
  @state() private words = '';
  @state() private active = -1;
  @query('.list') private list!: HTMLElement | null;
  #drawn: { readonly of: readonly LayerInfo[]; readonly outline: Outline } | null = null;

  #outline(layers: readonly LayerInfo[]): Outline {
    if (this.#drawn?.of !== layers) this.#drawn = { of: layers, outline: outline(layers) };
    return this.#drawn.outline;
  }

  /** What can be chosen: -1 for the recommended layer, then layers by index. */
  #choices(): number[] {
    const layers = this.state.model?.layers ?? [];
    return [...(this.words.trim() === '' ? [-1] : []), ...findLayers(layers, this.words)];
  }

  #choose(layer: number): void {
    this.active = layer;
    const name = this.state.model?.layers[layer]?.name ?? '';
    if (name !== this.value) this.dispatchEvent(new CustomEvent('layer-change', { detail: name }));
  }

  #click(event: Event): void {
    const row = (event.target as Element).closest<HTMLElement>('[data-layer]');
    if (row) this.#choose(Number(row.dataset['layer']));
  }

  #key(event: KeyboardEvent): void {
    const choices = this.#choices();
    const at = Math.max(0, choices.indexOf(this.#current()));
    const to: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: choices.length - 1,
      PageDown: at + PAGE_ROWS,
      PageUp: at - PAGE_ROWS,
      Enter: at,
      ' ': at,
    };
    const next = to[event.key];
    if (next === undefined || choices.length === 0) return;
    event.preventDefault();
    this.#choose(choices[Math.max(0, Math.min(choices.length - 1, next))] ?? -1);
    void this.updateComplete.then(() => this.#show());
  }

  /** Scrolls the list, and only it, to the active row. */
  #show(): void {
    const row = this.list?.querySelector<HTMLElement>('.active');
    if (!row || !this.list) return;
    const top = row.offsetTop;
    const bottom = top + row.offsetHeight;
    if (top < this.list.scrollTop) this.list.scrollTop = top;
    else if (bottom > this.list.scrollTop + this.list.clientHeight)
      this.list.scrollTop = bottom - this.list.clientHeight;
  }

  #current(): number {
    const layers = this.state.model?.layers ?? [];
    return this.value === '' ? -1 : layers.findIndex((l) => l.name === this.value);
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has('value')) this.active = this.#current();
  }

  #opened(event: Event): void {
    if ((event.target as HTMLDetailsElement).open) void this.updateComplete.then(() => this.#centre());
  }

  #centre(): void {
    const row = this.list?.querySelector<HTMLElement>('[aria-selected="true"]');
    if (row && this.list) this.list.scrollTop = row.offsetTop - this.list.clientHeight / 2;
  }

  protected override render() {
    const { model } = this.state;
    const t = this.t.guide.layer;
    const layers = model?.layers ?? [];
    const normal = model?.defaultLayer ?? null;
    const chosen = layers.find((l) => l.name === this.value);
    const now = chosen
      ? `${chosen.op} · ${chosen.name}`
      : t.normal(normal === null ? '' : (layers[normal]?.name ?? ''));
    const choices = this.#choices();
    const shown = choices.filter((k) => k >= 0);
    return html`<details @toggle=${this.#opened}>
      <summary><span class="hidden-text">${this.label}:</span>${now}</summary>
      <div class="inside">
        ${
          layers.length > MANY
            ? html`<div class="stack small">
                <input
                  type="search"
                  aria-label=${t.search}
                  placeholder=${t.searchHint}
                  .value=${this.words}
                  @input=${(event: Event) => (this.words = (event.target as HTMLInputElement).value)}
                />
                <span class="soft" role="status"
                  >${this.words ? t.shown(this.f.count(shown.length), this.f.count(layers.length)) : ''}</span
                >
              </div>`
            : nothing
        }
        <div
          class="list"
          role="listbox"
          tabindex="0"
          aria-label=${t.outline}
          aria-activedescendant=${choices.includes(this.active) ? `layer-${this.active}` : nothing}
          @keydown=${this.#key}
          @click=${this.#click}
        >
          ${choices.map((k) => (k < 0 ? this.#normal(normal, layers) : this.#row(k, layers)))}
        </div>
        ${choices.length === 0 ? html`<p class="small">${t.none}</p>` : nothing} ${this.#legend(layers)}
      </div>
    </details>`;
  }

  #normal(normal: number | null, layers: readonly LayerInfo[]) {
    const name = normal === null ? '' : (layers[normal]?.name ?? '');
    return html`<div
      id="layer--1"
      class="option ${this.active === -1 ? 'active' : ''}"
      role="option"
      aria-selected=${this.value === ''}
      data-layer="-1"
    >
      ${this.t.guide.layer.normal(name)}
    </div>`;
  }

  #row(k: number, layers: readonly LayerInfo[]) {
    const layer = layers[k];
    if (!layer) return nothing;
    const t = this.t.guide.layer;
    const whole = this.words.trim() === '';
    const drawing = this.#outline(layers);
    const row = drawing.rows[k];
    const recommended =
      this.state.model?.defaultLayer === k || (entryOf(this.state)?.card.layers.explain.includes(layer.name) ?? false);
    const shape = layer.shape.join('×');
    return html`<div
      id="layer-${k}"
      class="option drawn ${this.active === k ? 'active' : ''} ${layer.grid ? '' : 'flat'} ${whole && row?.stage ? 'stage' : ''}"
      role="option"
      aria-selected=${layer.name === this.value}
      aria-label="${t.option(layer.op, layer.name, shape)}${recommended ? `, ${t.recommended}` : ''}"
      title=${layer.name}
      data-layer=${k}
    >
      ${row ? this.#drawing(row, layer, whole ? drawing.lanes : 1, whole) : nothing}
      <span class="op">${layer.op}</span>
      <span class="name"><bdi>${layer.name}</bdi></span>
      ${recommended ? html`<span class="star">${t.recommended}</span>` : nothing}
      <span class="shape">${shape}</span>
    </div>`;
  }

  #drawing(row: OutlineRow, layer: LayerInfo, lanes: number, whole: boolean) {
    const at = (lane: number) => (lane + 0.5) * LANE + 3;
    const middle = ROW / 2;
    const x = at(whole ? row.lane : 0);
    const { width, height } = plate(layer.shape);
    const room = lanes * LANE + 14;
    return html`<svg width=${room} viewBox="0 0 ${room} ${ROW}" aria-hidden="true">
      ${
        whole
          ? row.strands.map(({ from, to, kind }) => {
              const [a, b] = [at(from), at(to)];
              const path = {
                through: `M${a} 0V${ROW}`,
                in: `M${a} 0C${a} ${middle * 0.7} ${b} ${middle * 0.3} ${b} ${middle}`,
                out: `M${b} ${middle}V${ROW}`,
              }[kind];
              return svg`<path class="line" d=${path}></path>`;
            })
          : nothing
      }
      ${svg`<rect class=${kindOf(layer)} x=${x - width / 2} y=${middle - height / 2} width=${width} height=${height} rx="1.5"></rect>`}
    </svg>`;
  }

  #legend(layers: readonly LayerInfo[]) {
    const kinds = [...new Set(layers.map((l) => kindOf(l)))];
    return html`<div class="legend small soft" aria-hidden="true">
      ${kinds.map(
        (kind) =>
          html`<span
            ><svg viewBox="0 0 8 8">${svg`<rect class=${kind} width="8" height="8" rx="1.5"></rect>`}</svg
            >${this.t.guide.layer.kinds[kind]}</span
          >`,
      )}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'layer-picker': LayerPicker;
  }
}
