import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { LONGEST_SIDE } from '../picture.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './error-note.js';
import './model-picker.js';
import './open-picture.js';
import './own-model.js';
import './prepared-view.js';
import './sample-list.js';
import './section-frame.js';
import './work-bar.js';

/** Step 1: the network and the picture. */
@customElement('picture-section')
export class PictureSection extends AppElement {
  static override styles = [
    shared,
    css`
      figure {
        display: grid;
        gap: 0.5em;
      }
      .blank {
        aspect-ratio: 1;
        border-radius: var(--radius);
        background: var(--sunk);
      }
    `,
  ];

  protected override render() {
    const t = this.t.picture;
    return html`<section-frame number="1" heading=${this.t.sections.picture} lead=${this.t.leads.picture}>
      <div class="stack">
        <model-picker .app=${this.app}></model-picker>
        <own-model .app=${this.app}></own-model>
        <error-note .app=${this.app} place="model"></error-note>
        <sample-list .app=${this.app}></sample-list>
        <div class="row">
          <open-picture .app=${this.app} camera></open-picture>
          <span class="soft small">${t.drop}</span>
        </div>
        <error-note .app=${this.app} place="picture"></error-note>
        <work-bar .app=${this.app} .tasks=${['model', 'picture']}></work-bar>
        ${this.#seen()}
      </div>
    </section-frame>`;
  }

  #seen() {
    const t = this.t.picture;
    const { prepared, picture } = this.state;
    if (!prepared || !picture) return html`<div class="blank" aria-hidden="true"></div>`;
    const sample = entryOf(this.state)?.card.sample.find((s) => s.file === picture.sample);
    const size = t.size(this.f.count(picture.width), this.f.count(picture.height));
    const alt = t.seenAlt(picture.name, prepared.width, prepared.height);
    return html`<figure>
      <prepared-view .prepared=${prepared} alt=${alt}></prepared-view>
      <figcaption class="soft small">
        ${t.seen} · ${picture.name}, ${size}.
        ${
          picture.reducedFrom
            ? t.reduced(
                this.f.count(LONGEST_SIDE),
                this.f.count(picture.reducedFrom[0]),
                this.f.count(picture.reducedFrom[1]),
              )
            : nothing
        }
        ${sample ? t.credit(sample.credit, sample.licence) : nothing}
      </figcaption>
    </figure>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'picture-section': PictureSection;
  }
}
