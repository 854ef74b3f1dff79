import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './sample-thumb.js';

/** The sample pictures of the network, one of which may be chosen. `--thumb`: the width of one. */
@customElement('sample-list')
export class SampleList extends AppElement {
  static override styles = [
    shared,
    css`
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, var(--thumb, minmax(2.5em, 1fr)));
        gap: 0.4em;
      }
      button {
        display: block;
        width: 100%;
        min-height: 0;
        padding: 0;
        border: 2px solid transparent;
        border-radius: 0.6em;
        overflow: hidden;
        background: none;
      }
      button[aria-pressed='true'] {
        border-color: var(--accent);
        box-shadow: 0 0 0 2px var(--accent);
      }
    `,
  ];

  protected override render() {
    const { picture, modelId } = this.state;
    const samples = entryOf(this.state)?.card.sample ?? [];
    if (samples.length === 0) return nothing;
    return html`<ul aria-label=${this.t.picture.samples}>
      ${samples.map(
        ({ file, label }) =>
          html`<li>
            <button
              type="button"
              title=${label}
              aria-label=${label}
              aria-pressed=${picture?.sample === file}
              @click=${() => void this.app.controller.chooseSample(file)}
            >
              <sample-thumb .app=${this.app} model=${modelId} file=${file}></sample-thumb>
            </button>
          </li>`,
      )}
    </ul>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'sample-list': SampleList;
  }
}
