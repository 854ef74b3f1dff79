import { expect, it } from 'vitest';
import { blocks } from './docs.js';
import { markdown, STUDY } from './study.js';

it('joins items that follow each other into one list', () => {
  const text = markdown(['First.', '- a', '- b', 'Last.']);
  expect(text).toBe('First.\n\n- a\n- b\n\nLast.');
  expect(blocks(text).map((b) => b.kind)).toEqual(['text', 'list', 'text']);
});

it('is whole: sections with words, tables without gaps, figures that name themselves', () => {
  expect(STUDY.sections.length).toBeGreaterThan(2);
  const tables = STUDY.sections.flatMap((s) => s.tables);
  const figures = STUDY.sections.flatMap((s) => s.figures);
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
  expect(new Set(STUDY.sections.map((s) => s.id)).size).toBe(STUDY.sections.length);
});
