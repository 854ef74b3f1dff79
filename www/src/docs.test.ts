import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blocks, docOf, pieces } from './docs.js';
import type { Page } from './state.js';

describe('the texts of the pages', () => {
  it.each([
    ['method', 'attribution', 'methods'],
    ['metric', 'metric', 'metrics'],
    ['imputer', 'imputer', 'imputers'],
    ['criterion', 'criteria', 'criteria'],
  ] as const)('are there for every %s that the engine registers: `cargo xtask gen docs`', (registry, folder, macro) => {
    const at = new URL(`../../src/${folder}/`, import.meta.url);
    const list = new RegExp(`\\n${macro}! \\{([\\s\\S]*?)\\n\\}`).exec(
      readFileSync(new URL('mod.rs', at), 'utf8'),
    )?.[1];
    const modules = [...(list ?? '').matchAll(/(\w+)::\w+,/g)].map((m) => m[1] ?? '');
    expect(modules.length).toBeGreaterThan(3);
    expect(readdirSync(at)).toEqual(expect.arrayContaining(modules.map((m) => `${m}.rs`)));
    for (const module of modules) {
      const source = readFileSync(new URL(`${module}.rs`, at), 'utf8');
      const id = /\bid: "([a-z0-9-]+)"/.exec(source)?.[1] ?? '';
      const doc = docOf({ registry, id } as Page);
      expect(doc, `${registry}/${id}`).not.toBeNull();
      for (const [section, text] of Object.entries(doc ?? {}))
        expect(blocks(text), `${id}: ${section}`).not.toEqual([]);
      // Nothing that is marked up is left as its marks.
      const shown = JSON.stringify(Object.values(doc ?? {}).flatMap(blocks));
      expect(shown.match(/\]\(|```|\*\*/g), id).toBeNull();
    }
  });

  it('there is none for what does not exist', () => {
    expect(docOf({ registry: 'method', id: 'no-such' })).toBeNull();
    expect(docOf({ registry: 'all' })).toBeNull();
  });
});

describe('markup', () => {
  it('sets code and emphasis apart, and keeps the brackets of mathematics', () => {
    expect(pieces('`a[i] = 2` in *all* of [0, 1] and [`Job`] or [here](x::y)')).toEqual([
      { kind: 'code', text: 'a[i] = 2' },
      { kind: 'text', text: ' in ' },
      { kind: 'em', text: 'all' },
      { kind: 'text', text: ' of [0, 1] and ' },
      { kind: 'code', text: 'Job' },
      { kind: 'text', text: ' or here' },
    ]);
    expect(pieces('3 * 4 * 5').map((p) => p.kind)).toEqual(['text']);
  });

  it('parts paragraphs, lists and code', () => {
    const kinds = (text: string) => blocks(text).map((b) => b.kind);
    expect(kinds('One\nline.\n\nTwo.')).toEqual(['text', 'text']);
    expect(kinds('Either:\n- a\n  still a\n- b')).toEqual(['text', 'list']);
    expect(blocks('- a\n  still a\n- b')[0]).toMatchObject({ items: [[{ text: 'a still a' }], [{ text: 'b' }]] });
    expect(blocks('```text\na = b\n```')).toEqual([{ kind: 'code', text: 'a = b' }]);
  });
});
