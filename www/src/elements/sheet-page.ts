import { html, type PropertyValues, type TemplateResult } from 'lit';
import { AppElement } from './base.js';

/** A page beside the playground. Whoever follows a link to it reads on from its heading. */
export abstract class SheetPage extends AppElement {
  #shown = '';

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const now = JSON.stringify(this.state.page);
    if (this.#shown !== now) this.renderRoot.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true });
    this.#shown = now;
  }

  /** The way back, and to the list of all entries. */
  protected navigation(): TemplateResult {
    const t = this.t.guide.pages;
    return html`<nav aria-label=${t.all} class="small">
      ${this.link(null, `← ${t.back}`)} ${this.link({ registry: 'all' }, t.all)}
    </nav>`;
  }
}
