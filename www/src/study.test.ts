import { describe, expect, it } from 'vitest';
import { blocks } from './docs.js';
import { LANGUAGES } from './i18n/index.js';
import { markdown, STUDIES } from './study.js';

it('joins items that follow each other into one list', () => {
  const text = markdown(['First.', '- a', '- b', 'Last.']);
  expect(text).toBe('First.\n\n- a\n- b\n\nLast.');
  expect(blocks(text).map((b) => b.kind)).toEqual(['text', 'list', 'text']);
});

describe.each(LANGUAGES)('the report in %s', (language) => {
  const study = STUDIES[language];

  it('is whole: sections with words, tables without gaps, figures that name themselves', () => {
    expect(study.sections.length).toBeGreaterThan(2);
    const tables = study.sections.flatMap((s) => s.tables);
    const figures = study.sections.flatMap((s) => s.figures);
    expect(tables.length).toBeGreaterThan(0);
    for (const { id, columns, rows } of tables) {
      expect(rows.length, id).toBeGreaterThan(0);
      for (const row of rows) expect(row, id).toHaveLength(columns.length);
    }
    for (const { id, svg } of figures) {
      expect(svg, id).toMatch(/^<svg[^>]* role="img" aria-label="[^"]+"/);
      // The page's policy allows no code and no style inside of it.
      expect(svg, id).not.toMatch(/<script|<style|\sstyle=|\son\w+=|href=/);
    }
    expect(new Set(study.sections.map((s) => s.id)).size).toBe(study.sections.length);
  });

  it('has its own words', () => {
    const other = STUDIES[language === 'en' ? 'fr' : 'en'];
    expect(study.title).not.toBe(other.title);
    const texts = new Set(other.sections.flatMap((s) => s.text));
    for (const text of study.sections.flatMap((s) => s.text)) expect(texts).not.toContain(text);
  });
});
