import { css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { TermId } from '../i18n/index.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './info-pop.js';
import './reference-note.js';

/** The short explanation of a term, behind a question mark. */
@customElement('term-note')
export class TermNote extends AppElement {
  static override styles = [
    shared,
    css`
      :host {
        display: inline-block;
        line-height: 1;
      }
      strong {
        display: block;
        margin-bottom: 0.3em;
      }
    `,
  ];

  @property() term: TermId = 'attribution';

  protected override render() {
    const { title, text, reference } = this.t.terms[this.term];
    return html`<info-pop label=${this.t.explainTerm(title)}>
      <strong>${title}</strong>
      <p>${text}</p>
      <reference-note .app=${this.app} .reference=${reference}></reference-note>
    </info-pop>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'term-note': TermNote;
  }
}
