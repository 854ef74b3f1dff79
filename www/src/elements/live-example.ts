import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { work } from '../costs.js';
import { formats, messages, type Messages, type Registry } from '../i18n/index.js';
import { blocked, findMethod, keyOf } from '../plan.js';
import { entryOf, Store, type Prepared, type State } from '../state.js';
import { shared } from '../styles/shared.js';
import type { App } from './base.js';
import './curves-panel.js';
import './error-note.js';
import './explained-card.js';
import './prepared-view.js';
import './param-form.js';
import './sample-list.js';
import './score-table.js';
import './seed-field.js';
import './work-bar.js';

/** The bundled network small enough for examples. */
const NETWORK = 'objects';
/** The engine's key of the example's picture, beside the playground's. */
const KEY = 'example';
/** An example that takes no longer runs unasked, seconds. */
const AT_ONCE = 2;
/** The method whose map is scored in a metric's example, and the one for networks without gradients. */
const SCORED = ['grad-cam', 'occlusion'];

/** An entry of a registry at work on a small bundled network: a playground of its own beside the visitor's. */
@customElement('live-example')
export class LiveExample extends LitElement {
  static override styles = [
    shared,
    css`
      .frame {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.9em;
        padding: 1.1em 1.2em;
        border-radius: var(--radius);
        background: var(--sunk);
      }
      h3 {
        font-size: 1.1em;
      }
      explained-card {
        max-width: 24em;
      }
      .three {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: 0.75em;
      }
      figure {
        display: grid;
        gap: 0.3em;
      }
      work-bar {
        flex: 1 1 10em;
      }
      seed-field {
        max-width: 12em;
      }
      .sheet {
        padding: 0.8em;
        border-radius: 0.5em;
        background: var(--card);
      }
    `,
  ];

  /** The playground that this stands in. */
  @property({ attribute: false }) outer!: App;
  @property() registry: Registry = 'method';
  @property() entry = '';
  @state() private filled: { readonly of: string; readonly rgba: Uint8ClampedArray<ArrayBuffer> } | null = null;

  #app: App | null = null;
  #ran = '';
  #stop: (() => void)[] = [];

