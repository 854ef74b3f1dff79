import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { defaultOf } from '../plan.js';
import type { Visualised, WireParam } from '../protocol.gen.js';
import type { Visualisation } from '../state.js';
import { shared } from '../styles/shared.js';
import { VISUALISATION } from '../visualise.js';
import { AppElement } from './base.js';
import './error-note.js';
import './param-form.js';
import './prepared-view.js';
import './provenance-list.js';
import './section-frame.js';
import './seed-field.js';
import './work-bar.js';

/** Parameters that mean something only for some objectives. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  layer: ['channel', 'neuron'],
  channel: ['channel', 'neuron'],
  row: ['neuron'],
  column: ['neuron'],
};
/** Parameters shown at once; the others are settings. */
const FIRST: readonly string[] = ['objective', ...Object.keys(PLACES)];

/** Step 5: the picture that a class, a channel or a neuron answers to most. */
@customElement('visualise-section')
export class VisualiseSection extends AppElement {
  static override styles = [
    shared,
    css`
      figure {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.75em;
        max-width: 26em;
        margin: 0;
      }
      work-bar {
        flex: 1 1 12em;
      }
    `,
  ];

  #run(): void {
    if (this.state.work?.task === 'visualise') this.app.controller.cancel();
    else void this.app.controller.visualise();
  }

  protected override render() {
    const { catalogue, model, work, visualised } = this.state;
    const t = this.t.visualise;
    const params = catalogue?.visualisation ?? [];
    const objective = this.#value(params, 'objective');
    const fits = params.filter((p) => PLACES[p.name]?.includes(objective) ?? true);
    const running = work?.task === 'visualise';
    return html`<section-frame number="5" heading=${this.t.sections.visualise} lead=${this.t.leads.visualise}>
      <div class="stack">
        ${this.#form(fits.filter((p) => FIRST.includes(p.name)))}
        <details class="small">
          <summary>${this.t.settings}</summary>
          ${this.#form(fits.filter((p) => !FIRST.includes(p.name)))}
          <seed-field .app=${this.app}></seed-field>
        </details>
        <div class="row">
          <button class=${running ? '' : 'primary'} type="button" ?disabled=${!model && !running} @click=${this.#run}>
            ${running ? this.t.cancel : t.run}
          </button>
          <work-bar .app=${this.app} .tasks=${['visualise']}></work-bar>
        </div>
        <error-note .app=${this.app} place="visualise"></error-note>
        ${visualised ? this.#seen(visualised) : html`<p class="soft">${t.empty}</p>`}
        <p class="small soft">${t.caution}</p>
      </div>
    </section-frame>`;
  }

  #value(params: readonly WireParam[], name: string): string {
    const param = params.find((p) => p.name === name);
    if (!param) return '';
    return String(this.state.params[VISUALISATION]?.[name] ?? defaultOf(this.state, VISUALISATION, param));
  }

  #form(params: readonly WireParam[]) {
    return html`<param-form .app=${this.app} entry=${VISUALISATION} .params=${params}></param-form>`;
  }

  #seen({ label, seen, result }: Visualisation) {
    const t = this.t.visualise;
    const from = result?.objective[0];
    const to = result?.objective.at(-1);
    return html`<figure>
      <prepared-view .prepared=${seen} alt=${t.alt}></prepared-view>
      <figcaption class="stack small">
        ${result ? html`<strong>${this.#title(label, result.provenance.of.params)}</strong>` : nothing}
        ${
          result && from !== undefined && to !== undefined
            ? html`<span class="soft">
                  ${t.climbed(this.f.number(from), this.f.number(to), this.f.count(result.objective.length))}
                </span>
                <provenance-list .app=${this.app} .provenance=${result.provenance}></provenance-list>`
            : nothing
        }
      </figcaption>
    </figure>`;
  }

  #title(label: string, params: Visualised['provenance']['of']['params']): string {
    const { of } = this.t.visualise;
    const { model } = this.state;
    const normal = model?.defaultLayer === null || !model ? '' : (model.layers[model.defaultLayer]?.name ?? '');
    const [channel, layer] = [String(params['channel']), String(params['layer'] || normal)];
    if (params['objective'] === 'channel') return of.channel(channel, layer);
    if (params['objective'] === 'neuron') return of.neuron(channel, layer);
    return of.logit(label);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'visualise-section': VisualiseSection;
  }
}
