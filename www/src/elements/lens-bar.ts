import { css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { DEEPEST, STEP, WHOLE, zoomAt, type Lens } from '../lens.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** Buttons that zoom all maps. Fires `lens`. */
@customElement('lens-bar')
export class LensBar extends AppElement {
  static override styles = [
    shared,
    css`
      button {
        min-width: 2.25em;
        padding-inline: 0.6em;
      }
      output {
        min-width: 5.5em;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property({ attribute: false }) lens: Lens = WHOLE;

  #tell(detail: Lens): void {
    this.dispatchEvent(new CustomEvent('lens', { detail }));
  }

  protected override render() {
    const t = this.t.guide;
    const { lens } = this;
    return html`<div class="row" role="group" aria-label=${t.zoom}>
      <button
        type="button"
        aria-label=${t.zoomOut}
        title=${t.zoomOut}
        ?disabled=${lens.zoom <= 1}
        @click=${() => this.#tell(zoomAt(lens, 1 / STEP))}
      >
        <span aria-hidden="true">−</span>
      </button>
      <output class="small soft">${t.zoomNow(this.f.percent(lens.zoom))}</output>
      <button
        type="button"
        aria-label=${t.zoomIn}
        title=${t.zoomIn}
        ?disabled=${lens.zoom >= DEEPEST}
        @click=${() => this.#tell(zoomAt(lens, STEP))}
      >
        <span aria-hidden="true">+</span>
      </button>
      <button type="button" ?disabled=${lens.zoom <= 1} @click=${() => this.#tell(WHOLE)}>${t.zoomReset}</button>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'lens-bar': LensBar;
  }
}
