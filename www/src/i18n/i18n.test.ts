import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { en } from './en.js';
import { fr } from './fr.js';
import { groups } from './catalogue/all.js';
import { entriesFr, paramsFr } from './catalogue.fr.js';
import { entryText, formats, paramText, preferred } from './index.js';

type Leaf = readonly [string, unknown];

function leaves(value: unknown, path = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
}

const source = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

/** What a Rust registry declares: ids by module, with the names of their parameters. */
function registered(folder: string, macro: string): { id: string; params: string[] }[] {
  const list = new RegExp(`\\n${macro}! \\{([\\s\\S]*?)\\n\\}`).exec(source(`src/${folder}/mod.rs`))?.[1] ?? '';
  return [...list.matchAll(/(\w+)::\w+,/g)].map(([, module = '']) => {
    const text = source(`src/${folder}/${module}.rs`);
    const declared = /params! \{([\s\S]*?)\n\}/.exec(text)?.[1] ?? '';
    const params = [...declared.matchAll(/^\s+(\w+): [\w:]+ =/gm)].map((m) => m[1] ?? '');
    return { id: /\bid: "([a-z0-9-]+)"/.exec(text)?.[1] ?? '', params };
  });
}

describe('the French catalogue', () => {
  it('has the same keys as the English one, none of them empty', () => {
    const keys = (of: unknown) => leaves(of).map(([path]) => path);
    expect(keys(fr)).toEqual(keys(en));
    expect(leaves(fr).filter(([, value]) => value === '')).toEqual([]);
  });

  it('is not a copy of the English one', () => {
    const english = new Map(leaves(en));
    const same = leaves(fr).filter(([path, value]) => typeof value === 'string' && english.get(path) === value);
    const words = same.filter(([path, value]) => /\p{L}+ \p{L}+/u.test(String(value)) && !path.endsWith('.reference'));
    expect(words).toEqual([]);
  });

  it('takes as many arguments where a message takes any', () => {
    const arity = (of: unknown) => leaves(of).map(([path, f]) => [path, typeof f === 'function' ? f.length : 0]);
    expect(arity(fr)).toEqual(arity(en));
  });

  it.each([
    ['method', 'attribution', 'methods'],
    ['metric', 'metric', 'metrics'],
    ['imputer', 'imputer', 'imputers'],
    ['criterion', 'criteria', 'criteria'],
  ])('translates every %s that the engine registers, and its parameters', (registry, folder, macro) => {
    const entries = registered(folder, macro);
    expect(entries.length).toBeGreaterThan(3);
    for (const { id, params } of entries) {
      expect(entriesFr, id).toHaveProperty([`${registry}/${id}`]);
      for (const param of params) {
        expect(paramsFr, param).toHaveProperty([`${registry}/${id}.${param}`]);
        expect(fr.paramNames, param).toHaveProperty([param]);
      }
    }
  });
});

it.each(['names', 'choices', 'entries', 'params'] as const)(
  'no two groups give the same %s different texts',
  (part) => {
    const texts = new Map<string, string>();
    for (const group of groups) {
      for (const [key, text] of Object.entries(group[part] ?? {})) {
        expect(texts.get(key) ?? JSON.stringify(text), key).toBe(JSON.stringify(text));
        texts.set(key, JSON.stringify(text));
      }
    }
    expect(texts.size).toBeGreaterThan(5);
  },
);

it('an entry may give a parameter a label of its own', () => {
  const low = { name: 'low', doc: '' };
  expect(paramText('en', 'method/lrp', low).label).not.toBe(paramText('en', 'imputer/uniform-noise', low).label);
});

it('an entry without a translation keeps its English', () => {
  const entry = { id: 'new', name: 'New', summary: 'Does it.', caution: 'Beware.' };
  expect(entryText('fr', 'method', entry)).toEqual({ name: 'New', summary: 'Does it.', caution: 'Beware.', range: '' });
  expect(paramText('fr', 'method/new', { name: 'grain_size', doc: 'Size.' })).toEqual({
    label: 'grain size',
    doc: 'Size.',
  });
});

it('methods and imputers of the same id are told apart', () => {
  const entry = { id: 'constant', name: 'Constant', summary: '' };
  expect(entryText('fr', 'method', entry).name).not.toBe(entryText('fr', 'imputer', entry).name);
});

it('follows the browser’s languages', () => {
  expect(preferred(['de-CH', 'fr-CA', 'en'])).toBe('fr');
  expect(preferred(['en-GB', 'fr'])).toBe('en');
  expect(preferred(['de'])).toBe('en');
});

describe('formats', () => {
  it('writes percentages with the digits that matter', () => {
    expect([0, 0.00004, 0.0123, 0.54, 0.9987, 1].map((v) => formats('en').percent(v))).toEqual([
      '0 %',
      '< 0.1 %',
      '1.2 %',
      '54 %',
      '99.9 %',
      '100 %',
    ]);
  });
  it('never rounds a sure answer up to 100 %', () => {
    expect(formats('en').percent(0.99999)).toBe('> 99.9 %');
  });
  it('follows the language', () => {
    expect(formats('fr').percent(0.0123)).toBe('1,2 %');
    expect(formats('fr').number(0.1234)).toBe('0,123');
  });
});
