import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { download, fileName } from '../export/download.js';
import { reportCsv, reportJson } from '../export/report.js';
import { scorable } from '../plan.js';
import { score, verdict, type Row } from '../reading.js';
import { columnsOf, tally, type Column } from '../report.js';
import { hasRows, rowsOf } from '../score.js';
import type { Scores } from '../state.js';
import { shared } from '../styles/shared.js';
import './agreement-matrix.js';
import './curves-panel.js';
import './error-note.js';
import './info-pop.js';
import './metric-plan.js';
import './parallel-plot.js';
import { ReportElement } from './report-base.js';
import './report-ranking.js';
import './score-table.js';
import './section-frame.js';
import './work-bar.js';

/** What a map that knows nothing should not do as well. Simple, steady or alike it can be. */
const KNOWING: ReadonlySet<string> = new Set(['faithfulness', 'localisation', 'randomisation']);

/** Columns of the matrix that fit beside the curves. */
const NARROW = 6;

/** Step 4: maps by metrics by fillings beside the controls, ranked, with what they say and where they disagree. */
@customElement('trust-section')
export class TrustSection extends ReportElement {
  static override styles = [
    shared,
    css`
      .main,
      .results {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25em;
      }
      .results {
        gap: 2em;
      }
      .pair {
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
      .stopped {
        padding: 0.7em 1.2em;
        border-inline-start: 4px solid var(--edge);
        border-radius: 0.4em;
        background: var(--sunk);
      }
      .exports {
        display: grid;
        gap: 0.5em;
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
      .printed {
        display: none;
      }
      @media print {
        .printed {
          display: block;
        }
        .noprint,
        metric-plan,
        hr {
          display: none;
        }
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
    const { scores, work, explained } = this.state;
    const running = work?.task === 'score';
    const rows = rowsOf(this.state);
    const count = rows.filter((row) => !row.control).length;
    const ready = hasRows(this.state) && columnsOf(this.state).length > 0;
    return html`<section-frame number="4" heading=${this.t.sections.trust} lead=${this.t.leads.trust}>
      <div class="main">
        <metric-plan .app=${this.app}></metric-plan>
        <div class="row noprint">
          <button class=${running ? '' : 'primary'} type="button" ?disabled=${!ready && !running} @click=${this.#run}>
            ${running ? this.t.cancel : t.score}
          </button>
          <span class="small soft">
            ${count > 0 ? t.plan(t.maps(count), t.controls(rows.length - count)) : t.waiting}
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
    const t = this.t.report;
    return html`<hr />
      <div class="results">
        <p class="printed">
          <strong>${t.printed(this.state.picture?.name ?? '', this.state.model?.name ?? '')}</strong>
        </p>
        ${running ? nothing : this.#outcome(scores)} ${running ? nothing : this.#reading(scores)}
        <score-table .app=${this.app}></score-table>
        ${
          running
            ? nothing
            : html`<report-ranking .app=${this.app}></report-ranking> <parallel-plot .app=${this.app}></parallel-plot>`
        }
        <div class=${scores.columns.length > NARROW ? 'results' : 'pair'}>
          ${running ? nothing : html`<agreement-matrix .app=${this.app}></agreement-matrix>`}
          <curves-panel .app=${this.app}></curves-panel>
        </div>
      </div>`;
  }

  /** How far the run came, and the way to go on. */
  #outcome(scores: Scores) {
    const t = this.t.report;
    const { rows, columns, stopped, seconds } = scores;
    const count = tally(rows, columns);
    const left = t.scores(count.unreached);
    return html`${
        stopped && count.unreached > 0
          ? html`<div class="stopped row" role="status">
              <span class="grow">
                ${stopped === 'budget' ? t.budgetUsed(this.f.duration(this.state.plan.budget), left) : t.cancelled(left)}
              </span>
              <button class="noprint" type="button" @click=${this.#run}>${t.goOn}</button>
            </div>`
          : nothing
      }
      <div class="row noprint">
        <span class="grow small soft">
          ${t.took(this.f.duration(seconds), t.scores(count.scored))}
          ${count.undefined > 0 ? t.undefinedCount(count.undefined) : nothing}
        </span>
        <info-pop labelled label=${t.export}>
          <span slot="label">${t.export}</span>
          <div class="exports">
            <button type="button" @click=${() => this.#save('json')}>${t.exports.json}</button>
            <button type="button" @click=${() => this.#save('csv')}>${t.exports.csv}</button>
            <button type="button" @click=${() => void this.#print()}>${t.exports.print}</button>
          </div>
        </info-pop>
      </div>`;
  }

  #save(form: 'json' | 'csv'): void {
    const { scores, picture, answer, catalogue, modelId } = this.state;
    if (!scores) return;
    const subject = {
      scores,
      picture: picture?.sample ?? picture?.name ?? '',
      answer: answer?.[0]?.label ?? '',
      metrics: catalogue?.metrics ?? [],
    };
    const text = form === 'json' ? reportJson(subject) : reportCsv(subject);
    const type = form === 'json' ? 'application/json' : 'text/csv';
    download(fileName([modelId, picture?.name ?? '', scores.label, 'report'], `.${form}`), new Blob([text], { type }));
  }

  /** Prints the report alone: the playground hides the rest while it has the attribute. */
  async #print(): Promise<void> {
    const root = this.getRootNode();
    const host = root instanceof ShadowRoot ? root.host : null;
    host?.toggleAttribute('printing', true);
    // The box that held the button closes first, so that it is not printed.
    this.shadowRoot?.querySelector('info-pop')?.close();
    await this.updateComplete;
    window.addEventListener('afterprint', () => host?.toggleAttribute('printing', false), { once: true });
    window.print();
  }

  #reading({ columns, rows }: Scores) {
    const t = this.t.trust;
    return html`<div class="reading">
      <h3>${t.reading}</h3>
      ${columns.map((column) => html`<p>${this.#sentence(column, columns, rows)}</p>`)}
      <p class="small soft">${t.onePicture}</p>
    </div>`;
  }

  #sentence(column: Column, columns: readonly Column[], rows: Scores['rows']): string {
    const t = this.t.trust;
    const name = this.columnName(column, columns);
    const value = (row: Row) => this.f.number(score(row, column.id) ?? Number.NaN);
    const found = verdict(rows, column.id, column.direction);
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
        const words = KNOWING.has(column.category) ? t.beaten : this.t.report.beatenHere;
        return words(name, this.rowName(found.method), value(found.method), this.f.list(by));
      }
      case 'ties':
        return t.ties(name, this.rowName(found.method), value(found.method), this.rowName(found.control));
      case 'nothing':
        return `${t.nothing(name)} ${this.#why(column, rows)}`.trim();
    }
  }

  /** Why no explanation has a number in this column. */
  #why(column: Column, rows: Scores['rows']): string {
    const reasons = rows.flatMap((row) => {
      const cell = row.cells[column.id];
      if (row.control || !cell) return [];
      if (cell.state === 'unreached') return [this.t.report.unreached];
      if (cell.state === 'failed') return [this.t.trust.failed(cell.error.message)];
      return cell.state === 'done' && cell.result.undefined ? [this.t.trust.undefined(cell.result.undefined)] : [];
    });
    return reasons[0] ? `(${reasons[0]})` : '';
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'trust-section': TrustSection;
  }
}
