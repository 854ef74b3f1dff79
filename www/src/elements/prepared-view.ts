import { css, html } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { LitElement } from 'lit';
import type { Prepared } from '../state.js';
import { shared } from '../styles/shared.js';

/** What the network sees, drawn pixel for pixel and enlarged by the browser. */
@customElement('prepared-view')
export class PreparedView extends LitElement {
  static override styles = [
    shared,
    css`
      canvas {
        display: block;
        width: 100%;
        height: auto;
        border-radius: var(--radius);
      }
    `,
  ];

  @property({ attribute: false }) prepared: Pick<Prepared, 'width' | 'height' | 'rgba'> | null = null;
  @property() alt = '';
  @query('canvas') private canvas!: HTMLCanvasElement;

  protected override updated(): void {
    if (!this.prepared) return;
    const { width, height, rgba } = this.prepared;
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }

  protected override render() {
    return html`<canvas role="img" aria-label=${this.alt}></canvas>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'prepared-view': PreparedView;
  }
}
