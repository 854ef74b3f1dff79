/**
 * The addresses of the pages beside the playground: `#/method/grad-cam`, `#/all` for the list, and `#/removal?…`, whose
 * settings follow as in a permanent link.
 */
import type { Registry } from './i18n/index.js';
import type { Page } from './state.js';

/** Pages that are not of one entry. */
const SINGLE = ['all', 'departures', 'removal', 'study'] as const;

const REGISTRIES: readonly Registry[] = ['method', 'metric', 'imputer'];

export function pageHash(page: Page | null): string {
  if (page === null) return '#';
  return 'id' in page ? `#/${page.registry}/${page.id}` : `#/${page.registry}`;
}

/** The page that a hash names, or null where it names none. */
export function readPage(hash: string): Page | null {
  const single = SINGLE.find((name) => hash === `#/${name}` || hash.startsWith(`#/${name}?`));
  if (single) return { registry: single };
  const [, name, id] = /^#\/([a-z]+)\/([a-z0-9-]{1,64})$/.exec(hash) ?? [];
  const registry = REGISTRIES.find((r) => r === name);
  return registry && id !== undefined ? { registry, id } : null;
}

/** The settings that follow a page's address, as the hash of a permanent link; empty where there are none. */
export function settingsOf(hash: string): string {
  if (readPage(hash) === null) return hash;
  const at = hash.indexOf('?');
  return at === -1 ? '' : `#${hash.slice(at + 1)}`;
}

/** The address of what is shown: a page by its name, with the link's settings where it has any of its own. */
export function addressOf(page: Page | null, link: string): string {
  if (page === null) return link;
  return page.registry === 'removal' ? `${pageHash(page)}?${link.replace(/^#/, '')}` : pageHash(page);
}

export function samePage(a: Page | null, b: Page | null): boolean {
  return pageHash(a) === pageHash(b);
}
