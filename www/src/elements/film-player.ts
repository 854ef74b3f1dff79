import { css, html, nothing, type PropertyValues } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { MOST_MAPS } from '../plan.js';
import { mapOf, STEPS, type Film } from '../removal/bench.js';
import { available } from '../removal/bench-work.js';
import { shared } from '../styles/shared.js';
import './curve-plot.js';
import { MapElement } from './map-element.js';
import './prepared-view.js';

/** Milliseconds between two steps of the film; longer where motion is not wanted, so that each is a picture to look at. */
const BEAT = 240;
const SLOW_BEAT = 1500;

/** The deletion as a film: the picture with more and more pixels removed, and the curve of the answer as it is drawn. */
@customElement('film-player')
export class FilmPlayer extends MapElement {
  static override styles = [
    shared,
    css`
      .screen {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1em 2em;
        align-items: start;
      }
      .left {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.7em;
        max-width: 24em;
      }
      @media (min-width: 52rem) {
        .screen {
          grid-template-columns: minmax(0, 22em) minmax(0, 1fr);
        }
      }
      .controls {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0.75em;
        align-items: center;
      }
      .controls button {
        min-width: 6.5em;
      }
      .now {
        min-height: 2.9em;
      }
      work-bar {
        flex: 1 1 12em;
      }
      .fields {
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 15em), 1fr));
        max-width: 40em;
      }
    `,
  ];

  @state() private at = 0;
  @state() private playing = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #shown: Film['choice'] | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#pause();
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    const { film } = this.state.bench;
    // A new film starts at its beginning; one that grows is followed to its end.
    if (film?.choice !== this.#shown) {
      this.#shown = film?.choice ?? null;
      this.#pause();
      this.at = 0;
    }
    if (film && this.state.work?.task === 'film') this.at = Math.max(0, film.frames.length - 1);
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.playing = false;
  }

  readonly #play = (): void => {
    const { film } = this.state.bench;
    if (!film) return;
    if (this.playing) {
      this.#pause();
      return;
    }
    if (this.at >= film.frames.length - 1) this.at = 0;
    this.playing = true;
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#timer = setInterval(
      () => {
        const last = (this.state.bench.film?.frames.length ?? 0) - 1;
        if (this.at >= last) this.#pause();
        else this.at += 1;
      },
      still ? SLOW_BEAT : BEAT,
    );
  };

  protected override render() {
    const t = this.t.removal.film;
    const { bench } = this.state;
    const map = mapOf(this.state);
    return html`<div class="stack">
      <div class="fields">
        <label class="field">
          <span class="label">${t.by}</span>
          <select
            @change=${(event: Event) =>
              this.app.store.dispatch({
                type: 'bench',
                bench: { filmBy: (event.target as HTMLSelectElement).value },
              })}
          >
            ${available(this.state).map(
              (i) =>
                html`<option value=${i.id} .selected=${i.id === bench.filmBy}>${this.text('imputer', i).name}</option>`,
            )}
          </select>
        </label>
        <label class="field">
          <span class="label">${t.steps}</span>
          <select
            @change=${(event: Event) =>
              this.app.store.dispatch({
                type: 'bench',
                bench: { steps: Number((event.target as HTMLSelectElement).value) },
              })}
          >
            ${STEPS.map((n) => html`<option value=${n} .selected=${n === bench.steps}>${this.f.count(n)}</option>`)}
          </select>
        </label>
      </div>
      ${this.runner('film', () => this.app.controller.bench.film(), {
        run: t.run,
        plan: map
          ? t.plan(this.methodName(map.method.id), this.t.removal.firsts[bench.first])
          : t.noMap(this.methodName(bench.method)),
        blocked: !map && this.state.explained.length >= MOST_MAPS,
      })}
      ${bench.film && bench.film.frames.length > 0 ? this.#screen(bench.film, this.running) : nothing}
    </div>`;
  }

  #screen(film: Film, running: boolean) {
    const t = this.t.removal.film;
    const { prepared } = this.state;
    const at = Math.min(this.at, film.frames.length - 1);
    const frame = film.frames[at];
    if (!prepared || !frame) return nothing;
    const { share, rgba, probability, top } = frame;
    const seen = film.frames.slice(0, at + 1);
    const name = t.name(this.methodName(film.method), this.imputerName(film.imputer));
    const series = [{ name: film.label, style: '0', x: seen.map((f) => f.share), y: seen.map((f) => f.probability) }];
    const where = t.removed(this.f.percent(share));
    return html`<div class="screen">
      <div class="left">
        <prepared-view .prepared=${{ ...prepared, rgba }} alt="${name}, ${where}"></prepared-view>
        <div class="controls">
          <button type="button" ?disabled=${running || film.frames.length < 2} @click=${this.#play}>
            ${this.playing ? t.pause : t.play}
          </button>
          <input
            type="range"
            min="0"
            max=${film.frames.length - 1}
            step="1"
            .value=${String(at)}
            aria-label=${t.scrub}
            aria-valuetext=${`${where}; ${film.label} ${this.f.percent(probability)}`}
            ?disabled=${running}
            @input=${(event: Event) => {
              this.#pause();
              this.at = (event.target as HTMLInputElement).valueAsNumber;
            }}
          />
        </div>
        <p class="small now">
          ${where}. ${film.label}: ${this.f.percent(probability)}.
          ${top ? t.answer(top.label, this.f.percent(top.probability)) : nothing}
        </p>
      </div>
      <div class="stack">
        <curve-plot
          .app=${this.app}
          .series=${series}
          .domain=${[0, 1]}
          name=${name}
          x-label=${this.t.trust.xAxis.removed}
          y-label=${this.t.trust.yAxis(this.t.answer.kinds.probability, film.label)}
        ></curve-plot>
        ${film.short ? html`<p class="small soft">${t.short}</p>` : nothing}
      </div>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'film-player': FilmPlayer;
  }
}
