import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { byFamily } from '../finding.js';
import { blocked, MOST_MAPS } from '../plan.js';
import { LEAST_SHARE, mapOf, maskOf, MOST_SHARE, SOURCES, type Bench, type Source } from '../removal/bench.js';
import type { First } from '../removal/masks.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { sheet } from '../styles/sheet.js';
import './error-note.js';
import './fill-grid.js';
import './film-player.js';
import './heatmap-view.js';
import './mask-editor.js';
import './remover-curves.js';
import './sample-list.js';

import './seed-field.js';
import { SheetPage } from './sheet-page.js';
import './term-note.js';
import './work-bar.js';

const FIRSTS: readonly First[] = ['most', 'least'];

/** The removal bench: what is removed, what each filling makes of it, and what the network says to that. */
@customElement('removal-page')
export class RemovalPage extends SheetPage {
  static override styles = [
    shared,
    sheet,
    css`
      .lead {
        max-width: 46em;
        font-size: 1.1em;
      }
      .part {
        padding-top: 1.25em;
        border-top: 1px solid var(--line);
        gap: 0.9em;
      }
      .part > p {
        max-width: 46em;
      }
      sample-list {
        --thumb: minmax(2.6em, 3.4em);
      }
      .what {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25em 2em;
        align-items: start;
      }
      @media (min-width: 52rem) {
        .what {
          grid-template-columns: minmax(0, 22em) minmax(0, 1fr);
        }
      }
      .options {
        display: grid;
        gap: 0.9em;
        max-width: 34em;
      }
      heatmap-view {
        max-width: 11em;
      }
      work-bar {
        flex: 1 1 12em;
      }
      .sources {
        display: grid;
        gap: 0.1em;
      }
      seed-field {
        max-width: 12em;
      }
      .options .fields {
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 15em), 1fr));
      }
    `,
  ];

