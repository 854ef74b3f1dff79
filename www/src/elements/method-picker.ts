import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { byFamily, search } from '../finding.js';
import { blocked, choice, comparesWithPicture, findMethod, keyOf } from '../plan.js';
import type { MethodEntry } from '../protocol.gen.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './baseline-picker.js';
import './imputer-select.js';
import './param-form.js';
import './promise-list.js';
import './reference-note.js';
import './seed-field.js';
import './term-note.js';

/** The methods by family, to be searched, and what is known and can be set of the chosen one. */
@customElement('method-picker')
export class MethodPicker extends AppElement {
  static override styles = [
    shared,
    css`
      .families {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 24em), 1fr));
        gap: 0.4em 2em;
        align-items: start;
      }
      .family summary {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 0.6em;
        color: var(--ink);
      }
      .family summary::before {
        content: '▸';
        color: var(--soft);
      }
      .family[open] > summary::before {
        content: '▾';
      }
      .family h4 {
        font-size: 0.95em;
        font-weight: 650;
      }
      .family .stack {
        gap: 0.35em;
        padding-bottom: 0.6em;
      }
      .find {
        max-width: 26em;
      }
      .settings {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75em 1em;
      }
      .settings > * {
        flex: 1 1 12em;
        max-width: 34em;
      }
      .settings > .field {
        flex-grow: 0;
      }
      .chips {
        display: flex;
        flex-wrap: wrap;
        gap: 0.35em;
      }
      .chip {
        position: relative;
        display: inline-flex;
        align-items: center;
        min-height: 2.1em;
        padding: 0.15em 0.85em;
        border: 1px solid var(--edge);
        border-radius: 99em;
        cursor: pointer;
      }
      .chip input {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        opacity: 0;
        cursor: inherit;
      }
      .chip:hover {
        border-color: var(--accent);
        color: var(--accent);
      }
      .chip:has(:checked) {
        border-color: var(--accent);
        background: var(--accent-soft);
        color: var(--ink);
        font-weight: 600;
      }
      .chip:has(:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .chip:has(:disabled) {
        border-style: dashed;
        color: var(--soft);
        cursor: not-allowed;
      }
      .about {
        display: grid;
        gap: 0.35em;
        padding: 0.9em 1.1em;
        border-radius: var(--radius);
        background: var(--sunk);
      }
      .about a {
        color: var(--accent);
        text-underline-offset: 0.15em;
      }
    `,
  ];

  @state() private query = '';
  /** Families that the visitor opened or closed. */
  @state() private turned: Readonly<Record<string, boolean>> = {};
  /** On a small screen only the family of the chosen method is open at first. */
  private readonly wide = window.matchMedia('(min-width: 40rem)').matches;

