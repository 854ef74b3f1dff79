/** The addresses of the pages beside the playground: `#/method/grad-cam`, and `#/all` for the list. */
import type { Registry } from './i18n/index.js';
import type { Page } from './state.js';

const REGISTRIES: readonly Registry[] = ['method', 'metric', 'imputer'];

export function pageHash(page: Page | null): string {
  if (page === null) return '#';
  return 'id' in page ? `#/${page.registry}/${page.id}` : `#/${page.registry}`;
}

/** The page that a hash names, or null where it names none. */
export function readPage(hash: string): Page | null {
  if (hash === '#/all') return { registry: 'all' };
  if (hash === '#/departures') return { registry: 'departures' };
  const [, name, id] = /^#\/([a-z]+)\/([a-z0-9-]{1,64})$/.exec(hash) ?? [];
  const registry = REGISTRIES.find((r) => r === name);
  return registry && id !== undefined ? { registry, id } : null;
}

export function samePage(a: Page | null, b: Page | null): boolean {
  return pageHash(a) === pageHash(b);
}
