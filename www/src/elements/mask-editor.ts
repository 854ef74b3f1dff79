import { css, html, nothing } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { maskOf } from '../removal/bench.js';
import { blank, inverted, ofSegments, pickedByChance, removed, stroked, type Mask } from '../removal/masks.js';
import type { Prepared } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import { vars } from './vars.js';

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Squares of the pattern that stands for removed pixels, across the picture. */
const SQUARES = 28;
const DARK = 92;
const LIGHT = 188;
/** The brush's radius at first, and at most, as shares of the shorter side. */
const FIRST_RADIUS = 0.06;
const MOST_RADIUS = 0.25;

type Point = readonly [number, number];

/** The picture with its holes; with the brush, they are painted here by pointer or by keys, with segments chosen. */
@customElement('mask-editor')
export class MaskEditor extends AppElement {
  static override styles = [
    shared,
    css`
      .frame {
        position: relative;
        line-height: 0;
      }
      canvas {
        display: block;
        width: 100%;
        height: auto;
        border-radius: var(--radius);
      }
      .hand canvas {
        touch-action: none;
        cursor: crosshair;
      }
      .squares canvas {
        image-rendering: pixelated;
      }
      .ring {
        position: absolute;
        left: var(--x);
        top: var(--y);
        width: var(--d);
        aspect-ratio: 1;
        min-width: 8px;
        translate: -50% -50%;
        border: 2px solid #fff;
        border-radius: 50%;
        outline: 1px solid #000;
        box-shadow: inset 0 0 0 1px #000;
        pointer-events: none;
      }
      .clip {
        position: absolute;
        inset: 0;
        overflow: hidden;
        border-radius: var(--radius);
        pointer-events: none;
      }
      /* Its height is kept: what lies below must not move while it is pressed. */
      .where {
        height: 1.5em;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .tools {
        display: grid;
        gap: 0.5em;
      }
      .down {
        border-color: var(--accent);
        background: var(--accent-soft);
      }
    `,
  ];

  /** Radius of the brush in pixels; null for the first one. */
  @state() private radius: number | null = null;
  @state() private erasing = false;
  /** Where the brush is, by the pointer or by the keys. */
  @state() private at: Point | null = null;
  /** Painting while the arrow keys move. */
  @state() private down = false;
  @query('canvas') private canvas!: HTMLCanvasElement;

  /** What is being painted; goes to the state when the stroke ends, so that the page is not drawn for every move. */
  #draft: Mask | null = null;
  #from: Point | null = null;
  /** Whether the segment under the pointer is being taken away or put back. */
  #taking = true;

