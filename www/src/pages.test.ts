import { expect, it } from 'vitest';
import { addressOf, pageHash, readPage, samePage, settingsOf } from './pages.js';
import type { Page } from './state.js';

it('an address leads to the page that it was written for', () => {
  const pages: Page[] = [
    { registry: 'all' },
    { registry: 'method', id: 'grad-cam' },
    { registry: 'imputer', id: 'constant' },
    { registry: 'departures' },
    { registry: 'removal' },
    { registry: 'study' },
  ];
  expect(pages.map((p) => readPage(pageHash(p)))).toEqual(pages);
  expect(samePage(pages[1] ?? null, pages[2] ?? null)).toBe(false);
});

it('the bench’s address carries settings as a permanent link does; the other pages carry none', () => {
  const link = '#v=1&model=objects&b.share=65';
  const address = addressOf({ registry: 'removal' }, link);
  expect(address).toBe('#/removal?v=1&model=objects&b.share=65');
  expect(readPage(address)).toEqual({ registry: 'removal' });
  expect(settingsOf(address)).toBe(link);
  expect(addressOf({ registry: 'all' }, link)).toBe('#/all');
  expect(addressOf(null, link)).toBe(link);
  expect([settingsOf(link), settingsOf('#/all'), settingsOf('')]).toEqual([link, '', '']);
});

it('a link of the playground, or a damaged one, names no page', () => {
  for (const hash of ['', '#', '#v=1&model=objects', '#/method/', '#/methods/x', '#/method/Grad', '#/all/x'])
    expect(readPage(hash), hash).toBeNull();
  expect(pageHash(null)).toBe('#');
});
