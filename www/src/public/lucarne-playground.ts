import { css, html, nothing, type PropertyValues } from 'lit';
import { LitElement } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { Controller } from '../controller.js';
import '../elements/answer-section.js';
import '../elements/catalogue-page.js';
import '../elements/departures-page.js';
import '../elements/entry-page.js';
import type { App } from '../elements/base.js';
import '../elements/error-note.js';
import '../elements/page-header.js';
import '../elements/picture-section.js';
import '../elements/removal-page.js';
import '../elements/status-line.js';
import '../elements/study-page.js';
import '../elements/trust-section.js';
import '../elements/visualise-section.js';
import '../elements/why-section.js';
import { asset, bundledExtras, bundledModels, preloadAssets } from '../engine/assets.js';
import { Client, type EngineState } from '../engine/client.js';
import { Dropping } from '../dropping.js';
import { messages, preferred, type Language } from '../i18n/index.js';
import { Library } from '../library.js';
import { readLink, writeLink, type Link, type ReadLink } from '../link.js';
import { addressOf, readPage, samePage, settingsOf } from '../pages.js';
import { Store, type Task, type Theme } from '../state.js';
import { shared } from '../styles/shared.js';
import { tokens } from '../styles/tokens.js';
import type { ExplainedEvent, ScoredEvent } from './events.js';

/**
 * The playground. Attributes: `model`, `sample`, `method` (ids to start with), `methods` (ids on offer, separated by
 * spaces), `seed`, `lang`, `theme` (`auto`, `light`, `dark`), `linked` (reads and writes `location.hash`).
 * Events: `lucarne-explained`, `lucarne-scored`, `lucarne-language`.
 */
@customElement('lucarne-playground')
export class LucarnePlayground extends LitElement {
  static override styles = [
    tokens,
    shared,
    css`
      :host {
        position: relative;
        container-type: inline-size;
      }
      .page {
        display: grid;
        gap: var(--gap);
        grid-template-columns: minmax(0, 1fr);
        max-width: 96em;
        margin-inline: auto;
        padding: var(--gap);
      }
      .steps,
      .column {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--gap);
        align-items: start;
      }
      @container (min-width: 60em) {
        .steps {
          grid-template-columns: minmax(20em, 27%) minmax(0, 1fr);
        }
      }
      @container (min-width: 120em) {
        .page {
          max-width: 165em;
        }
        .steps {
          grid-template-columns: minmax(22em, 18%) minmax(0, 1fr);
        }
        .column + .column {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        }
      }
      .veil {
        position: fixed;
        inset: 0;
        z-index: 10;
        display: grid;
        place-items: center;
        border: 4px dashed var(--accent);
        background: color-mix(in srgb, var(--paper) 85%, transparent);
        font-size: 1.5em;
        font-weight: 600;
        pointer-events: none;
      }
      @media print {
        :host {
          color-scheme: light;
        }
        :host([printing])
          :is(page-header, status-line, error-note, picture-section, answer-section, why-section, visualise-section) {
          display: none;
        }
        :host([printing]) :is(.steps, .column) {
          display: block;
        }
      }
    `,
  ];

  @property() model = '';
  @property() sample = '';
  @property() method = '';
  @property() methods = '';
  @property({ type: Number }) seed = 0;
  @property() override lang = '';
  @property({ reflect: true }) theme: Theme = 'auto';
  @property({ type: Boolean }) linked = false;
  @state() private dragging = false;
  @state() private said = '';

  readonly #store = new Store();
  readonly #app: App = {
    store: this.#store,
    controller: new Controller(this.#store, new Library({ asset, bundledExtras, bundledModels, preloadAssets }), () =>
      Client.start({ onState: (engine) => this.#engine(engine) }),
    ),
    linked: () => this.linked,
  };
  readonly #dropping = new Dropping(this, this.#app, (over) => (this.dragging = over));
  #before = this.#store.state;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#dropping.listen();
    window.addEventListener('hashchange', this.#turn);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#dropping.stop();
    window.removeEventListener('hashchange', this.#turn);
  }

  protected override firstUpdated(): void {
    const read = this.#wanted();
    const language = read.link.language ?? (this.lang ? preferred([this.lang]) : preferred(navigator.languages));
    const offered = this.methods.split(/\s+/).filter(Boolean);
    const page = this.linked ? readPage(window.location.hash) : null;
    this.#store.dispatch({ type: 'set', settings: { language, theme: this.theme, offered, page } });
    this.#store.subscribe(() => this.#follow());
    this.#follow();
    void this.#app.controller.start(read);
  }

  /** Engines join by and by, and may stop. */
  #engine({ phase, workers, limit, onPage }: EngineState): void {
    const engine = phase === 'stopped' ? 'failed' : 'ready';
    this.#store.dispatch({ type: 'engine', engine, workers, limit, onPage });
  }

  /** The attributes, then the link over them. */
  #wanted(): ReadLink {
    const own: Link = {
      ...(this.model && { model: this.model }),
      ...(this.sample && { picture: this.sample }),
      ...(this.method || this.methods ? { method: this.method || (this.methods.split(/\s+/)[0] ?? '') } : {}),
      ...(this.seed && { seed: this.seed }),
    };
    const { link, damaged } = this.linked ? readLink(settingsOf(window.location.hash)) : { link: {}, damaged: [] };
    return { link: { ...own, ...link }, damaged };
  }

