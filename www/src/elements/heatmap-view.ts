import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { drawn, type Drawn } from '../drawn.js';
import { inFrame, pan, reveal, STEP, WHOLE, zoomAt, type Lens } from '../lens.js';
import { paint } from '../paint.js';
import { colormapOf, type Prepared, type RawMap, type View } from '../state.js';
import { shared } from '../styles/shared.js';

/** Where the visitor reads the map, in pixels of the picture. */
export type ProbeEvent = CustomEvent<{ x: number; y: number; value: number } | null>;

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Pixels an arrow key moves with Shift. */
const STRIDE = 10;
/** How much of the zoom a pixel, a line or a page of the wheel is. */
const WHEEL = [0.002, 0.03, 0.5] as const;
/** From this zoom on, single pixels are shown as squares. */
const SQUARES = 3;

/** What part of the picture is wanted, in all maps. */
export type LensEvent = CustomEvent<Lens>;

/**
 * A heat map over its picture. Fires `probe` with the value under the pointer, or at the keyboard's crosshair, and
 * `lens` when the visitor zooms (wheel, pinch, keys) or drags.
 */
@customElement('heatmap-view')
export class HeatmapView extends LitElement {
  static override styles = [
    shared,
    css`
      .frame {
        position: relative;
        overflow: hidden;
        border-radius: inherit;
        line-height: 0;
      }
      :host {
        border-radius: var(--radius);
      }
      canvas {
        display: block;
        width: 100%;
        height: auto;
        border-radius: inherit;
        touch-action: pan-y;
        transform-origin: 0 0;
        transform: translate(var(--x, 0), var(--y, 0)) scale(var(--zoom, 1));
      }
      :host([zoomed]) canvas {
        touch-action: none;
        cursor: grab;
      }
      :host([squares]) canvas {
        image-rendering: pixelated;
      }
      canvas:focus-visible {
        outline: none;
      }
      .frame:has(:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .cross {
        position: absolute;
        width: 1.1rem;
        height: 1.1rem;
        margin: -0.55rem;
        border: 2px solid #fff;
        border-radius: 50%;
        outline: 1px solid #000;
        box-shadow: inset 0 0 0 1px #000;
        pointer-events: none;
      }
    `,
  ];

  @property({ attribute: false }) map: RawMap | null = null;
  @property({ attribute: false }) prepared: Prepared | null = null;
  @property({ attribute: false }) view!: View;
  @property() alt = '';
  /** A thumbnail: neither focus nor reading. */
  @property({ type: Boolean }) still = false;
  /** Where the map is read, shared by all maps on show. */
  @property({ attribute: false }) at: { x: number; y: number } | null = null;
  @property({ attribute: false }) lens: Lens = WHOLE;
  /** The value drawn at full colour; the map's own where there is none. */
  @property({ attribute: false }) scale: number | null = null;
  @query('canvas') private canvas!: HTMLCanvasElement;
  @query('.cross') private cross!: HTMLElement;

