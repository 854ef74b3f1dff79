import { css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Choice, Provenance } from '../protocol.gen.js';
import { noteText } from '../notes.js';
import { shared } from '../styles/shared.js';
import { AppElement } from './base.js';
import './term-note.js';

/** How a number or a map came about: enough to repeat it. */
@customElement('provenance-list')
export class ProvenanceList extends AppElement {
  static override styles = [
    shared,
    css`
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.25em 0.9em;
        font-size: 0.9em;
      }
      dt {
        color: var(--soft);
      }
      dd {
        overflow-wrap: anywhere;
      }
      code {
        font-size: 0.85em;
      }
    `,
  ];

  @property({ attribute: false }) provenance!: Provenance;

  #choice({ id, params }: Choice): string {
    const list = Object.entries(params).map(([name, value]) => `${name} ${value === '' ? '–' : String(value)}`);
    return list.length > 0 ? `${id} (${list.join(', ')})` : id;
  }

  protected override render() {
    const t = this.t.provenance;
    const p = this.provenance;
    const kind = this.t.answer.kinds[p.target.kind];
    const passes = html`${t.passCounts(this.f.count(p.forward), this.f.count(p.backward))}
      <term-note .app=${this.app} term="passes"></term-note>`;
    const hash = (name: string, sha256: string | undefined): [string, unknown][] =>
      sha256 ? [[name, html`<code>${sha256}</code>`]] : [];
    const rows: [string, unknown][] = [
      [t.target, `${p.label} (${t.class} ${p.target.class}), ${kind}`],
      [t.of, this.#choice(p.of)],
      [t.removal, p.removal ? this.#choice(p.removal) : t.none],
      [t.seed, p.seed],
      [t.passes, passes],
      [t.device, [p.device, ...(p.notes ?? []).map((note) => noteText(this.t.status, note))].join('. ')],
      [t.model, p.model],
      ...hash(t.hash, p.modelSha256),
      ...hash(t.input, p.inputSha256),
      ...hash(t.baseline, p.baselineSha256),
      ...hash(t.filler, p.removalSha256),
      [t.version, p.lucarne],
    ];
    return html`<dl>
      ${rows.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'provenance-list': ProvenanceList;
  }
}
