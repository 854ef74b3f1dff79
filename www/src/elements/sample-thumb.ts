import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { PropertyValues } from 'lit';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** A sample picture's thumbnail; decorative, its button carries the name. */
@customElement('sample-thumb')
export class SampleThumb extends AppElement {
  static override styles = [
    shared,
    css`
      :host,
      img {
        display: block;
        width: 100%;
        aspect-ratio: 1;
      }
      :host {
        background: var(--sunk);
      }
      img {
        object-fit: cover;
      }
    `,
  ];

  @property() model = '';
  @property() file = '';
  @state() private url = '';

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has('model') || changed.has('file')) void this.#load();
  }

  async #load(): Promise<void> {
    const { model, file } = this;
    try {
      const url = await this.app.controller.library.sampleUrl(model, file);
      if (model === this.model && file === this.file) this.url = url;
    } catch {
      // Without its file the sample stays blank here; choosing it tells why.
    }
  }

  protected override render() {
    return this.url ? html`<img src=${this.url} alt="" />` : nothing;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'sample-thumb': SampleThumb;
  }
}