  get #prepared(): Prepared | null {
    return this.state.prepared;
  }

  get #mask(): Mask | null {
    return this.#draft ?? maskOf(this.state);
  }

  get #byHand(): boolean {
    const { source, segments } = this.state.bench;
    return source === 'brush' || (source === 'segments' && segments !== null);
  }

  #side(): number {
    return Math.min(this.#prepared?.width ?? 1, this.#prepared?.height ?? 1);
  }

  #radius(): number {
    return this.radius ?? Math.round(this.#side() * FIRST_RADIUS);
  }

  #place(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.canvas.width - 0.5;
    const y = ((event.clientY - box.top) / box.height) * this.canvas.height - 0.5;
    return [x, y];
  }

  #inside([x, y]: Point): Point {
    const { width = 1, height = 1 } = this.#prepared ?? {};
    return [Math.min(width - 1, Math.max(0, Math.round(x))), Math.min(height - 1, Math.max(0, Math.round(y)))];
  }

  #start(event: PointerEvent): void {
    if (event.button !== 0 || !this.#byHand) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#place(event));
  }

  #move(event: PointerEvent): void {
    if (!this.#byHand) return;
    const at = this.#place(event);
    this.at = at;
    if (this.#from) this.#go(at);
  }

  #begin(at: Point): void {
    this.at = at;
    this.#from = at;
    this.#taking = !this.#taken(at);
    this.#go(at);
  }

  #taken(at: Point): boolean {
    const [x, y] = this.#inside(at);
    return this.#mask?.[y * (this.#prepared?.width ?? 1) + x] === 1;
  }

  #go(to: Point): void {
    const prepared = this.#prepared;
    const { source } = this.state.bench;
    if (!prepared || !this.#from) return;
    if (source === 'segments') this.#pick(to);
    else {
      const now = this.#mask ?? blank(prepared);
      this.#draft = stroked(now, prepared, this.#from, to, this.#radius(), this.erasing ? 0 : 1);
    }
    this.#from = to;
    this.requestUpdate();
  }

  #pick(at: Point): void {
    const { bench, seed } = this.state;
    const { segments, share } = bench;
    const [x, y] = this.#inside(at);
    const label = segments?.labels[y * (this.#prepared?.width ?? 1) + x];
    if (!segments || label === undefined) return;
    const picked = new Set(bench.picked ?? pickedByChance(segments, share / 100, seed));
    if (this.#taking) picked.add(label);
    else picked.delete(label);
    this.app.store.dispatch({ type: 'bench', bench: { picked } });
  }

  #end(): void {
    this.#from = null;
    if (this.#draft) this.app.store.dispatch({ type: 'bench', bench: { painted: this.#draft } });
    this.#draft = null;
  }

  #key(event: KeyboardEvent): void {
    if (!this.#byHand || event.ctrlKey || event.metaKey || event.altKey) return;
    const { width = 1, height = 1 } = this.#prepared ?? {};
    const at = this.at ? this.#inside(this.at) : ([Math.floor(width / 2), Math.floor(height / 2)] as const);
    const step = STEPS[event.key];
    if (step) {
      event.preventDefault();
      const stride = event.shiftKey ? Math.max(2, this.#radius()) : 1;
      const to = this.#inside([at[0] + step[0] * stride, at[1] + step[1] * stride]);
      this.at = to;
      if (this.down) {
        this.#from = at;
        this.#go(to);
        this.#end();
      }
    } else if (event.key === ' ') {
      event.preventDefault();
      this.#begin(at);
      this.#end();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.at = at;
      this.down = !this.down;
      if (this.down) {
        this.#begin(at);
        this.#end();
      }
    } else if (event.key === '+' || event.key === '-') {
      event.preventDefault();
      this.#resize(this.#radius() + (event.key === '+' ? 1 : -1));
    } else if (event.key.toLowerCase() === 'e') {
      this.erasing = !this.erasing;
    }
  }

  #resize(radius: number): void {
    this.radius = Math.min(this.#mostRadius(), Math.max(0, Math.round(radius)));
  }

  #mostRadius(): number {
    return Math.max(1, Math.round(this.#side() * MOST_RADIUS));
  }

  #paint(mask: Mask): void {
    this.app.store.dispatch({ type: 'bench', bench: { painted: mask } });
  }

  protected override updated(): void {
    const prepared = this.#prepared;
    if (!prepared) return;
    const { width, height, rgba } = prepared;
    const { canvas } = this;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const out = new Uint8ClampedArray(rgba);
    const mask = this.#mask;
    const square = Math.max(1, Math.round(Math.max(width, height) / SQUARES));
    mask?.forEach((gone, i) => {
      if (!gone) return;
      const odd = (Math.floor((i % width) / square) + Math.floor(i / width / square)) % 2;
      out.fill(odd ? DARK : LIGHT, 4 * i, 4 * i + 3);
    });
    canvas.getContext('2d')?.putImageData(new ImageData(out, width, height), 0, 0);
  }

  protected override render() {
    const prepared = this.#prepared;
    if (!prepared) return nothing;
    const t = this.t.removal.editor;
    const { width, height } = prepared;
    const { source } = this.state.bench;
    const hand = this.#byHand;
    const mask = this.#mask;
    const share = this.f.percent(mask ? removed(mask) / mask.length : 0);
    const name = t.alt(share);
    const square = width <= 128 ? 'squares' : '';
    const place = this.at ? this.#inside(this.at) : null;
    return html`<div class="stack">
      <div class="frame ${hand ? 'hand' : ''} ${square}">
        ${
          hand
            ? html`<canvas
                role="application"
                tabindex="0"
                aria-label=${name}
                aria-roledescription=${t.role}
                aria-describedby="keys"
                @pointerdown=${this.#start}
                @pointermove=${this.#move}
                @pointerup=${this.#end}
                @pointercancel=${this.#end}
                @pointerleave=${() => {
                  if (!this.#from && !this.renderRoot.querySelector('canvas:focus')) this.at = null;
                }}
                @keydown=${this.#key}
                @blur=${() => {
                  this.at = null;
                  this.down = false;
                }}
              ></canvas>`
            : html`<canvas role="img" aria-label=${name}></canvas>`
        }
        ${
          hand && this.at
            ? html`<div class="clip">
                <div
                  class="ring"
                  ${vars({
                    '--x': `${((this.at[0] + 0.5) / width) * 100}%`,
                    '--y': `${((this.at[1] + 0.5) / height) * 100}%`,
                    '--d': `${((source === 'brush' ? 2 * this.#radius() + 1 : 1) / width) * 100}%`,
                  })}
                ></div>
              </div>`
            : nothing
        }
      </div>
      <p class="small soft">${mask ? t.share(share) : nothing}</p>
      ${
        hand
          ? html`<p class="small soft where" role="status">
              ${place ? t.place(place[0], place[1], this.#taken(place)) : nothing} ${this.down ? t.down : nothing}
            </p>`
          : nothing
      }
      ${hand ? html`<p id="keys" class="small soft">${source === 'brush' ? t.keys : t.keysSegments}</p>` : nothing}
      ${source === 'brush' ? this.#tools(prepared) : nothing}
      ${source === 'segments' && this.state.bench.segments ? this.#segmentTools() : nothing}
    </div>`;
  }

  #tools(prepared: Prepared) {
    const t = this.t.removal.editor;
    const mask = this.#mask ?? blank(prepared);
    return html`<div class="tools">
      <label class="field">
        <span class="label">${t.size}</span>
        <input
          type="range"
          min="0"
          max=${this.#mostRadius()}
          step="1"
          .value=${String(this.#radius())}
          aria-valuetext=${t.sizeOf(this.f.count(2 * this.#radius() + 1))}
          @input=${(event: Event) => this.#resize((event.target as HTMLInputElement).valueAsNumber)}
        />
      </label>
      <div class="row">
        <button
          type="button"
          class=${this.erasing ? 'down' : ''}
          aria-pressed=${this.erasing}
          @click=${() => (this.erasing = !this.erasing)}
        >
          ${t.erase}
        </button>
        <button type="button" @click=${() => this.#paint(inverted(mask))}>${t.invert}</button>
        <button type="button" @click=${() => this.#paint(blank(prepared))}>${t.clear}</button>
      </div>
    </div>`;
  }

  #segmentTools() {
    const t = this.t.removal.editor;
    const { segments, picked, share } = this.state.bench;
    if (!segments) return nothing;
    const now = picked ?? pickedByChance(segments, share / 100, this.state.seed);
    const others = () => new Set(Array.from({ length: segments.count }, (_, k) => k).filter((k) => !now.has(k)));
    const pick = (chosen: ReadonlySet<number> | null) =>
      this.app.store.dispatch({ type: 'bench', bench: { picked: chosen } });
    return html`<p class="small soft">${t.segments(this.f.count(now.size), this.f.count(segments.count))}</p>
      <div class="row">
        <button type="button" @click=${() => pick(null)} ?disabled=${picked === null}>${t.byChance}</button>
        <button type="button" @click=${() => pick(others())}>${t.invert}</button>
        <button type="button" @click=${() => pick(new Set())}>${t.clear}</button>
        <button
          type="button"
          @click=${() => {
            this.#paint(ofSegments(segments, now));
            this.app.store.dispatch({ type: 'bench', bench: { source: 'brush' } });
          }}
        >
          ${t.goOnByHand}
        </button>
      </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'mask-editor': MaskEditor;
  }
}
