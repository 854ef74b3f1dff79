import { css, html, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { blocks, type Block, type Piece } from '../docs.js';
import type { Language } from '../i18n/index.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import { citationParts } from './reference-note.js';

/** A section of an entry's text: paragraphs, lists, code; arXiv numbers and DOIs are links. */
@customElement('doc-text')
export class DocText extends AppElement {
  static override styles = [
    shared,
    css`
      .stack {
        gap: 0.5em;
        max-width: 48em;
      }
      code {
        padding: 0.05em 0.3em;
        border-radius: 0.3em;
        background: var(--sunk);
        font-family: ui-monospace, 'SFMono-Regular', 'Cascadia Mono', 'DejaVu Sans Mono', monospace;
        font-size: 0.9em;
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }
      .formula code {
        font-size: 1em;
        line-height: 1.8;
      }
      pre {
        margin: 0;
        overflow-x: auto;
      }
      ul {
        list-style: disc;
        padding-inline-start: 1.3em;
      }
      a {
        color: var(--accent);
        text-underline-offset: 0.15em;
      }
    `,
  ];

  @property() source = '';
  @property({ type: Boolean }) formula = false;
  /** Of the source. */
  @property() language: Language = 'en';

  protected override render() {
    return html`<div class="stack ${this.formula ? 'formula' : ''}" lang=${this.language}>
      ${blocks(this.source).map((block) => this.#block(block))}
    </div>`;
  }

  #block(block: Block): TemplateResult {
    switch (block.kind) {
      case 'text':
        return html`<p>${block.pieces.map(piece)}</p>`;
      case 'list':
        return html`<ul>
          ${block.items.map((item) => html`<li>${item.map(piece)}</li>`)}
        </ul>`;
      case 'code':
        return html`<pre tabindex="0"><code>${block.text}</code></pre>`;
    }
  }
}

function piece({ kind, text }: Piece) {
  switch (kind) {
    case 'code':
      return html`<code>${text}</code>`;
    case 'em':
      return html`<em>${text}</em>`;
    case 'strong':
      return html`<strong>${text}</strong>`;
    case 'text':
      return citationParts(text).map(({ text: words, href }) =>
        href ? html`<a href=${href} target="_blank" rel="noopener noreferrer">${words}</a>` : words,
      );
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'doc-text': DocText;
  }
}
