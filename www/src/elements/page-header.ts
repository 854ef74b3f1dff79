import { css, html, svg } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { LANGUAGES, type Language } from '../i18n/index.js';
import { writeLink } from '../link.js';
import { addressOf } from '../pages.js';
import { entryOf, type Theme } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';

const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];
const NAMES: Readonly<Record<Language, string>> = { en: 'English', fr: 'Français' };

/** Name, tagline, language, theme, link. */
@customElement('page-header')
export class PageHeader extends AppElement {
  static override styles = [
    shared,
    css`
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.75em 1.5em;
      }
      .title {
        display: flex;
        align-items: center;
        gap: 0.6em;
      }
      .title svg {
        width: 2.6em;
        height: 2.6em;
        flex: none;
        color: var(--accent);
      }
      .name {
        margin: 0;
        font-size: 1.7em;
        font-weight: 720;
        letter-spacing: -0.02em;
        line-height: 1.1;
      }
      .tagline {
        flex: 1 1 20em;
        color: var(--soft);
      }
      select {
        width: auto;
        border-color: transparent;
        background: transparent;
        color: var(--soft);
      }
      select:hover {
        border-color: var(--edge);
      }
      a {
        color: var(--accent);
        text-underline-offset: 0.15em;
      }
      option {
        color: var(--ink);
        background: var(--card);
      }
    `,
  ];

  /** Whether this is its own page, whose heading it then is. */
  @property({ type: Boolean }) standalone = false;
  @state() private copied: 'no' | 'yes' | 'by-hand' = 'no';

  async #copy(): Promise<void> {
    const { origin, pathname, search, protocol } = window.location;
    const base = protocol.startsWith('http') ? `${origin}${pathname}${search}` : window.location.href.split('#')[0];
    try {
      await navigator.clipboard.writeText(
        `${base}${addressOf(this.state.page, writeLink(this.app.controller.link()))}`,
      );
      this.copied = 'yes';
    } catch {
      this.copied = 'by-hand';
    }
    setTimeout(() => (this.copied = 'no'), 4000);
  }

  protected override render() {
    const { t } = this;
    const own = (this.state.picture && this.state.picture.sample === null) || entryOf(this.state)?.own;
    const label = { no: t.copyLink, yes: t.linkCopied, 'by-hand': t.linkByHand }[this.copied];
    return html`<header>
      <div class="title">
        ${LOGO} ${this.standalone ? html`<h1 class="name">Lucarne</h1>` : html`<p class="name">Lucarne</p>`}
      </div>
      <p class="tagline">${t.tagline}</p>
      <div class="row">
        ${this.link({ registry: 'all' }, t.guide.pages.all, this.state.page?.registry === 'all')}
        ${this.link({ registry: 'removal' }, t.removal.title, this.state.page?.registry === 'removal')}
        <button type="button" title=${own ? t.linkOwn : t.copyLink} @click=${() => void this.#copy()}>
          <span aria-live="polite">${label}</span>
        </button>
        ${this.#select(t.language, LANGUAGES, this.state.language, NAMES, (language) => ({ language }))}
        ${this.#select(t.theme, THEMES, this.state.theme, t.themes, (theme) => ({ theme }))}
      </div>
    </header>`;
  }

  #select<T extends string>(
    label: string,
    ids: readonly T[],
    value: T,
    names: Readonly<Record<T, string>>,
    settings: (id: T) => { language?: Language; theme?: Theme },
  ) {
    const change = (event: Event) => {
      const id = (event.target as HTMLSelectElement).value as T;
      this.app.store.dispatch({ type: 'set', settings: settings(id) });
    };
    return html`<label>
      <span class="hidden-text">${label}</span>
      <select title=${label} @change=${change}>
        ${ids.map((id) => html`<option value=${id} .selected=${id === value}>${names[id]}</option>`)}
      </select>
    </label>`;
  }
}

/** A dormer window in its roof. */
const LOGO = html`<svg viewBox="0 0 32 32" aria-hidden="true">
  ${svg`<path d="M2 27 16 4l14 23Z" fill="currentColor" opacity=".18"></path>
    <path d="M9 26V15.5L16 9l7 6.5V26Z" fill="currentColor"></path>
    <path d="M12 25v-8l4-3.8 4 3.8v8Z" fill="var(--paper)"></path>
    <path d="M16 13v12M12 19h8" stroke="currentColor" stroke-width="1.4"></path>`}
</svg>`;

declare global {
  interface HTMLElementTagNameMap {
    'page-header': PageHeader;
  }
}
