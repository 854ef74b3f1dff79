import { css, html, LitElement } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { drawn, type Drawn } from '../drawn.js';
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

/** A heat map over its picture. Fires `probe` with the value under the pointer, or at the keyboard's crosshair. */
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
      ? paint(made.plane, { colormap: colormapOf(view), scale: made.scale, opacity: view.opacity, picture })
      : rgba;
    this.canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
    this.cross.hidden = at === null;
    if (at) {
      this.cross.style.left = `${((at.x + 0.5) / width) * 100}%`;
      this.cross.style.top = `${((at.y + 0.5) / height) * 100}%`;
    }
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
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const from = this.at ?? { x: this.canvas.width >> 1, y: this.canvas.height >> 1 };
    const far = event.shiftKey ? STRIDE : 1;
    this.#tell(from.x + step[0] * far, from.y + step[1] * far);
  }

  #leave(): void {
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
        @pointermove=${this.#point}
        @pointerdown=${this.#point}
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
