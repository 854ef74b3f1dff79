import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** Opens a picture of the visitor's own: a file and, with `camera` and where the main pointer is a finger, the camera. */
@customElement('open-picture')
export class OpenPicture extends AppElement {
  static override styles = [
    shared,
    css`
      :host {
        display: contents;
      }
      .camera {
        display: none;
      }
      @media (pointer: coarse) {
        .camera {
          display: inline-flex;
        }
      }
      .button:focus-within {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
    `,
  ];

  @property({ type: Boolean }) camera = false;

  #opened(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) void this.app.controller.openPicture(file, file.name);
    input.value = '';
  }

  protected override render() {
    const t = this.t.picture;
    return html`<label class="button">
        ${t.open}<input class="hidden-text" type="file" accept="image/*" @change=${this.#opened} />
      </label>
      ${
        this.camera
          ? html`<label class="button camera">
              ${t.camera}<input
                class="hidden-text"
                type="file"
                accept="image/*"
                capture="environment"
                @change=${this.#opened}
              />
            </label>`
          : nothing
      }`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'open-picture': OpenPicture;
  }
}
