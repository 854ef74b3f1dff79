import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { docOf, pieces, type Doc, type Section } from '../docs.js';
import { paramText, type Registry } from '../i18n/index.js';
import { findImputer, findMethod, findMetric, keyOf } from '../plan.js';
import type { ImputerEntry, MethodEntry, MetricEntry, WireParam } from '../protocol.gen.js';
import { shared } from '../styles/shared.js';
import { sheet } from '../styles/sheet.js';
import './doc-text.js';
import './live-example.js';
import './promise-list.js';
import './reference-note.js';
import { SheetPage } from './sheet-page.js';

/** The page of one method, metric or imputer: its texts, its parameters, and an example that runs. */
@customElement('entry-page')
export class EntryPage extends SheetPage {
  static override styles = [
    shared,
    sheet,
    css`
      .lead {
        font-size: 1.15em;
        max-width: 44em;
      }
      .columns {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.5em 2.5em;
        align-items: start;
      }
      @media (min-width: 66rem) {
        .columns {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1.05fr);
        }
        .columns > live-example {
          position: sticky;
          top: 1em;
        }
      }
      .texts {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.4em;
      }
      .scroll {
        position: relative;
        overflow-x: auto;
      }
      table {
        border-collapse: collapse;
        font-size: 0.9em;
      }
      th,
      td {
        padding: 0.35em 1em 0.35em 0;
        border-bottom: 1px solid var(--line);
        text-align: start;
        vertical-align: top;
      }
      td:last-child {
        min-width: 14em;
      }
      code {
        font-family: ui-monospace, 'SFMono-Regular', 'DejaVu Sans Mono', monospace;
      }
    `,
  ];

  protected override render() {
    const { page, catalogue } = this.state;
    if (page === null || !('id' in page)) return nothing;
    const { registry, id } = page;
    const t = this.t.guide.pages;
    const entry = {
      method: () => findMethod(this.state, id),
      metric: () => findMetric(catalogue, id),
      imputer: () => findImputer(catalogue, id),
    }[registry]();
    const doc = docOf(page);
    const nav = this.navigation();
    if (!entry) {
      return html`<article>
        ${nav}
        <h2 tabindex="-1">${catalogue ? t.unknown(id) : '…'}</h2>
      </article>`;
    }
    const { name, summary, caution } = this.text(registry, entry);
    return html`<article aria-label=${name}>
      ${nav}
      <header class="stack">
        <p class="small soft">${this.#kind(registry, entry)}</p>
        <h2 tabindex="-1">${name}</h2>
        <p class="lead">${summary}</p>
        ${registry === 'method' ? html`<promise-list .app=${this.app} .method=${entry}></promise-list>` : nothing}
        ${registry === 'metric' ? this.#metricFacts(entry as MetricEntry) : nothing}
      </header>
      <div class="columns">
        <div class="texts">
          ${
            caution
              ? html`<section>
                  <h3>${t.misleads}</h3>
                  <p>${caution}</p>
                  ${this.#text(doc, 'misleads')}
                </section>`
              : this.#section(doc, 'misleads')
          }
          ${this.#section(doc, 'what')} ${this.#section(doc, 'formula')} ${this.#section(doc, 'shapes')}
          <section>
            <h3>${t.parameters}</h3>
            ${this.#params(keyOf(registry, id), entry.params)} ${this.#text(doc, 'parameters')}
          </section>
          ${this.#section(doc, 'reference')} ${this.#section(doc, 'parity')} ${this.#siblings(registry, entry)}
        </div>
        <live-example .outer=${this.app} registry=${registry} entry=${id}></live-example>
      </div>
    </article>`;
  }

  #kind(registry: Registry, entry: MethodEntry | MetricEntry | ImputerEntry): string {
    const t = this.t.guide;
    const group =
      registry === 'method'
        ? t.families[(entry as MethodEntry).family]?.name
        : registry === 'metric'
          ? t.pages.categories[(entry as MetricEntry).category]
          : undefined;
    return [t.pages.registry[registry], ...(group ? [group] : []), entry.id].join(' · ');
  }

  #metricFacts(metric: MetricEntry) {
    const t = this.t.guide.pages;
    const { range } = this.text('metric', metric);
    const direction = metric.direction === 'lower' ? this.t.trust.lower : this.t.trust.higher;
    return html`<p class="small soft">
      ${[
        direction,
        `${t.scoreRange}: ${range}`,
        ...(metric.sensitive.length > 0 ? [`${t.sensitive}: ${this.f.list(metric.sensitive)}`] : []),
      ].join(' · ')}
    </p>`;
  }

  #section(doc: Doc | null, section: Section) {
    if (!doc) return nothing;
    return html`<section>
      <h3>${this.t.guide.pages[section]}</h3>
      ${this.#text(doc, section)}
    </section>`;
  }

  #text(doc: Doc | null, section: Section) {
    if (!doc) return nothing;
    return html`<doc-text .app=${this.app} .source=${doc[section]} ?formula=${section === 'formula'}></doc-text>`;
  }

  #params(key: string, params: readonly WireParam[]) {
    const t = this.t.guide.pages;
    if (params.length === 0) return nothing;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${t.parameters}>
      <table>
        <thead>
          <tr>
            <th scope="col">${t.name}</th>
            <th scope="col">${t.normal}</th>
            <th scope="col">${t.range}</th>
            <th scope="col">${t.meaning}</th>
          </tr>
        </thead>
        <tbody>
          ${params.map((param) => {
            const { label, doc } = paramText(this.state.language, key, param);
            return html`<tr>
              <th scope="row">${label}<br /><code class="soft">${param.name}</code></th>
              <td>${this.#value(param)}</td>
              <td>${this.#range(param)}</td>
              <td>${pieces(doc).map(({ kind, text }) => (kind === 'code' ? html`<code>${text}</code>` : text))}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
  }

  #value(param: WireParam): string {
    if (param.kind === 'layer' && param.default === '') return this.t.guide.pages.layerDefault;
    if (typeof param.default === 'number') return this.f.number(param.default);
    return this.t.choiceNames[String(param.default)] ?? String(param.default);
  }

  #range(param: WireParam): string {
    if (param.min !== null && param.max !== null) return `${this.f.number(param.min)} – ${this.f.number(param.max)}`;
    return param.choices.map((c) => this.t.choiceNames[c] ?? c).join(', ');
  }

  /** Links to the rest of the group, so that one can walk through it. */
  #siblings(registry: Registry, entry: MethodEntry | MetricEntry | ImputerEntry) {
    const { catalogue } = this.state;
    const group = (e: MethodEntry | MetricEntry | ImputerEntry) =>
      'family' in e ? e.family : 'category' in e ? e.category : '';
    const all: readonly (MethodEntry | MetricEntry | ImputerEntry)[] =
      { method: catalogue?.methods, metric: catalogue?.metrics, imputer: catalogue?.imputers }[registry] ?? [];
    const others = all.filter((e) => e.id !== entry.id && group(e) === group(entry));
    if (others.length === 0) return nothing;
    const t = this.t.guide;
    const name =
      (registry === 'method' ? t.families[group(entry)]?.name : t.pages.categories[group(entry)]) ??
      t.pages.registries[registry];
    return html`<nav class="small" aria-label=${t.pages.others(name)}>
      <span class="soft">${t.pages.others(name)}</span>
      ${others.map((e) => this.link({ registry, id: e.id }, this.text(registry, e).name))}
    </nav>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'entry-page': EntryPage;
  }
}