  #set(bench: Partial<Bench>): void {
    this.app.store.dispatch({ type: 'bench', bench });
  }

  /** Changes where the pixels come from; by hand it goes on with what was removed before. */
  #from(source: Source): void {
    const { bench } = this.state;
    const before = maskOf(this.state);
    const kept =
      source === 'brush' && bench.painted === null && bench.source !== 'explanation' ? before : bench.painted;
    this.#set({ source, painted: kept });
    if (source === 'segments' && !bench.segments) void this.app.controller.bench.segment();
  }

  protected override render() {
    const t = this.t.removal;
    return html`<article aria-label=${t.title}>
      ${this.navigation()}
      <header class="stack">
        <h2 tabindex="-1">${t.title}</h2>
        <p class="lead">${t.lead}</p>
        <p class="small">${this.link({ registry: 'study' }, t.study)}</p>
      </header>
      ${this.#subject()}
      ${
        this.state.prepared && this.state.answer
          ? html`${this.#what()} ${this.#parts()}`
          : html`<p class="soft">${this.t.answer.waiting}</p>`
      }
    </article>`;
  }

  /** The picture and its answer, which can be changed here. */
  #subject() {
    const t = this.t.removal;
    const { answer, target } = this.state;
    const entry = entryOf(this.state);
    const looked = answer?.find((c) => c.class === target);
    return html`<div class="stack">
      <sample-list .app=${this.app}></sample-list>
      <div class="row">
        <open-picture .app=${this.app}></open-picture>
        <span class="small soft">
          ${entry ? t.network(entry.card.name) : nothing}
          ${looked ? t.answer(looked.label, this.f.percent(looked.probability)) : nothing}
        </span>
      </div>
      <error-note .app=${this.app} place="picture"></error-note>
      <work-bar .app=${this.app} .tasks=${['model', 'picture']}></work-bar>
    </div>`;
  }

  #what() {
    const t = this.t.removal;
    const { bench } = this.state;
    return html`<section class="part" aria-label=${t.what}>
      <h3>${t.what} <term-note .app=${this.app} term="imputer"></term-note></h3>
      <div class="what">
        <mask-editor .app=${this.app}></mask-editor>
        <div class="options">
          <fieldset>
            <legend class="label">${t.from}</legend>
            <div class="sources">
              ${SOURCES.map(
                (source) =>
                  html`<label class="check">
                    <input
                      type="radio"
                      name="source"
                      .checked=${bench.source === source}
                      @change=${() => this.#from(source)}
                    />
                    <span>${t.sources[source]}</span>
                  </label>`,
              )}
            </div>
          </fieldset>
          ${bench.source === 'brush' ? nothing : this.#share()}
          ${bench.source === 'explanation' ? this.#ranking() : nothing}
          ${
            bench.source === 'pixels' || bench.source === 'segments'
              ? html`<seed-field .app=${this.app}></seed-field>`
              : nothing
          }
          ${
            bench.source === 'segments' && !bench.segments
              ? html`<button type="button" @click=${() => void this.app.controller.bench.segment()}>${t.cut}</button>`
              : nothing
          }
        </div>
      </div>
    </section>`;
  }

  #share() {
    const t = this.t.removal;
    const { share } = this.state.bench;
    return html`<label class="field">
      <span class="label">${t.share(this.f.percent(share / 100))}</span>
      <input
        type="range"
        min=${LEAST_SHARE}
        max=${MOST_SHARE}
        step="1"
        .value=${String(share)}
        aria-valuetext=${this.f.percent(share / 100)}
        @input=${(event: Event) => this.#set({ share: (event.target as HTMLInputElement).valueAsNumber, picked: null })}
      />
    </label>`;
  }

  /** Which map ranks the pixels, and which end goes. */
  #ranking() {
    const t = this.t.removal;
    const { bench, work, prepared, view } = this.state;
    const map = mapOf(this.state);
    const running = work?.task === 'explain';
    return html`<div class="fields">
        <label class="field">
          <span class="label">${t.map}</span>
          <select @change=${(event: Event) => this.#set({ method: (event.target as HTMLSelectElement).value })}>
            ${this.#methods()}
          </select>
        </label>
        <label class="field">
          <span class="label">${t.first}</span>
          <select @change=${(event: Event) => this.#set({ first: (event.target as HTMLSelectElement).value as First })}>
            ${FIRSTS.map((f) => html`<option value=${f} .selected=${f === bench.first}>${t.firsts[f]}</option>`)}
          </select>
        </label>
      </div>
      ${
        map
          ? html`<heatmap-view
              still
              .map=${map.map}
              .prepared=${prepared}
              .view=${view}
              alt=${this.t.why.mapAlt(this.methodName(map.method.id), map.label)}
            ></heatmap-view>`
          : html`<div class="row">
              <button
                class=${running ? '' : 'primary'}
                type="button"
                ?disabled=${!running && this.#full()}
                @click=${this.#explain}
              >
                ${running ? this.t.cancel : t.compute(this.methodName(bench.method))}
              </button>
              <work-bar .app=${this.app} .tasks=${['explain']}></work-bar>
            </div>`
      }
      ${!map && this.#full() ? html`<p class="small">${this.t.guide.full(this.f.count(MOST_MAPS))}</p>` : nothing}
      <error-note .app=${this.app} place="explain"></error-note>`;
  }

  readonly #explain = (): void => {
    if (this.state.work?.task === 'explain') this.app.controller.cancel();
    else void this.app.controller.explainAll([this.state.bench.method]);
  };

  #full(): boolean {
    return this.state.explained.length >= MOST_MAPS;
  }

  /** Computed maps first, then what can be computed. */
  #methods() {
    const t = this.t.removal;
    const { catalogue, explained, target, bench } = this.state;
    const computed = new Set(explained.filter((e) => e.result && e.target.class === target).map((e) => e.method.id));
    const all = catalogue?.methods ?? [];
    const here = all.filter((m) => computed.has(m.id));
    const others = all.filter((m) => !computed.has(m.id) && blocked(this.state, m) === null);
    const option = (id: string) =>
      html`<option value=${id} .selected=${id === bench.method}>${this.methodName(id)}</option>`;
    return html`${
      here.length > 0 ? html`<optgroup label=${t.computed}>${here.map((m) => option(m.id))}</optgroup>` : nothing
    }
    ${byFamily(others).map(
      ({ family, entries }) =>
        html`<optgroup label=${this.t.guide.families[family]?.name ?? family}>
          ${entries.map((m) => option(m.id))}
        </optgroup>`,
    )}`;
  }

  #parts() {
    const t = this.t.removal;
    return html`<section class="part" aria-label=${t.fills.title}>
        <h3>${t.fills.title}</h3>
        <p class="soft">${t.fills.lead}</p>
        <fill-grid .app=${this.app}></fill-grid>
      </section>
      <section class="part" aria-label=${t.film.title}>
        <h3>${t.film.title}</h3>
        <p class="soft">${t.film.lead}</p>
        <film-player .app=${this.app}></film-player>
      </section>
      <section class="part" aria-label=${t.removers.title}>
        <h3>${t.removers.title}</h3>
        <p class="soft">${t.removers.lead}</p>
        <remover-curves .app=${this.app}></remover-curves>
      </section>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'removal-page': RemovalPage;
  }
}
