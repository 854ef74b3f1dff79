import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { LitElement } from 'lit';
import { shared } from '../styles/shared.js';

/** A numbered step of the page: heading, one leading sentence, content. */
@customElement('section-frame')
export class SectionFrame extends LitElement {
  static override styles = [
    shared,
    css`
      section {
        padding: clamp(1rem, 0.6rem + 1.2vw, 1.9rem);
        border: 1px solid var(--line);
        border-radius: calc(var(--radius) * 1.4);
        background: var(--card);
        box-shadow: var(--shadow);
      }
      header {
        margin-bottom: 1.1em;
      }
      h2 {
        display: flex;
        align-items: center;
        gap: 0.55em;
        font-size: 1.35em;
        font-weight: 680;
        line-height: 1.25;
        letter-spacing: -0.01em;
      }
      .number {
        display: grid;
        place-items: center;
        flex: none;
        width: 1.6em;
        height: 1.6em;
        border-radius: 50%;
        background: var(--accent-soft);
        color: var(--accent);
        font-size: 0.8em;
        font-variant-numeric: lining-nums;
      }
      p {
        margin-top: 0.4em;
        max-width: 62ch;
        color: var(--soft);
      }
    `,
  ];

  @property({ type: Number }) number = 0;
  @property() heading = '';
  @property() lead = '';

  protected override render() {
    return html`<section aria-labelledby="heading">
      <header>
        <h2 id="heading"><span class="number">${this.number}</span> <span>${this.heading}</span></h2>
        ${this.lead ? html`<p>${this.lead}</p>` : nothing}
      </header>
      <slot></slot>
    </section>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'section-frame': SectionFrame;
  }
}
