import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Column } from '../report.js';
import type { Scores, ScoredRow } from '../state.js';
import { CATALOGUE, PROVENANCE } from '../testing/fixtures.js';
import { cell, COLUMNS, reportCsv, reportJson, type Subject } from './report.js';

const column = (id: string): Column => ({
  id,
  metric: id,
  category: 'faithfulness',
  direction: 'higher',
  imputer: 'constant',
  order: null,
});

const row: ScoredRow = {
  key: 'map-1',
  name: 'Gradient',
  control: false,
  method: 'gradient',
  ordinal: null,
  choice: { id: 'gradient', params: { steps: 3 } },
  removal: null,
  baseline: null,
  map: null,
  cells: {
    insertion: {
      state: 'done',
      result: {
        score: 0.1 + 0.2,
        undefined: null,
        spread: { draws: 4, deviation: 0.25, lowest: 0, highest: 0.6 },
        curves: [],
        provenance: {
          ...PROVENANCE,
          of: { id: 'insertion', params: { order: 'morf', steps: 7 } },
          removal: { id: 'constant', params: { colour: 'a, "b"' } },
        },
      },
    },
    deletion: { state: 'failed', error: { code: 'x', message: 'can’t\nfill', place: null, hint: '' } },
    other: { state: 'unreached' },
  },
};

const scores: Scores = {
  columns: ['insertion', 'deletion', 'other'].map(column),
  rows: [row],
  label: 'class 1',
  stopped: 'budget',
  seconds: 1.23456,
};
const subject: Subject = { scores, picture: 'my, picture.png', answer: 'class 1', metrics: CATALOGUE.metrics };

it('quotes cells as RFC 4180 says', () => {
  expect(['a', 'a,b', 'say "hi"', 'two\nlines', '', null].map((v) => cell(v))).toEqual([
    'a',
    '"a,b"',
    '"say ""hi"""',
    '"two\nlines"',
    '',
    '',
  ]);
  expect(cell({ a: 1, b: 'x' })).toBe('"{""a"":1,""b"":""x""}"');
  expect(cell({})).toBe('');
});

it('has the columns of the command line’s file', () => {
  const rust = readFileSync(new URL('../../../src/cli/ledger.rs', import.meta.url), 'utf8');
  const list = /const COLUMNS[^=]*= \[([\s\S]*?)\n\];/.exec(rust)?.[1] ?? '';
  expect([...list.matchAll(/\("(\w+)"/g)].map((m) => m[1])).toEqual([...COLUMNS]);
});

it('writes one line a score, whatever became of it', () => {
  const lines = reportCsv(subject).trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toContain('"my, picture.png"');
  expect(lines[1]).toContain(',scored,0.30000000000000004,0.25,,1,1,');
  expect(lines[1]).toContain('"{""colour"":""a, \\""b\\""""}",4,morf,7,');
  expect(lines[2]).toContain(',failed,,,can’t fill,');
  expect(lines[3]).toContain(',unreached,,,');
});

it('keeps everything as JSON', () => {
  const document = JSON.parse(reportJson(subject)) as Record<string, unknown>;
  expect(document).toMatchObject({
    format: 'lucarne-report',
    stopped: 'budget',
    seconds: 1.235,
    columns: [{ id: 'insertion', about: { id: 'insertion' } }, { id: 'deletion' }, { id: 'other', about: null }],
    rows: [{ method: row.choice, cells: { insertion: { state: 'done', reading: { kind: 'alone' } } } }],
    rankCorrelations: { columns: ['insertion', 'deletion', 'other'] },
  });
});
