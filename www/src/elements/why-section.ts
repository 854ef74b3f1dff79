import { css, html } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { blocked, findMethod } from '../plan.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './display-controls.js';
import './error-note.js';
import './explained-card.js';
import type { ProbeEvent } from './heatmap-view.js';
import './method-picker.js';
import './section-frame.js';
import './work-bar.js';

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

  #run(): void {
    if (this.state.work?.task === 'explain') this.app.controller.cancel();
    else void this.app.controller.explain();
  }

  protected override render() {
    const { explained, answer, work } = this.state;
    const t = this.t.why;
    const running = work?.task === 'explain';
    const method = findMethod(this.state);
    const ready = answer !== null && method !== undefined && blocked(this.state, method) === null;
    return html`<section-frame number="3" heading=${this.t.sections.why} lead=${this.t.leads.why}>
      <div class="main">
        <method-picker .app=${this.app}></method-picker>
        <div class="row">
          <button class=${running ? '' : 'primary'} type="button" ?disabled=${!ready && !running} @click=${this.#run}>
            ${running ? this.t.cancel : t.explain}
          </button>
          <work-bar .app=${this.app} .tasks=${['explain']}></work-bar>
        </div>
        <error-note .app=${this.app} place="explain"></error-note>
        ${explained.length === 0 ? html`<p class="empty soft">${t.empty}</p>` : this.#maps()}
      </div>
    </section-frame>`;
  }

  #maps() {
    const { explained } = this.state;
    return html`<hr />
      <display-controls .app=${this.app}></display-controls>
      <div class="cards">
        ${repeat(
          explained,
          (e) => e.id,
          (e) =>
            html`<explained-card
              .app=${this.app}
              .explained=${e}
              .at=${this.at}
              @probe=${({ detail }: ProbeEvent) => (this.at = detail && { x: detail.x, y: detail.y })}
            ></explained-card>`,
        )}
      </div>
      <p class="small soft">${this.t.why.probe}</p>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'why-section': WhySection;
  }
}
