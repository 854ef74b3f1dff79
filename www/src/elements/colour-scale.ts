import { css, html, svg } from 'lit';
import { customElement } from 'lit/decorators.js';
import { css as cssColour, isDiverging } from '../colormap.js';
import { SCALE_QUANTILE } from '../maps.js';
import { colormapOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

const STOPS = 33;

/** The legend of the colours in force. */
@customElement('colour-scale')
export class ColourScale extends AppElement {
  static override styles = [
    shared,
    css`
      svg {
        display: block;
        width: 100%;
        height: 0.75rem;
        border-radius: 99em;
      }
      .ends {
        display: flex;
        justify-content: space-between;
      }
    `,
  ];

  protected override render() {
    const t = this.t.why;
    const id = colormapOf(this.state.view);
    const diverging = isDiverging(id);
    const words = diverging ? [t.against, t.neutral, t.for] : [t.weak, t.strong];
    const stops = Array.from({ length: STOPS }, (_, i) => i / (STOPS - 1));
    return html`<div class="small soft" title=${t.scaleNote(this.f.percent(1 - SCALE_QUANTILE))}>
      <svg viewBox="0 0 ${STOPS} 1" preserveAspectRatio="none" aria-hidden="true">
        ${stops.map(
          (s, i) =>
            svg`<rect x=${i} y="0" width="1.05" height="1" fill=${cssColour(id, diverging ? 2 * s - 1 : s)}></rect>`,
        )}
      </svg>
      <div class="ends">${words.map((w) => html`<span>${w}</span>`)}</div>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'colour-scale': ColourScale;
  }
}