  /** Carries what changed to the outside: attributes, the hash, events, the live region. */
  #follow(): void {
    const { state } = this.#store;
    const before = this.#before;
    this.#before = state;
    this.theme = state.theme;
    this.lang = state.language;
    if (state.language !== before.language || !this.hasUpdated) {
      this.dispatchEvent(new CustomEvent<Language>('lucarne-language', { detail: state.language }));
    }
    if (state.work !== before.work) this.#say(before.work?.task ?? null, state.work?.task ?? null);
    this.#tell(before, state);
    const turned = !samePage(before.page, state.page);
    if (this.linked && (state.answer || turned)) this.#writeHash(turned);
    if (turned && this.linked) window.scrollTo(0, 0);
    this.requestUpdate();
  }

  /** Back and forward, and addresses typed by hand. */
  readonly #turn = (): void => {
    const page = readPage(window.location.hash);
    if (this.linked && !samePage(page, this.#store.state.page)) {
      this.#store.dispatch({ type: 'set', settings: { page } });
    }
  };

  /** A page turned is a step of the history; a setting changed is not. */
  #writeHash(turned: boolean): void {
    const { page } = this.#store.state;
    const hash = addressOf(page, writeLink(this.#app.controller.link()));
    if (hash === window.location.hash) return;
    try {
      if (turned) window.history.pushState(null, '', hash);
      else window.history.replaceState(null, '', hash);
    } catch {
      // Sandboxed frames may not touch their address.
    }
  }

  #tell(before: Store['state'], state: Store['state']): void {
    if (state.explained !== before.explained) {
      const news = state.explained.filter((e) => e.result && !before.explained.includes(e));
      for (const { result, map } of news) {
        if (result && map) {
          const detail: ExplainedEvent['detail'] = { result, map: map.values };
          this.#fire('lucarne-explained', detail);
        }
      }
    }
    if (before.work?.task === 'score' && state.work === null && state.scores) {
      const rows = state.scores.rows.map(({ name, control, cells }) => ({ name, control, cells }));
      const detail: ScoredEvent['detail'] = { rows };
      this.#fire('lucarne-scored', detail);
    }
  }

  #fire(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  #say(before: Task | null, now: Task | null): void {
    const t = messages(this.#store.state.language).work;
    const done: Readonly<Partial<Record<Task, string>>> = t.done;
    if (now !== null && now !== before) this.said = `${t[now]}…`;
    else if (now === null) this.said = (before && done[before]) ?? '';
  }

  protected override updated(changed: PropertyValues): void {
    const { state } = this.#store;
    // The host page may set these attributes at any time.
    if (changed.has('theme') && this.theme !== state.theme) {
      this.#store.dispatch({ type: 'set', settings: { theme: this.theme } });
    }
    if (changed.has('lang') && this.lang && preferred([this.lang]) !== state.language) {
      this.#store.dispatch({ type: 'set', settings: { language: preferred([this.lang]) } });
    }
  }

  #steps() {
    const app = this.#app;
    return html`<div class="column">
        <picture-section .app=${app}></picture-section>
        <answer-section .app=${app}></answer-section>
      </div>
      <div class="column">
        <why-section .app=${app}></why-section>
        <trust-section .app=${app}></trust-section>
        <visualise-section .app=${app}></visualise-section>
      </div>`;
  }

  /** The steps stay alive behind a page: what was computed is still there. */
  #main() {
    const { page } = this.#store.state;
    return html`<div class="steps" ?hidden=${page !== null}>${this.#steps()}</div>
      ${
        page === null
          ? nothing
          : page.registry === 'all'
            ? html`<catalogue-page .app=${this.#app}></catalogue-page>`
            : page.registry === 'departures'
              ? html`<departures-page .app=${this.#app}></departures-page>`
              : page.registry === 'removal'
                ? html`<removal-page .app=${this.#app}></removal-page>`
                : page.registry === 'study'
                  ? html`<study-page .app=${this.#app}></study-page>`
                  : html`<entry-page .app=${this.#app}></entry-page>`
      }`;
  }

  protected override render() {
    const app = this.#app;
    const t = messages(this.#store.state.language);
    return html`<div class="page" lang=${this.#store.state.language}>
      <page-header .app=${app} ?standalone=${this.linked}></page-header>
      <error-note .app=${app} place="engine"></error-note>
      <error-note .app=${app} place="link"></error-note>
      ${this.linked ? html`<main>${this.#main()}</main>` : this.#main()}
      <status-line .app=${app}></status-line>
      <div class="hidden-text" role="status">${this.said}</div>
      ${this.dragging ? html`<div class="veil" aria-hidden="true">${t.picture.dropHere}</div>` : nothing}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'lucarne-playground': LucarnePlayground;
  }
}
