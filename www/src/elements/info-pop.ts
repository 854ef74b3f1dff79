import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { shared } from '../styles/shared.js';

/** Distance from the button and from the window's edges, pixels. */
const MARGIN = 8;

/**
 * A button that opens a small box. Slot `label`: what the button shows (a question mark by default); default slot: the
 * box. Closes with Escape or a click elsewhere, as every popover does.
 */
@customElement('info-pop')
export class InfoPop extends LitElement {
  static override styles = [
    shared,
    css`
      :host {
        display: inline-block;
      }
      button {
        min-width: 1.5rem;
        min-height: 1.5rem;
        padding: 0;
        border-color: transparent;
        background: transparent;
        color: inherit;
      }
      .mark {
        display: grid;
        place-items: center;
        width: 1.15rem;
        height: 1.15rem;
        border: 1px solid currentColor;
        border-radius: 50%;
        font-size: 0.75rem;
        line-height: 1;
        color: var(--soft);
      }
      button:hover .mark {
        color: var(--accent);
      }
      ::slotted([slot='label']) {
        border-bottom: 1px dotted var(--edge);
      }
      [popover] {
        position: fixed;
        inset: auto;
        width: min(23rem, calc(100vw - 1rem));
        max-height: 70vh;
        overflow: auto;
        margin: 0;
        padding: 0.9em 1.1em;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--card);
        color: var(--ink);
        box-shadow: var(--shadow);
        font-size: 0.9rem;
        font-weight: 400;
        line-height: 1.5;
        text-align: start;
        white-space: normal;
      }
    `,
  ];

  /** What the button is called for those who cannot see it. */
  @property() label = '';
  /** Whether the `label` slot holds the button's visible content. */
  @property({ type: Boolean }) labelled = false;
  @query('button') private button!: HTMLButtonElement;
  @query('[popover]') private box!: HTMLElement;

  close(): void {
    this.box.hidePopover();
  }

  #place(event: Event): void {
    const open = (event as ToggleEvent).newState === 'open';
    this.button.setAttribute('aria-expanded', String(open));
    if (!open) return;
    const at = this.button.getBoundingClientRect();
    const { width, height } = this.box.getBoundingClientRect();
    const left = Math.max(MARGIN, Math.min(at.left, window.innerWidth - width - MARGIN));
    const below = at.bottom + MARGIN;
    const fits = below + height <= window.innerHeight || at.top < height + MARGIN;
    this.box.style.left = `${left}px`;
    this.box.style.top = `${fits ? below : at.top - height - MARGIN}px`;
  }

  protected override render() {
    return html`<button
        type="button"
        popovertarget="box"
        aria-expanded="false"
        aria-label=${this.labelled ? nothing : this.label}
        title=${this.label || nothing}
      >
        ${this.labelled ? html`<slot name="label"></slot>` : html`<span class="mark" aria-hidden="true">?</span>`}
      </button>
      <div id="box" popover tabindex="-1" @toggle=${this.#place}><slot></slot></div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'info-pop': InfoPop;
  }
}
