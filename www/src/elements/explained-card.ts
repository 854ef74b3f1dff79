import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { drawn } from '../drawn.js';
import { toWire } from '../errors.js';
import { download, fileName } from '../export/download.js';
import { exportFile, EXPORTS, type ExportId } from '../export/files.js';
import type { Attributed } from '../protocol.gen.js';
import type { Explained } from '../state.js';
import { shared } from '../styles/shared.js';
import { inWords } from '../words.js';
import { AppElement } from './base.js';
import './heatmap-view.js';
import { WHOLE, type Lens } from '../lens.js';
import type { LensEvent, ProbeEvent } from './heatmap-view.js';
import './info-pop.js';
import './provenance-list.js';
import './term-note.js';

/** One explained method: its map, its words, its files. */
@customElement('explained-card')
export class ExplainedCard extends AppElement {
  static override styles = [
    shared,
    css`
      article {
        display: grid;
        gap: 0.55em;
      }
      header {
        display: flex;
        align-items: center;
        gap: 0.4em;
      }
      h3 {
        flex: 1;
        min-width: 0;
        line-height: 1.3;
      }
      .probe {
        min-height: 1.5em;
        font-variant-numeric: tabular-nums;
      }
      .exports {
        display: grid;
        gap: 0.3em;
        justify-items: stretch;
      }
      :host([compact]) h3 .soft {
        display: none;
      }
      :host([compact]) h3 {
        font-size: 0.9em;
      }
      :host([compact]) .probe {
        font-size: 0.78em;
        overflow-wrap: anywhere;
      }
      header button {
        min-width: 2em;
        padding: 0;
      }
    `,
  ];

  @property({ attribute: false }) explained!: Explained;
  @property({ attribute: false }) at: { x: number; y: number } | null = null;
  @property({ attribute: false }) lens: Lens = WHOLE;
  /** The value drawn at full colour; the map's own where there is none. */
  @property({ attribute: false }) scale: number | null = null;
  /** One of many: the map and what is read of it, the rest folded. */
  @property({ type: Boolean, reflect: true }) compact = false;

  #tell(event: ProbeEvent | LensEvent): void {
    this.dispatchEvent(new CustomEvent(event.type, { detail: event.detail }));
  }

  async #save(id: ExportId): Promise<void> {
    const { prepared, view, picture } = this.state;
    if (!prepared) return;
    try {
      const blob = await exportFile(id, this.explained, prepared, view);
      const { method, label } = this.explained;
      download(fileName([picture?.name ?? '', method.id, label], EXPORTS[id]), blob);
    } catch (thrown) {
      this.app.store.dispatch({ type: 'notice', notice: { place: 'explain', error: toWire(thrown) } });
    }
  }

  protected override render() {
    const { explained } = this;
    const { prepared, view } = this.state;
    const t = this.t.why;
    const name = this.methodName(explained.method.id);
    const made =
      explained.map && prepared ? drawn(explained.map, view.reduction, prepared.width, prepared.height) : null;
    const signed = explained.result?.signed ?? false;
    const { at } = this;
    const value = made && at ? made.plane.values[at.y * made.plane.width + at.x] : undefined;
    const full = this.scale ?? made?.scale ?? 0;
    const words = made ? inWords(made.evidence, signed, this.t, this.f) : '';
    return html`<article aria-label="${name}, ${t.of(explained.label)}">
      <header>
        <h3>${name} <span class="soft small">${t.of(explained.label)}</span></h3>
        <button
          class="quiet"
          type="button"
          aria-label="${this.t.remove}: ${name}, ${t.of(explained.label)}"
          title=${this.t.remove}
          ?disabled=${explained.result === null}
          @click=${() => this.app.store.dispatch({ type: 'remove-explained', id: explained.id })}
        >
          <span aria-hidden="true">✕</span>
        </button>
      </header>
      <heatmap-view
        .map=${explained.map}
        .prepared=${prepared}
        .view=${view}
        .at=${at}
        .lens=${this.lens}
        .scale=${this.scale}
        alt="${t.mapAlt(name, explained.label)}. ${words}"
        @probe=${this.#tell}
        @lens=${this.#tell}
      ></heatmap-view>
      <p class="small probe" aria-live="polite">
        ${
          at && value !== undefined
            ? html`${this.compact ? nothing : html`<span class="soft">${this.t.guide.place(at.x, at.y)}:</span>`}
              ${full > 0 ? this.t.guide.share(this.f.number(value), this.f.percent(value / full)) : this.f.number(value)}`
            : html`<span class="soft">${explained.result ? this.#facts(explained.result) : t.partial}</span>`
        }
      </p>
      ${
        !explained.result
          ? nothing
          : this.compact
            ? html`<details class="small soft">
                <summary>${t.words}</summary>
                ${words}
              </details>`
            : html`<p class="small soft">${words}</p>`
      }
      ${explained.result ? this.#more(explained.result) : nothing}
    </article>`;
  }

  #facts(result: Attributed): string {
    const t = this.t.why;
    const [, height = 0, width = 0] = result.shape;
    return [
      this.f.duration(this.explained.seconds),
      t.resolution(width, height),
      ...(result.layer === null ? [] : [t.layer(result.layer)]),
      ...(result.completenessGap === null ? [] : [t.gap(this.f.number(result.completenessGap))]),
    ].join(' · ');
  }

  #more(result: Attributed) {
    const t = this.t.why;
    return html`<div class="row small">
      <info-pop labelled label=${t.save}>
        <span slot="label">${t.save}</span>
        <div class="exports">
          ${(Object.keys(EXPORTS) as ExportId[]).map(
            (id) => html`<button type="button" @click=${() => void this.#save(id)}>${t.exports[id]}</button>`,
          )}
        </div>
      </info-pop>
      <info-pop labelled label=${this.t.trust.provenance}>
        <span slot="label">${this.t.provenanceShort}</span>
        <provenance-list .app=${this.app} .provenance=${result.provenance}></provenance-list>
      </info-pop>
      ${result.completenessGap === null ? nothing : html`<term-note .app=${this.app} term="completeness"></term-note>`}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'explained-card': ExplainedCard;
  }
}
