import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import type { Controller } from '../controller.js';
import {
  entryText,
  formats,
  messages,
  type Described,
  type EntryText,
  type Formats,
  type Messages,
  type Texted,
} from '../i18n/index.js';
import { pageHash } from '../pages.js';
import type { Page, ScoredRow, State, Store } from '../state.js';

/** What the elements of one playground share. */
export interface App {
  readonly store: Store;
  readonly controller: Controller;
  /** Whether pages have addresses: on the playground's own page, not inside of another. */
  readonly linked: () => boolean;
}

/** An element that shows the state and renders again when it changes. */
export abstract class AppElement extends LitElement {
  @property({ attribute: false }) app!: App;
  #stop: (() => void) | undefined;

  protected get state(): State {
    return this.app.store.state;
  }

  protected get t(): Messages {
    return messages(this.state.language);
  }

  protected get f(): Formats {
    return formats(this.state.language);
  }

  /** Name, summary and caution of a registry entry in the page's language. */
  protected text(registry: Texted, entry: Described): EntryText {
    return entryText(this.state.language, registry, entry);
  }

  /** The name of the method `id`. */
  protected methodName(id: string): string {
    const entry = this.state.catalogue?.methods.find((m) => m.id === id);
    return entry ? this.text('method', entry).name : id;
  }

  /** The name of a row of the score table. */
  protected rowName({ method, ordinal }: ScoredRow): string {
    return ordinal === null ? this.methodName(method) : `${this.methodName(method)} ${ordinal}`;
  }

  /** A link to a page beside the playground; `null` leads back. */
  protected link(page: Page | null, text: TemplateResult | string, current = false): TemplateResult {
    const open = (event: MouseEvent) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.app.store.dispatch({ type: 'set', settings: { page } });
    };
    return html`<a
      href=${this.app.linked() ? pageHash(page) : '#'}
      aria-current=${current ? 'page' : 'false'}
      @click=${open}
      >${text}</a
    >`;
  }

  #listen(): void {
    this.#stop?.();
    this.#stop = this.app.store.subscribe(() => this.requestUpdate());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#listen();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('app')) this.#listen();
  }
}