  get #state(): State | null {
    return this.#app?.store.state ?? null;
  }

  get #t(): Messages {
    return messages(this.outer.store.state.language);
  }

  /** The example's own state, on the engine that the page has; made when the engine is there. */
  #begin(): void {
    const { engine, language, theme, catalogue } = this.outer.store.state;
    if (this.#app) {
      if (this.#app.store.state.language !== language) {
        this.#app.store.dispatch({ type: 'set', settings: { language } });
      }
      return;
    }
    if (engine !== 'ready' || !catalogue) return;
    const store = new Store({ language, theme });
    this.#app = { store, controller: this.outer.controller.sibling(store, KEY), linked: this.outer.linked };
    this.#stop.push(store.subscribe(() => this.#follow()));
    void this.#app.controller.start({
      link: { model: NETWORK, ...(this.registry === 'method' && { method: this.entry }) },
      damaged: [],
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#listen();
  }

  #listen(): void {
    this.#stop.push(
      this.outer.store.subscribe(() => {
        this.#begin();
        this.requestUpdate();
      }),
    );
    if (this.#app) this.#stop.push(this.#app.store.subscribe(() => this.#follow()));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#app?.controller.cancel();
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }

  protected override firstUpdated(): void {
    this.#listen();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('entry') || changed.has('registry')) {
      this.#app?.controller.cancel();
      this.#clear();
      this.#ran = '';
      const settings = { method: { method: this.entry }, metric: {}, imputer: { removal: this.entry } }[this.registry];
      this.#app?.store.dispatch({ type: 'set', settings });
    }
    this.#begin();
  }

  #clear(): void {
    this.filled = null;
    for (const { id } of this.#state?.explained ?? []) this.#app?.store.dispatch({ type: 'remove-explained', id });
    this.#app?.store.dispatch({ type: 'scores', scores: null });
  }

  #follow(): void {
    this.requestUpdate();
    const state = this.#state;
    // Wait for the end of what loads; a run of its own follows once a picture.
    if (!state || state.answer === null || state.work !== null) return;
    const now = `${this.registry}/${this.entry} ${state.picture?.sample ?? ''}`;
    if (this.#ran === now || !this.#quick(state)) return;
    this.#ran = now;
    void this.#run();
  }

  #quick(state: State): boolean {
    if (this.registry !== 'method') return this.registry === 'imputer';
    const method = findMethod(state, this.entry);
    const cost = state.costs[keyOf('method', this.entry)];
    if (!method || state.method !== this.entry || !cost || cost.refusal || blocked(state, method)) return false;
    return state.pace !== null && state.pace * work(cost) < AT_ONCE;
  }

  async #run(): Promise<void> {
    const app = this.#app;
    const state = this.#state;
    if (!app || !state) return;
    if (state.work !== null) {
      app.controller.cancel();
      return;
    }
    this.#clear();
    switch (this.registry) {
      case 'method':
        await app.controller.explain();
        return;
      case 'metric': {
        const method = SCORED.map((id) => findMethod(state, id)).find((m) => m && blocked(state, m) === null);
        if (!method) return;
        app.store.dispatch({ type: 'set', settings: { method: method.id } });
        app.store.dispatch({ type: 'plan', plan: { metrics: [this.entry] } });
        await app.controller.explain();
        await app.controller.score();
        return;
      }
      case 'imputer': {
        const { prepared } = state;
        if (!prepared) return;
        app.store.dispatch({ type: 'set', settings: { removal: this.entry } });
        const of = this.entry;
        const rgba = await app.controller.impute(middle(prepared));
        this.filled = rgba ? { of, rgba } : null;
      }
    }
  }

  #use(): void {
    const settings =
      this.registry === 'method' ? { method: this.entry } : this.registry === 'imputer' ? { removal: this.entry } : {};
    const { store } = this.outer;
    if (this.registry === 'metric') {
      const { metrics } = store.state.plan;
      if (!metrics.includes(this.entry)) store.dispatch({ type: 'plan', plan: { metrics: [...metrics, this.entry] } });
    }
    store.dispatch({ type: 'set', settings: { ...settings, page: null } });
  }

  protected override render() {
    const t = this.#t.guide.pages;
    const app = this.#app;
    const state = this.#state;
    const network = state && entryOf(state)?.card.name;
    return html`<section class="frame" aria-label=${t.tryIt}>
      <div class="row">
        <h3 class="grow">${t.tryIt}</h3>
        <button type="button" @click=${this.#use}>${t.use}</button>
      </div>
      ${network ? html`<p class="small soft">${t.tryLead(network)} ${this.#lead()}</p>` : nothing}
      ${app && state?.answer ? this.#example(app, state) : nothing}
      ${app ? html`<error-note .app=${app} place="engine"></error-note><error-note .app=${app} place="explain"></error-note>` : nothing}
    </section>`;
  }

  #lead(): string {
    const t = this.#t.guide.pages;
    return { method: '', metric: t.tryScore, imputer: t.tryFill }[this.registry];
  }

  #example(app: App, state: State) {
    const t = this.#t;
    const f = formats(state.language);
    const method = this.registry === 'method' ? findMethod(state, this.entry) : undefined;
    const stop = method ? blocked(state, method) : null;
    const refused = state.costs[keyOf(this.registry, this.entry)]?.refusal ?? null;
    const top = state.answer?.[0];
    return html`<sample-list .app=${app}></sample-list>
      ${top ? html`<p class="small">${t.guide.pages.answerIs(top.label, f.percent(top.probability))}</p>` : nothing}
      ${this.#form(app, state)}
      ${
        stop
          ? html`<p class="small">${stop.why === 'refused' ? stop.message : t.guide.blockedShort[stop.why]}</p>`
          : html`<div class="row">
              <button
                class="primary"
                type="button"
                ?disabled=${state.work === null && refused !== null}
                @click=${() => void this.#run()}
              >
                ${state.work === null ? t.guide.pages.run : t.cancel}
              </button>
              <work-bar .app=${app} .tasks=${['explain', 'score']}></work-bar>
            </div>`
      }
      ${this.#result(app, state)}`;
  }

  #form(app: App, state: State) {
    const entries: Readonly<
      Record<
        Registry,
        readonly {
          readonly id: string;
          readonly params: readonly { readonly name: string }[];
          readonly stochastic: boolean;
        }[]
      >
    > = {
      method: state.catalogue?.methods ?? [],
      metric: state.catalogue?.metrics ?? [],
      imputer: state.catalogue?.imputers ?? [],
    };
    const entry = entries[this.registry].find((e) => e.id === this.entry);
    if (!entry) return nothing;
    return html`${
      entry.params.length > 0
        ? html`<param-form .app=${app} entry=${keyOf(this.registry, entry.id)} .params=${entry.params}></param-form>`
        : nothing
    }
    ${entry.stochastic ? html`<seed-field class="field" .app=${app}></seed-field>` : nothing}`;
  }

  #result(app: App, state: State) {
    switch (this.registry) {
      case 'method': {
        const found = state.explained.findLast((e) => e.method.id === this.entry);
        return found ? html`<explained-card .app=${app} .explained=${found}></explained-card>` : nothing;
      }
      case 'metric':
        return state.scores
          ? html`<div class="sheet stack">
              <score-table .app=${app}></score-table>
              <curves-panel .app=${app}></curves-panel>
            </div>`
          : nothing;
      case 'imputer':
        return this.#fills(state);
    }
  }

  #fills(state: State) {
    const { prepared } = state;
    if (!prepared || this.filled?.of !== this.entry) return nothing;
    const t = this.#t.guide.pages;
    const hole = new Uint8ClampedArray(prepared.rgba);
    middle(prepared).forEach((gone, i) => gone && hole.fill(0, 4 * i, 4 * i + 4));
    return html`<div class="three small">
      ${[[t.before, prepared.rgba] as const, [t.removed, hole] as const, [t.after, this.filled.rgba] as const].map(
        ([label, rgba]) =>
          html`<figure>
            <prepared-view .prepared=${{ ...prepared, rgba }} alt=${label}></prepared-view>
            <figcaption class="soft">${label}</figcaption>
          </figure>`,
      )}
    </div>`;
  }
}

/** One byte a pixel, 1 in the middle ninth. */
function middle({ width, height }: Prepared): Uint8Array<ArrayBuffer> {
  const inside = (at: number, side: number) => at >= Math.floor(side / 3) && at < Math.ceil((2 * side) / 3);
  return Uint8Array.from({ length: width * height }, (_, i) =>
    inside(i % width, width) && inside(Math.floor(i / width), height) ? 1 : 0,
  );
}

declare global {
  interface HTMLElementTagNameMap {
    'live-example': LiveExample;
  }
}
