import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { work as workOf } from '../costs.js';
import { drawn } from '../drawn.js';
import { runOf } from '../explain.js';
import { WHOLE, type Lens } from '../lens.js';
import { blocked, controls, findMethod, keyOf, MOST_MAPS, sameRun } from '../plan.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './display-controls.js';
import './error-note.js';
import './explained-card.js';
import type { LensEvent, ProbeEvent } from './heatmap-view.js';
import './lens-bar.js';
import './method-picker.js';
import './section-frame.js';
import './work-bar.js';

/** A run longer than this is announced as such, seconds. */
const LONG = 20;

/** Step 3: choose methods, see their maps side by side. */
@customElement('why-section')
export class WhySection extends AppElement {
  static override styles = [
    shared,
    css`
      .cards {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 15em), 1fr));
        gap: 1.5em 1.25em;
        align-items: start;
      }
      .cards.many {
        grid-template-columns: repeat(auto-fill, minmax(max(8.5em, min(30%, 15em)), 1fr));
        gap: 1.1em 1em;
      }
      .empty {
        padding: 2em 1.5em;
        border: 1px dashed var(--edge);
        border-radius: var(--radius);
        text-align: center;
      }
      explained-card {
        max-width: 26em;
      }
      .main {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25em;
      }
      hr {
        width: 100%;
        margin: 0;
        border: 0;
        border-top: 1px solid var(--line);
      }
      work-bar {
        flex: 1 1 12em;
      }
    `,
  ];

  /** Where all maps are read, so that they can be compared. */
  @state() private at: { x: number; y: number } | null = null;

  /** The part that is shown, of all maps alike. */
  @state() private lens: Lens = WHOLE;

  #run(): void {
    if (this.state.work?.task === 'explain') this.app.controller.cancel();
    else void this.app.controller.explain();
  }

  protected override render() {
    const { explained, answer, work } = this.state;
    const t = this.t.why;
    const running = work?.task === 'explain';
    const method = findMethod(this.state);
    const run = runOf(this.state);
    const full = explained.length >= MOST_MAPS && !(run && explained.some((e) => sameRun(e, run)));
    const cost = method && this.state.costs[keyOf('method', method.id)];
    const possible = method !== undefined && blocked(this.state, method) === null && !cost?.refusal;
    const ready = answer !== null && possible && !full;
    return html`<section-frame number="3" heading=${this.t.sections.why} lead=${this.t.leads.why}>
      <div class="main">
        <method-picker .app=${this.app}></method-picker>
        <div class="row">
          <button class=${running ? '' : 'primary'} type="button" ?disabled=${!ready && !running} @click=${this.#run}>
            ${running ? this.t.cancel : t.explain}
          </button>
          ${running ? nothing : html`<span class="small soft" role="status">${full ? this.t.guide.full(this.f.count(MOST_MAPS)) : this.#price()}</span>`}
          <work-bar .app=${this.app} .tasks=${['explain']}></work-bar>
        </div>
        <error-note .app=${this.app} place="explain"></error-note>
        ${explained.length === 0 ? html`<p class="empty soft">${t.empty}</p>` : this.#maps()}
      </div>
    </section-frame>`;
  }

  /** Passes and time of the run that is set, before it starts. */
  #price(): string {
    const t = this.t.guide;
    const { costs, method, pace } = this.state;
    const cost = costs[keyOf('method', method)];
    if (!cost) return '';
    if (cost.refusal) return t.refused;
    const count = (n: number) => (n > 0 ? this.f.count(n) : '');
    if (cost.forward + cost.backward === 0) return t.costNone;
    const seconds = pace === null ? null : pace * workOf(cost);
    const passes = t.cost(count(cost.forward), count(cost.backward));
    const time = seconds === null || seconds < 1 ? [] : [t.costTime(this.f.duration(seconds))];
    const long = seconds !== null && seconds > LONG ? ` ${t.costLong}` : '';
    return `${[passes, ...time].join(', ')}.${long}`;
  }

  /** The widest of the maps' own scales. */
  #scale(): number | null {
    const { explained, prepared, view } = this.state;
    if (view.scaling === 'own' || !prepared) return null;
    const { width, height } = prepared;
    return Math.max(0, ...explained.map((e) => (e.map ? drawn(e.map, view.reduction, width, height).scale : 0)));
  }

  /** The controls that are not shown yet, as far as there is room. */
  #missing(): string[] {
    const { explained, target } = this.state;
    const shown = (id: string) => explained.some((e) => e.method.id === id && e.target.class === target);
    const missing = controls(this.state).filter((m) => !shown(m.id) && blocked(this.state, m) === null);
    return missing.map((m) => m.id).slice(0, Math.max(0, MOST_MAPS - explained.length));
  }

  #maps() {
    const { explained, work } = this.state;
    const t = this.t.guide;
    const scale = this.#scale();
    const missing = this.#missing();
    const many = explained.length > 3;
    return html`<hr />
      <display-controls .app=${this.app}></display-controls>
      <div class="row">
        <lens-bar
          .app=${this.app}
          .lens=${this.lens}
          @lens=${({ detail }: LensEvent) => (this.lens = detail)}
        ></lens-bar>
        <span class="grow"></span>
        ${
          missing.length > 0
            ? html`<button
                type="button"
                ?disabled=${work !== null}
                @click=${() => void this.app.controller.explainAll(missing)}
              >
                ${t.addControls}
              </button>`
            : nothing
        }
        ${
          explained.length > 1
            ? html`<button type="button" ?disabled=${work !== null} @click=${this.#clear}>${t.removeAll}</button>`
            : nothing
        }
      </div>
      <div class="cards ${many ? 'many' : ''}">
        ${repeat(
          explained,
          (e) => e.id,
          (e) =>
            html`<explained-card
              .app=${this.app}
              .explained=${e}
              .at=${this.at}
              .lens=${this.lens}
              .scale=${scale}
              ?compact=${many}
              @probe=${({ detail }: ProbeEvent) => (this.at = detail && { x: detail.x, y: detail.y })}
              @lens=${({ detail }: LensEvent) => (this.lens = detail)}
            ></explained-card>`,
        )}
      </div>
      <p class="small soft">${t.probe}</p>`;
  }

  #clear(): void {
    for (const { id } of this.state.explained) this.app.store.dispatch({ type: 'remove-explained', id });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'why-section': WhySection;
  }
}
