import { describe, expect, it } from 'vitest';
import type { Row } from './reading.js';
import {
  agreement,
  columnsOf,
  orderPairs,
  rankCorrelation,
  ranking,
  ranks,
  readingOf,
  tally,
  worstPair,
  type Column,
} from './report.js';
import { INITIAL, type State } from './state.js';
import { CATALOGUE, PROVENANCE } from './testing/fixtures.js';

const column = (id: string, direction: Column['direction'] = 'higher', more: Partial<Column> = {}): Column => ({
  id,
  metric: id,
  category: 'faithfulness',
  direction,
  imputer: null,
  order: null,
  ...more,
});

function row(key: string, scores: Record<string, number | null>, control = false): Row {
  const cells = Object.fromEntries(
    Object.entries(scores).map(([id, score]) => [
      id,
      {
        state: 'done' as const,
        result: { score, undefined: score === null ? 'why' : null, curves: [], provenance: PROVENANCE },
      },
    ]),
  );
  return { key, name: key, control, cells };
}

describe('ranks', () => {
  it('gives the best 1, in either direction, and shares ties', () => {
    expect(ranks([0.2, 0.9, 0.5], 'higher')).toEqual([3, 1, 2]);
    expect(ranks([0.2, 0.9, 0.5], 'lower')).toEqual([1, 3, 2]);
    expect(ranks([1, 2, 2, 3], 'higher')).toEqual([4, 2.5, 2.5, 1]);
  });
  it('keeps what has no value out of the count', () => {
    expect(ranks([null, 4, null, 5], 'higher')).toEqual([null, 2, null, 1]);
    expect(ranks([], 'higher')).toEqual([]);
  });
});

describe('rankCorrelation', () => {
  const rows = [
    row('a', { up: 1, down: 9, same: 2, mixed: 3 }),
    row('b', { up: 2, down: 5, same: 2, mixed: 1 }),
    row('c', { up: 3, down: 4, same: 2, mixed: 2 }),
  ];
  it('compares goodness, not numbers', () => {
    expect(rankCorrelation(rows, column('up'), column('down', 'lower'))).toBeCloseTo(1, 12);
    expect(rankCorrelation(rows, column('up'), column('down'))).toBeCloseTo(-1, 12);
    expect(rankCorrelation(rows, column('up'), column('mixed'))).toBeCloseTo(-0.5, 12);
  });
  it('is SciPy’s with ties', () => {
    // scipy.stats.spearmanr([1, 2, 2, 3, 5], [5, 6, 7, 8, 7]).statistic
    const pairs = [
      [1, 5],
      [2, 6],
      [2, 7],
      [3, 8],
      [5, 7],
    ] as const;
    const tied = pairs.map(([x, y], k) => row(String(k), { x, y }));
    expect(rankCorrelation(tied, column('x'), column('y'))).toBeCloseTo(0.763157894736842, 12);
  });
  it('has no value for constants and for fewer than three maps', () => {
    expect(rankCorrelation(rows, column('up'), column('same'))).toBeNull();
    expect(rankCorrelation(rows.slice(1), column('up'), column('down'))).toBeNull();
    const gap = [...rows.slice(1), row('d', { up: null, down: 1 })];
    expect(rankCorrelation(gap, column('up'), column('down'))).toBeNull();
  });
  it('finds the pair that disagrees most, if any disagrees', () => {
    const columns = [column('up'), column('mixed'), column('down')];
    expect(worstPair(rows, columns)).toMatchObject({ a: { id: 'up' }, b: { id: 'down' } });
    expect(worstPair(rows, [column('up'), column('down', 'lower')])).toBeNull();
    const matrix = agreement(rows, columns);
    expect(matrix[0]?.[2]).toBe(matrix[2]?.[0]);
    expect(matrix[1]?.[1]).toBeCloseTo(1, 12);
  });
  it('pairs the two orders of one metric and imputer', () => {
    const morf = column('m', 'lower', { metric: 'deletion', imputer: 'constant', order: 'morf' });
    const lerf = column('l', 'higher', { metric: 'deletion', imputer: 'constant', order: 'lerf' });
    const other = column('o', 'higher', { metric: 'deletion', imputer: 'blur', order: 'lerf' });
    const two = [row('a', { m: 1, l: 3 }), row('b', { m: 2, l: 2 }), row('c', { m: 3, l: 1 })];
    expect(orderPairs(two, [morf, lerf, other])).toEqual([
      { morf, lerf, correlation: expect.closeTo(1, 12) as number },
    ]);
  });
});