  #shown(): MethodEntry[] {
    const { catalogue, offered } = this.state;
    return catalogue?.methods.filter((m) => offered.length === 0 || offered.includes(m.id)) ?? [];
  }

  #found(methods: readonly MethodEntry[]): MethodEntry[] {
    const { families, needs } = this.t.guide;
    return search(methods, this.query, (m) => {
      const { name, summary } = this.text('method', m);
      const needed = m.needs.map((n) => `${n} ${needs[n] ?? ''}`);
      return { name, all: [m.id, m.name, summary, families[m.family]?.name ?? '', m.family, ...needed].join(' ') };
    });
  }

  protected override render() {
    const t = this.t.guide;
    const chosen = findMethod(this.state);
    const methods = this.#shown();
    const found = this.#found(methods);
    const searching = this.query.trim() !== '';
    return html`<div class="stack">
      ${
        methods.length > 5
          ? html`<div class="find">
              <input
                type="search"
                aria-label=${t.search(this.f.count(methods.length))}
                placeholder=${t.search(this.f.count(methods.length))}
                title=${t.searchHint}
                .value=${this.query}
                @input=${(event: Event) => (this.query = (event.target as HTMLInputElement).value)}
              />
              <span class="small soft" role="status">${searching ? t.found(found.length) : ''}</span>
            </div>`
          : nothing
      }
      <fieldset>
        <legend class="hidden-text">${this.t.why.method}</legend>
        <div class="families">
          ${byFamily(found).map(({ family, entries }) => this.#family(family, entries, searching))}
        </div>
      </fieldset>
      ${this.#whyGreyed(methods)} ${chosen ? this.#about(chosen) : nothing}
    </div>`;
  }

  #family(family: string, methods: readonly MethodEntry[], searching: boolean) {
    const { name, about } = this.t.guide.families[family] ?? { name: family, about: '' };
    const holds = methods.some((m) => m.id === this.state.method);
    const open = searching || (this.turned[family] ?? (this.wide || holds));
    const turn = (event: Event) => {
      const now = (event.target as HTMLDetailsElement).open;
      if (!searching && now !== open) this.turned = { ...this.turned, [family]: now };
    };
    return html`<details class="family" .open=${open} @toggle=${turn}>
      <summary>
        <h4>${name}</h4>
        <span class="small soft">${this.f.count(methods.length)}</span>
      </summary>
      <div class="stack" role="group" aria-label=${name}>
        <p class="small soft">
          ${about} ${family === 'control' ? html`<term-note .app=${this.app} term="control"></term-note>` : nothing}
        </p>
        <div class="chips">${methods.map((m) => this.#chip(m))}</div>
      </div>
    </details>`;
  }

  #chip(method: MethodEntry) {
    const stop = blocked(this.state, method);
    const why = stop === null ? '' : stop.why === 'refused' ? stop.message : this.t.guide.blockedShort[stop.why];
    const { name, summary } = this.text('method', method);
    return html`<label class="chip" title=${why || summary}>
      <input
        type="radio"
        name="method"
        value=${method.id}
        .checked=${method.id === this.state.method}
        ?disabled=${why !== ''}
        @change=${() => this.app.store.dispatch({ type: 'set', settings: { method: method.id } })}
      />
      ${name}${why ? html`<span class="hidden-text">, ${why}</span>` : nothing}
    </label>`;
  }

  /** The reasons why methods are greyed, each once: a disabled button can't be focused to tell it. */
  #whyGreyed(methods: readonly MethodEntry[]) {
    const t = this.t.guide;
    const reasons = new Map<string, string[]>();
    for (const method of methods) {
      const stop = blocked(this.state, method);
      if (!stop) continue;
      const reason = stop.why === 'refused' ? stop.message : stop.why;
      reasons.set(reason, [...(reasons.get(reason) ?? []), this.text('method', method).name]);
    }
    if (reasons.size === 0) return nothing;
    return html`<ul class="small soft">
      ${[...reasons].map(([reason, names]) => {
        const text = reason === 'gradient' || reason === 'attention' ? t.blocked[reason] : null;
        return html`<li>${text === null ? t.blockedBy(this.f.list(names), reason) : `${text} (${names.length}).`}</li>`;
      })}
    </ul>`;
  }

  #about(method: MethodEntry) {
    const { name, summary, caution } = this.text('method', method);
    return html`<div class="about">
        <p>${summary}</p>
        <p class="small soft"><strong>${this.t.caution}:</strong> ${caution}</p>
        <promise-list .app=${this.app} .method=${method}></promise-list>
        <div class="row">
          <reference-note .app=${this.app} .reference=${method.reference}></reference-note>
          ${this.link({ registry: 'method', id: method.id }, html`${this.t.guide.about(name)}`)}
        </div>
      </div>
      ${this.#settings(method)}`;
  }

  #settings(method: MethodEntry) {
    const { store } = this.app;
    return html`<div class="settings">
      ${
        method.params.length > 0
          ? html`<param-form
              .app=${this.app}
              entry=${keyOf('method', method.id)}
              .params=${method.params}
            ></param-form>`
          : nothing
      }
      ${
        comparesWithPicture(choice(this.state, 'method', method))
          ? html`<baseline-picker .app=${this.app}></baseline-picker>`
          : nothing
      }
      ${method.stochastic ? html`<seed-field class="field" .app=${this.app}></seed-field>` : nothing}
      ${
        method.needs.includes('imputer')
          ? html`<imputer-select
              .app=${this.app}
              .value=${this.state.removal}
              label=${this.t.why.removal}
              @imputer-change=${({ detail }: CustomEvent<string>) =>
                store.dispatch({ type: 'set', settings: { removal: detail } })}
            ></imputer-select>`
          : nothing
      }
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'method-picker': MethodPicker;
  }
}
