import { html, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { findImputer } from '../plan.js';
import { ReportElement } from './report-base.js';
import './error-note.js';
import './work-bar.js';

/** A part of the removal bench that needs the chosen map, which is computed first where it is missing. */
export abstract class MapElement extends ReportElement {
  /** The work is being done, or the map that it needs is computed. */
  @state() protected running = false;

  protected imputerName(id: string): string {
    const entry = findImputer(this.state.catalogue, id);
    return entry ? this.text('imputer', entry).name : id;
  }

  /** The button that starts or cancels `work`, what it will do, and how far it is. */
  protected runner(
    task: 'film' | 'removers',
    work: () => Promise<void>,
    words: { run: string; plan: string; blocked: boolean },
  ) {
    const { running } = this;
    const toggle = () => {
      const { controller } = this.app;
      if (running) controller.cancel();
      else {
        this.running = true;
        void controller.withMap(work).finally(() => (this.running = false));
      }
    };
    return html`<div class="row">
        <button class=${running ? '' : 'primary'} type="button" ?disabled=${!running && words.blocked} @click=${toggle}>
          ${running ? this.t.cancel : words.run}
        </button>
        <span class="small soft">${words.plan}</span>
        ${running ? html`<work-bar .app=${this.app} .tasks=${['explain', task]}></work-bar>` : nothing}
      </div>
      <error-note .app=${this.app} place=${task}></error-note>`;
  }
}
