import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { controls, findMetric, scorable } from '../plan.js';
import { score, verdict, type Direction, type Row } from '../reading.js';
import type { Scores, ScoredRow } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './curves-panel.js';
import './error-note.js';
import './metric-plan.js';
import './score-table.js';
import './section-frame.js';
import './work-bar.js';

/** Step 4: scores of the maps beside the controls, their curves, and what they say. */
@customElement('trust-section')
export class TrustSection extends AppElement {
  static override styles = [
    shared,
    css`
      .main {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25em;
      }
      .results {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 26em), 1fr));
        gap: 1.75em 2.25em;
        align-items: start;
      }
      .reading {
        display: grid;
        gap: 0.45em;
        padding: 1em 1.2em;
        border-inline-start: 4px solid var(--accent);
        border-radius: 0.4em;
        background: var(--accent-soft);
      }
      work-bar {
        flex: 1 1 12em;
      }
      hr {
        width: 100%;
        margin: 0;
        border: 0;
        border-top: 1px solid var(--line);
      }
    `,
  ];

  #run(): void {
    if (this.state.work?.task === 'score') this.app.controller.cancel();
    else void this.app.controller.score();
  }

  protected override render() {
    const t = this.t.trust;
    const maps = scorable(this.state);
    const { scores, work, explained, plan } = this.state;
    const running = work?.task === 'score';
    const ready = maps.length > 0 && plan.metrics.length > 0;
    return html`<section-frame number="4" heading=${this.t.sections.trust} lead=${this.t.leads.trust}>
      <div class="main">
        <metric-plan .app=${this.app}></metric-plan>
        <div class="row">
          <button class=${running ? '' : 'primary'} type="button" ?disabled=${!ready && !running} @click=${this.#run}>
            ${running ? this.t.cancel : t.score}
          </button>
          <span class="small soft">
            ${maps.length > 0 ? t.plan(t.maps(maps.length), t.controls(controls(this.state).length)) : t.waiting}
            ${maps[0] && explained.length > maps.length ? t.others(maps[0].label) : nothing}
          </span>
          <work-bar .app=${this.app} .tasks=${['score']}></work-bar>
        </div>
        <error-note .app=${this.app} place="score"></error-note>
        ${scores ? this.#results(scores, running) : nothing}
      </div>
    </section-frame>`;
  }

  #results(scores: Scores, running: boolean) {
    return html`<hr />
      ${running ? nothing : this.#reading(scores)}
      <div class="results">
        <score-table .app=${this.app}></score-table>
        <curves-panel .app=${this.app}></curves-panel>
      </div>`;
  }

  #reading({ metrics, rows }: Scores) {
    const t = this.t.trust;
    return html`<div class="reading">
      <h3>${t.reading}</h3>
      ${metrics.map((id) => html`<p>${this.#sentence(id, rows)}</p>`)}
      <p class="small soft">${t.onePicture}</p>
    </div>`;
  }

  #sentence(id: string, rows: readonly ScoredRow[]): string {
    const t = this.t.trust;
    const metric = findMetric(this.state.catalogue, id);
    if (!metric) return '';
    const { name } = this.text('metric', metric);
    const value = (row: Row) => this.f.number(score(row, id) ?? Number.NaN);
    const found = verdict(rows, id, metric.direction as Direction);
    switch (found.kind) {
      case 'beats-all':
        return t.beatsAll(
          name,
          this.rowName(found.method),
          value(found.method),
          this.rowName(found.control),
          value(found.control),
        );
      case 'beaten': {
        const by = found.by.map((row) => `${this.rowName(row)} (${value(row)})`);
        return t.beaten(name, this.rowName(found.method), value(found.method), this.f.list(by));
      }
      case 'ties':
        return t.ties(name, this.rowName(found.method), value(found.method), this.rowName(found.control));
      case 'nothing':
        return t.nothing(name);
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'trust-section': TrustSection;
  }
}