describe('ranking', () => {
  const columns = [column('x'), column('y', 'lower')];
  it('orders by the mean place, and tells how far places differ', () => {
    const rows = [row('a', { x: 3, y: 3 }), row('b', { x: 2, y: 1 }), row('c', { x: 1, y: 2 })];
    const found = ranking(rows, columns);
    expect(found.map((s) => [s.row.key, s.mean, s.best, s.worst])).toEqual([
      ['b', 0.25, 0, 0.5],
      ['a', 0.5, 0, 1],
      ['c', 0.75, 0.5, 1],
    ]);
  });
  it('leaves out what has no value, and says by how many metrics the rest is judged', () => {
    const rows = [row('a', { x: 3, y: null }), row('b', { x: 2, y: 1 }), row('c', { x: null, y: null })];
    const found = ranking(rows, columns);
    expect(found.map((s) => [s.row.key, s.metrics])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });
});

describe('readingOf', () => {
  const controls = [row('r', { x: 0.2 }, true), row('s', { x: 0.5 }, true), row('n', { x: null }, true)];
  const read = (value: number | null, direction: Column['direction'] = 'higher', rows = controls) => {
    const own = row('m', { x: value });
    return readingOf([own, ...rows], column('x', direction), own);
  };
  it('measures a number by the controls of this picture', () => {
    expect(read(0.6)).toEqual({ kind: 'good', beats: 2, of: 2 });
    expect(read(0.5)).toEqual({ kind: 'mixed', beats: 1, of: 2 });
    expect(read(0.2)).toEqual({ kind: 'poor', beats: 0, of: 2 });
    expect(read(0.1, 'lower')).toEqual({ kind: 'good', beats: 2, of: 2 });
    expect(read(0.1, 'lower', [])).toEqual({ kind: 'alone', beats: 0, of: 0 });
  });
  it('reads no number where there is none', () => {
    expect(read(null)).toBeNull();
  });
});

describe('columnsOf', () => {
  const state = (plan: Partial<State['plan']>): State => ({
    ...INITIAL,
    catalogue: {
      ...CATALOGUE,
      metrics: CATALOGUE.metrics.map((m) => ({
        ...m,
        params: [
          ...m.params,
          { name: 'order', kind: 'choice', min: null, max: null, choices: ['morf', 'lerf'], default: 'morf', doc: '' },
        ],
      })),
    },
    plan: { ...INITIAL.plan, metrics: ['insertion', 'deletion'], ...plan },
  });
  it('takes each metric’s reference imputer, the visitor’s, or several', () => {
    expect(columnsOf(state({})).map((c) => [c.id, c.imputer])).toEqual([
      ['insertion', 'gaussian-blur'],
      ['deletion', 'constant'],
    ]);
    expect(columnsOf(state({ removal: { insertion: 'constant' } }))[0]?.imputer).toBe('constant');
    const several = columnsOf(state({ imputers: ['', 'constant'] }));
    expect(several.map((c) => c.id)).toEqual(['insertion@gaussian-blur', 'insertion@constant', 'deletion']);
  });
  it('runs both orders, and what is better turns round', () => {
    const both = columnsOf(state({ bothOrders: true }));
    expect(both.map((c) => [c.id, c.direction])).toEqual([
      ['insertion@gaussian-blur@morf', 'higher'],
      ['insertion@gaussian-blur@lerf', 'lower'],
      ['deletion@constant@morf', 'lower'],
      ['deletion@constant@lerf', 'higher'],
    ]);
  });
  it('follows the order that the visitor chose for a metric alone', () => {
    const chosen = { ...state({}), params: { 'metric/deletion': { order: 'lerf' } } };
    expect(columnsOf(chosen).map((c) => c.direction)).toEqual(['higher', 'higher']);
  });
});

it('counts what became of the cells', () => {
  const rows: Row[] = [
    row('a', { x: 1, y: null }),
    {
      ...row('b', {}),
      cells: {
        x: { state: 'failed', error: { code: '', message: '', place: null, hint: '' } },
        y: { state: 'unreached' },
      },
    },
  ];
  expect(tally(rows, [column('x'), column('y')])).toEqual({ scored: 1, undefined: 1, failed: 1, unreached: 1 });
});
