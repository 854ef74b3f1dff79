import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { toWire } from '../errors.js';
import { MOST_MAPS } from '../plan.js';
import { download, fileName } from '../export/download.js';
import { benchJson, benchSheet } from '../removal/bench-files.js';
import { fresh, mapOf, maskOf, MOST_DRAWS } from '../removal/bench.js';
import { available, compared, shareOf } from '../removal/bench-work.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './error-note.js';
import './fill-card.js';
import './gauge-table.js';
import './info-pop.js';
import './work-bar.js';

/** Every imputer's filling of what is removed, side by side, one computed after the other. */
@customElement('fill-grid')
export class FillGrid extends AppElement {
  static override styles = [
    shared,
    css`
      .cards {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 13em), 1fr));
        gap: 1.4em 1.1em;
        align-items: start;
      }
      @media (max-width: 30rem) {
        .cards {
          grid-template-columns: repeat(2, minmax(0, 1fr));
          gap: 1.1em 0.8em;
        }
      }
      .stale {
        padding: 0.6em 0.9em;
        border-inline-start: 4px solid var(--edge);
        border-radius: 0.4em;
        background: var(--sunk);
      }
      .choice {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 14em), 1fr));
        gap: 0 1.25em;
      }
      .draws {
        max-width: 16em;
      }
      work-bar {
        flex: 1 1 12em;
      }
      .exports {
        display: grid;
        gap: 0.5em;
      }
    `,
  ];

  /** It is being filled, or explained first. */
  @state() private running = false;

  readonly #run = (): void => {
    const { controller } = this.app;
    if (this.running) controller.cancel();
    else {
      this.running = true;
      const fill = () => controller.bench.fill();
      const filled = this.#needsMap ? controller.withMap(fill) : fill();
      void filled.finally(() => (this.running = false));
    }
  };

  /** Whether the pixels are an explanation's that is not there yet. */
  get #needsMap(): boolean {
    return this.state.bench.source === 'explanation' && mapOf(this.state) === null;
  }

  #toggle(id: string): void {
    const now = compared(this.state).map((i) => i.id);
    const fills = now.includes(id) ? now.filter((other) => other !== id) : [...now, id];
    const all = available(this.state).length;
    // All of them is the same as no choice, so that a later imputer joins in.
    this.app.store.dispatch({ type: 'bench', bench: { fills: fills.length === all ? [] : fills } });
    this.requestUpdate();
  }

  async #save(form: 'json' | 'png'): Promise<void> {
    const { state } = this;
    try {
      const name = (i: string) => {
        const entry = state.catalogue?.imputers.find((e) => e.id === i);
        return entry ? this.text('imputer', entry).name : i;
      };
      const blob =
        form === 'json'
          ? new Blob([benchJson(state)], { type: 'application/json' })
          : await benchSheet(state, name, this.t, this.f);
      download(fileName([state.modelId, state.picture?.name ?? '', 'removal'], `.${form}`), blob);
    } catch (thrown) {
      this.app.store.dispatch({ type: 'notice', notice: { place: 'fill', error: toWire(thrown) } });
    }
  }

  protected override render() {
    const t = this.t.removal.fills;
    const { bench, work, target } = this.state;
    const { filled } = bench;
    const mask = maskOf(this.state);
    const running = this.running || work?.task === 'fill';
    const share = mask ? shareOf(mask) : 0;
    const chosen = compared(this.state);
    const stale = filled.length > 0 && !running && !fresh(filled, mask, target);
    const why = this.#needsMap
      ? this.#wait()
      : !mask
        ? t.noMask
        : share === 0
          ? t.nothing
          : chosen.length === 0
            ? t.noFills
            : '';
    return html`<div class="stack">
      <div class="row">
        <button
          class=${running ? '' : 'primary'}
          type="button"
          ?disabled=${!running && why !== '' && (!this.#needsMap || this.#full())}
          @click=${this.#run}
        >
          ${running ? this.t.cancel : t.run(this.f.count(chosen.length))}
        </button>
        ${why && !running ? html`<span class="small soft">${why}</span>` : nothing}
        ${running ? html`<work-bar .app=${this.app} .tasks=${['explain', 'fill']}></work-bar>` : nothing}
        ${
          filled.length > 0 && !running
            ? html`<info-pop labelled label=${t.save}>
                <span slot="label">${t.save}</span>
                <div class="exports">
                  <button type="button" @click=${() => void this.#save('png')}>${t.exports.png}</button>
                  <button type="button" @click=${() => void this.#save('json')}>${t.exports.json}</button>
                </div>
              </info-pop>`
            : nothing
        }
      </div>
      ${this.#settings()}
      <error-note .app=${this.app} place="fill"></error-note>
      ${stale ? html`<p class="stale small" role="status">${t.stale}</p>` : nothing}
      ${share === 1 ? html`<p class="small soft">${t.everything}</p>` : nothing}
      ${
        filled.length > 0
          ? html`<div class="cards">
              ${repeat(
                filled,
                (f) => f.imputer,
                (f) => html`<fill-card .app=${this.app} .filled=${f}></fill-card>`,
              )}
            </div>`
          : nothing
      }
      <gauge-table .app=${this.app}></gauge-table>
      ${filled.length > 0 ? html`<p class="small soft">${t.one}</p>` : nothing}
    </div>`;
  }

  #full(): boolean {
    return this.state.explained.length >= MOST_MAPS;
  }

  /** What comes before the fillings. */
  #wait(): string {
    const { bench } = this.state;
    return this.#full()
      ? this.t.guide.full(this.f.count(MOST_MAPS))
      : this.t.removal.film.noMap(this.methodName(bench.method));
  }

  #settings() {
    const t = this.t.removal.fills;
    const { catalogue, bench } = this.state;
    const can = new Set(available(this.state).map((i) => i.id));
    const chosen = new Set(compared(this.state).map((i) => i.id));
    const random = available(this.state).some((i) => i.stochastic && chosen.has(i.id));
    return html`<details class="small">
      <summary>${t.choose}</summary>
      <div class="stack">
        <ul class="choice">
          ${catalogue?.imputers.map(
            (i) =>
              html`<li>
                <label class="check">
                  <input
                    type="checkbox"
                    .checked=${chosen.has(i.id)}
                    ?disabled=${!can.has(i.id)}
                    @change=${() => this.#toggle(i.id)}
                  />
                  <span>
                    ${this.text('imputer', i).name}
                    ${can.has(i.id) ? nothing : html`<span class="soft">(${t.noNetwork})</span>`}
                  </span>
                </label>
              </li>`,
          )}
        </ul>
        ${
          random
            ? html`<label class="field draws">
                <span class="label">${t.draws}</span>
                <input
                  type="number"
                  min="1"
                  max=${MOST_DRAWS}
                  step="1"
                  .value=${String(bench.draws)}
                  @change=${(event: Event) => {
                    const box = event.target as HTMLInputElement;
                    const draws = Math.round(Math.min(MOST_DRAWS, Math.max(1, box.valueAsNumber || 1)));
                    box.value = String(draws);
                    this.app.store.dispatch({ type: 'bench', bench: { draws } });
                  }}
                />
              </label>`
            : nothing
        }
      </div>
    </details>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'fill-grid': FillGrid;
  }
}
