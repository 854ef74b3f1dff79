import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { LONGEST_SIDE } from '../picture.js';
import { entryOf } from '../state.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './error-note.js';
import './model-picker.js';
import './own-model.js';
import './prepared-view.js';
import './sample-thumb.js';
import './section-frame.js';
import './work-bar.js';

/** Step 1: the network and the picture. */
@customElement('picture-section')
export class PictureSection extends AppElement {
  static override styles = [
    shared,
    css`
      .samples {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(2.5em, 1fr));
        gap: 0.4em;
      }
      .samples button {
        display: block;
        width: 100%;
        min-height: 0;
        padding: 0;
        border: 2px solid transparent;
        border-radius: 0.6em;
        overflow: hidden;
        background: none;
      }
      .samples button[aria-pressed='true'] {
        border-color: var(--accent);
        box-shadow: 0 0 0 2px var(--accent);
      }
      figure {
        display: grid;
        gap: 0.5em;
      }
      .blank {
        aspect-ratio: 1;
        border-radius: var(--radius);
        background: var(--sunk);
      }
      .camera {
        display: none;
      }
      @media (pointer: coarse) {
        .camera {
          display: inline-flex;
        }
      }
      .button:focus-within {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
    `,
  ];

  #opened(event: Event): void {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) void this.app.controller.openPicture(file, file.name);
    input.value = '';
  }

  protected override render() {
    const t = this.t.picture;
    const entry = entryOf(this.state);
    const samples = entry?.card.sample ?? [];
    return html`<section-frame number="1" heading=${this.t.sections.picture} lead=${this.t.leads.picture}>
      <div class="stack">
        <model-picker .app=${this.app}></model-picker>
        <own-model .app=${this.app}></own-model>
        <error-note .app=${this.app} place="model"></error-note>
        ${
          samples.length > 0
            ? html`<ul class="samples" aria-label=${t.samples}>
                ${samples.map((s) => html`<li>${this.#sample(entry?.card.id ?? '', s.file, s.label)}</li>`)}
              </ul>`
            : nothing
        }
        <div class="row">
          <label class="button">
            ${t.open}<input class="hidden-text" type="file" accept="image/*" @change=${this.#opened} />
          </label>
          <label class="button camera">
            ${t.camera}<input
              class="hidden-text"
              type="file"
              accept="image/*"
              capture="environment"
              @change=${this.#opened}
            />
          </label>
          <span class="soft small">${t.drop}</span>
        </div>
        <error-note .app=${this.app} place="picture"></error-note>
        <work-bar .app=${this.app} .tasks=${['model', 'picture']}></work-bar>
        ${this.#seen()}
      </div>
    </section-frame>`;
  }

  #sample(model: string, file: string, label: string) {
    const chosen = this.state.picture?.sample === file;
    return html`<button
      type="button"
      title=${label}
      aria-label=${label}
      aria-pressed=${chosen}
      @click=${() => void this.app.controller.chooseSample(file)}
    >
      <sample-thumb .app=${this.app} model=${model} file=${file}></sample-thumb>
    </button>`;
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
