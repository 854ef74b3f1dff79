import { css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

/** A part of a citation: plain text, or an address it names. */
export interface CitationPart {
  readonly text: string;
  readonly href: string | null;
}

/** Finds arXiv numbers and DOIs in a citation. */
export function citationParts(reference: string): CitationPart[] {
  const parts: CitationPart[] = [];
  let at = 0;
  for (const match of reference.matchAll(/arXiv:(\d{4}\.\d{4,5})|doi:(10\.\d+\/[\w./-]*\w)/g)) {
    const [text, arxiv, doi] = match;
    if (match.index > at) parts.push({ text: reference.slice(at, match.index), href: null });
    parts.push({ text, href: arxiv ? `https://arxiv.org/abs/${arxiv}` : `https://doi.org/${doi ?? ''}` });
    at = match.index + text.length;
  }
  if (at < reference.length) parts.push({ text: reference.slice(at), href: null });
  return parts;
}

/** A citation whose arXiv number or DOI is a link; the visitor follows it, the page never does. */
@customElement('reference-note')
export class ReferenceNote extends AppElement {
  static override styles = [
    shared,
    css`
      p {
        font-size: 0.85em;
        color: var(--soft);
        overflow-wrap: anywhere;
      }
      a {
        color: var(--accent);
        text-underline-offset: 0.15em;
      }
    `,
  ];

  @property({ attribute: false }) reference = '';

  protected override render() {
    return html`<p>
      ${this.t.reference}:
      ${citationParts(this.reference).map(({ text, href }) =>
        href ? html`<a href=${href} target="_blank" rel="noopener noreferrer">${text}</a>` : text,
      )}
    </p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'reference-note': ReferenceNote;
  }
}
