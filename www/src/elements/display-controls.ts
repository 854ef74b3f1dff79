import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { DIVERGING, SEQUENTIAL, type ColormapId, type DivergingId, type SequentialId } from '../colormap.js';
import type { Reduction } from '../maps.js';
import { colormapOf, type View } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './colour-scale.js';
import './term-note.js';

const BACKGROUNDS: readonly View['background'][] = ['grey', 'colour', 'none'];
const SCALINGS: readonly View['scaling'][] = ['own', 'shared'];
const REDUCTIONS: readonly Reduction[] = ['signed', 'absolute'];

/** How all maps are drawn. Nothing here computes a map again. */
@customElement('display-controls')
export class DisplayControls extends AppElement {
  static override styles = [
    shared,
    css`
      :host {
        font-size: 0.9em;
      }
      .fields {
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 9em), 1fr));
        align-items: end;
      }
    `,
  ];

  /** On a small screen the map comes first: the rest is folded. */
  private readonly wide = window.matchMedia('(min-width: 40rem)').matches;

  #set(view: Partial<View>): void {
    this.app.store.dispatch({ type: 'view', view });
  }

  protected override render() {
    const t = this.t.why;
    return html`<div class="fields">
      <div class="field">
        <span class="label">${t.scale} <term-note .app=${this.app} term="attribution"></term-note></span>
        <colour-scale .app=${this.app}></colour-scale>
      </div>
      ${
        this.wide
          ? this.#fields()
          : html`<details>
              <summary class="small">${t.display}</summary>
              <div class="fields">${this.#fields()}</div>
            </details>`
      }
    </div>`;
  }

  #fields() {
    const t = this.t.why;
    const { view } = this.state;
    const signed = view.reduction === 'signed';
    const colormaps: readonly ColormapId[] = signed ? DIVERGING : SEQUENTIAL;
    return html` <label class="field">
        <span class="label">${t.opacity}</span>
        <input
          type="range"
          min="0"
          max="1"
          step="0.01"
          .value=${String(view.opacity)}
          ?disabled=${view.background === 'none'}
          aria-valuetext=${this.f.percent(view.opacity)}
          @input=${(event: Event) => this.#set({ opacity: (event.target as HTMLInputElement).valueAsNumber })}
        />
      </label>
      ${this.#select(t.signed, view.reduction, REDUCTIONS, t.reductions, (reduction) => this.#set({ reduction }))}
      ${this.#select(t.colours, colormapOf(view), colormaps, t.colormaps, (id) =>
        this.#set(signed ? { diverging: id as DivergingId } : { sequential: id as SequentialId }),
      )}
      ${this.#select(t.background, view.background, BACKGROUNDS, t.backgrounds, (background) =>
        this.#set({ background }),
      )}
      ${
        this.state.explained.length > 1
          ? this.#select(
              this.t.guide.scaling,
              view.scaling,
              SCALINGS,
              this.t.guide.scalings,
              (scaling) => this.#set({ scaling }),
              this.t.guide.scalingNote,
            )
          : nothing
      }`;
  }

  #select<T extends string>(
    label: string,
    value: T,
    ids: readonly T[],
    names: Readonly<Record<T, string>>,
    change: (id: T) => void,
    note = '',
  ) {
    return html`<label class="field" title=${note || nothing}>
      <span class="label">${label}</span>
      <select @change=${(event: Event) => change((event.target as HTMLSelectElement).value as T)}>
        ${ids.map((id) => html`<option value=${id} .selected=${id === value}>${names[id]}</option>`)}
      </select>
    </label>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'display-controls': DisplayControls;
  }
}
