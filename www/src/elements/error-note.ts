import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Place } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** What went wrong in one place of the page: what, where, and the cure. */
@customElement('error-note')
export class ErrorNote extends AppElement {
  static override styles = [
    shared,
    css`
      .note {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 0.25em 0.75em;
        padding: 0.75em 1em;
        border-inline-start: 4px solid var(--alarm);
        border-radius: 0.4em;
        background: var(--alarm-soft);
        overflow-wrap: anywhere;
      }
      strong {
        color: var(--alarm);
      }
    `,
  ];

  @property() place: Place = 'engine';

  protected override render() {
    this.toggleAttribute('empty', !this.state.notices.some((n) => n.place === this.place));
    const error = this.state.notices.find((n) => n.place === this.place)?.error;
    return html`<div role="alert">
      ${
        error
          ? html`<div class="note">
              <div class="stack">${this.#body(error)}</div>
              <div>
                <button
                  class="quiet"
                  type="button"
                  @click=${() => this.app.store.dispatch({ type: 'dismiss', place: this.place })}
                >
                  ${this.t.close}
                </button>
              </div>
            </div>`
          : nothing
      }
    </div>`;
  }

  #body(error: { code: string; message: string; place: string | null; hint: string }) {
    const { title, hint, place, linkParts } = this.t.errors;
    const heading = (title as Readonly<Record<string, string>>)[error.code] ?? title.other;
    const cure = hint[error.code] ?? error.hint;
    const where = error.code === 'link-damaged' ? linkParts : place;
    // The engine words its messages in English.
    return html`<strong>${heading}</strong> ${error.message ? html`<p lang="en">${error.message}</p>` : nothing}
      ${error.place ? html`<p class="small">${where(error.place)}</p>` : nothing}
      ${cure ? html`<p>${cure}</p>` : nothing}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'error-note': ErrorNote;
  }
}