  #drawn(): Drawn | null {
    const { map, prepared, view } = this;
    return map && prepared ? drawn(map, view.reduction, prepared.width, prepared.height) : null;
  }

  protected override updated(): void {
    const { prepared, view, at } = this;
    if (!prepared) return;
    const { width, height, rgba } = prepared;
    const made = this.#drawn();
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    const picture = view.background === 'none' ? null : { rgba, grey: view.background === 'grey' };
    const pixels = made
      ? paint(made.plane, {
          colormap: colormapOf(view),
          scale: this.scale ?? made.scale,
          opacity: view.opacity,
          picture,
        })
      : rgba;
    this.canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
    this.cross.hidden = at === null;
    const { lens } = this;
    if (at) {
      const { u, v } = inFrame(lens, (at.x + 0.5) / width, (at.y + 0.5) / height);
      this.cross.style.left = `${u * 100}%`;
      this.cross.style.top = `${v * 100}%`;
    }
    this.toggleAttribute('zoomed', lens.zoom > 1);
    this.toggleAttribute('squares', lens.zoom >= SQUARES);
    const corner = inFrame(lens, 0, 0);
    this.canvas.style.setProperty('--zoom', String(lens.zoom));
    this.canvas.style.setProperty('--x', `${corner.u * 100}%`);
    this.canvas.style.setProperty('--y', `${corner.v * 100}%`);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Lit's listeners are passive for wheels in some browsers, and this one holds the page still.
    this.addEventListener('wheel', this.#wheel, { passive: false });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener('wheel', this.#wheel);
  }

  #look(lens: Lens): void {
    if (lens.zoom === this.lens.zoom && lens.x === this.lens.x && lens.y === this.lens.y) return;
    this.lens = lens;
    this.dispatchEvent(new CustomEvent('lens', { detail: lens }));
  }

  /** A place of the window as shares of the frame. */
  #share(event: { readonly clientX: number; readonly clientY: number }): { u: number; v: number; side: number } {
    const box = this.getBoundingClientRect();
    return { u: (event.clientX - box.left) / box.width, v: (event.clientY - box.top) / box.height, side: box.width };
  }

  /** Scrolling the page must not be caught by a map that happens to lie under the pointer. */
  readonly #wheel = (event: WheelEvent): void => {
    const meant = event.ctrlKey || event.metaKey || this.shadowRoot?.activeElement === this.canvas;
    if (this.still || !meant) return;
    const factor = Math.exp(-event.deltaY * (WHEEL[event.deltaMode] ?? 0));
    const { u, v } = this.#share(event);
    const next = zoomAt(this.lens, factor, u, v);
    if (next.zoom !== this.lens.zoom || event.ctrlKey) event.preventDefault();
    this.#look(next);
  };

  /** Where each finger or the pressed mouse was last. */
  readonly #held = new Map<number, { clientX: number; clientY: number }>();

  #press(event: PointerEvent): void {
    this.#held.set(event.pointerId, event);
    if (this.lens.zoom > 1 || this.#held.size > 1) this.canvas.setPointerCapture(event.pointerId);
    this.#point(event);
  }

  #release(event: PointerEvent): void {
    this.#held.delete(event.pointerId);
  }

  #move(event: PointerEvent): void {
    const before = this.#held.get(event.pointerId);
    if (before) {
      const [a, b] = [this.#share(before), this.#share(event)];
      const other = [...this.#held].find(([id]) => id !== event.pointerId)?.[1];
      this.#held.set(event.pointerId, event);
      if (other) {
        const still = this.#share(other);
        const apart = (p: { u: number; v: number }) => Math.hypot(p.u - still.u, p.v - still.v);
        const factor = apart(a) > 0.01 ? apart(b) / apart(a) : 1;
        const zoomed = zoomAt(this.lens, factor, (a.u + still.u) / 2, (a.v + still.v) / 2);
        this.#look(pan(zoomed, (b.u - a.u) / 2, (b.v - a.v) / 2));
        return;
      }
      if (this.lens.zoom > 1) this.#look(pan(this.lens, b.u - a.u, b.v - a.v));
    }
    this.#point(event);
  }

  #tell(x: number, y: number): void {
    const made = this.#drawn();
    if (!made || this.still) return;
    const { width, height, values } = made.plane;
    const at = { x: Math.max(0, Math.min(width - 1, x)), y: Math.max(0, Math.min(height - 1, y)) };
    const detail = { ...at, value: values[at.y * width + at.x] ?? 0 };
    this.dispatchEvent(new CustomEvent('probe', { detail }));
  }

  #point(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height);
    this.#tell(x, y);
  }

  #key(event: KeyboardEvent): void {
    const { width, height } = this.canvas;
    const from = this.at ?? { x: width >> 1, y: height >> 1 };
    const factor = { '+': STEP, '=': STEP, '-': 1 / STEP, _: 1 / STEP }[event.key];
    const step = STEPS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || !(factor ?? step ?? event.key === '0')) return;
    event.preventDefault();
    if (step) {
      const far = event.shiftKey ? STRIDE : 1;
      const x = Math.max(0, Math.min(width - 1, from.x + step[0] * far));
      const y = Math.max(0, Math.min(height - 1, from.y + step[1] * far));
      this.#look(reveal(this.lens, (x + 0.5) / width, (y + 0.5) / height));
      this.#tell(x, y);
    } else if (factor !== undefined) {
      const { u, v } = inFrame(this.lens, (from.x + 0.5) / width, (from.y + 0.5) / height);
      this.#look(zoomAt(this.lens, factor, u, v));
    } else this.#look(WHOLE);
  }

  /** A finger that is lifted leaves the mark where it was, to be read. */
  #leave(event: Event): void {
    if (event instanceof PointerEvent && event.pointerType !== 'mouse') return;
    this.dispatchEvent(new CustomEvent('probe', { detail: null }));
  }

  protected override render() {
    if (this.still)
      return html`<div class="frame">
        <canvas role="img" aria-label=${this.alt}></canvas><span class="cross" hidden></span>
      </div>`;
    return html`<div class="frame">
      <canvas
        role="img"
        tabindex="0"
        aria-label=${this.alt}
        @pointermove=${this.#move}
        @pointerdown=${this.#press}
        @pointerup=${this.#release}
        @pointercancel=${this.#release}
        @pointerleave=${this.#leave}
        @keydown=${this.#key}
        @focus=${() => this.#tell(this.canvas.width >> 1, this.canvas.height >> 1)}
        @blur=${this.#leave}
      ></canvas>
      <span class="cross" hidden></span>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'heatmap-view': HeatmapView;
  }
}
