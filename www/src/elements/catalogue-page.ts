import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { byFamily, search } from '../finding.js';
import type { Described, Registry } from '../i18n/index.js';
import { shared } from '../styles/shared.js';
import { sheet } from '../styles/sheet.js';
import { SheetPage } from './sheet-page.js';

interface Listed extends Described {
  readonly family: string;
}

/** Everything in the registries, grouped and searchable, each with a link to its page. */
@customElement('catalogue-page')
export class CataloguePage extends SheetPage {
  static override styles = [
    shared,
    sheet,
    css`
      h3 {
        font-size: 1.35em;
      }
      h4 {
        margin-top: 0.6em;
        font-size: 1em;
      }
      section {
        gap: 0.4em;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 19em), 1fr));
        gap: 0.9em 2em;
      }
      li a {
        font-weight: 600;
        display: inline-flex;
        align-items: center;
        min-height: 1.6rem;
      }
      .find {
        max-width: 26em;
      }
    `,
  ];

  @state() private query = '';
  #registries(): (readonly [Registry, readonly Listed[]])[] {
    const { catalogue } = this.state;
    return [
      ['method', catalogue?.methods ?? []],
      ['metric', (catalogue?.metrics ?? []).map((m) => ({ ...m, family: m.category }))],
      ['imputer', (catalogue?.imputers ?? []).map((m) => ({ ...m, family: '' }))],
    ];
  }

  protected override render() {
    const t = this.t.guide.pages;
    const found = this.#registries().map(([registry, entries]) => {
      const texts = (e: Listed) => {
        const { name, summary } = this.text(registry, e);
        return { name, all: `${e.id} ${e.name} ${summary} ${this.#group(registry, e.family)}` };
      };
      return [registry, search(entries, this.query, texts)] as const;
    });
    const count = found.reduce((n, [, entries]) => n + entries.length, 0);
    return html`<article aria-label=${t.all}>
      <nav class="small" aria-label=${t.back}>${this.link(null, `← ${t.back}`)}</nav>
      <header class="stack">
        <h2 tabindex="-1">${t.all}</h2>
        <p class="soft">${t.allLead}</p>
        <div class="find">
          <input
            type="search"
            aria-label=${t.search}
            placeholder=${t.search}
            .value=${this.query}
            @input=${(event: Event) => (this.query = (event.target as HTMLInputElement).value)}
          />
          <span class="small soft" role="status">${t.found(count)}</span>
        </div>
      </header>
      ${found.map(([registry, entries]) => (entries.length > 0 ? this.#registry(registry, entries) : nothing))}
    </article>`;
  }

  #group(registry: Registry, family: string): string {
    if (registry === 'method') return this.t.guide.families[family]?.name ?? family;
    return this.t.guide.pages.categories[family] ?? family;
  }

  #registry(registry: Registry, entries: readonly Listed[]) {
    return html`<section>
      <h3>${this.t.guide.pages.registries[registry]}</h3>
      ${byFamily(entries).map(
        ({ family, entries: group }) =>
          html`${family ? html`<h4>${this.#group(registry, family)}</h4>` : nothing}
            <ul>
              ${group.map((e) => {
                const { name, summary } = this.text(registry, e);
                return html`<li>
                  ${this.link({ registry, id: e.id }, name)}
                  <p class="small soft">${summary}</p>
                </li>`;
              })}
            </ul>`,
      )}
    </section>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'catalogue-page': CataloguePage;
  }
}
