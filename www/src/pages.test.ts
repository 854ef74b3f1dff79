import { expect, it } from 'vitest';
import { pageHash, readPage, samePage } from './pages.js';
import type { Page } from './state.js';

it('an address leads to the page that it was written for', () => {
  const pages: Page[] = [
    { registry: 'all' },
    { registry: 'method', id: 'grad-cam' },
    { registry: 'imputer', id: 'constant' },
    { registry: 'departures' },
  ];
  expect(pages.map((p) => readPage(pageHash(p)))).toEqual(pages);
  expect(samePage(pages[1] ?? null, pages[2] ?? null)).toBe(false);
});

it('a link of the playground, or a damaged one, names no page', () => {
  for (const hash of ['', '#', '#v=1&model=objects', '#/method/', '#/methods/x', '#/method/Grad', '#/all/x'])
    expect(readPage(hash), hash).toBeNull();
  expect(pageHash(null)).toBe('#');
});
