import { describe, expect, it } from 'vitest';
import type { Evaluated, Provenance } from './protocol.gen.js';
import { bestFirst, bestKeys, BY_NAME, sortRows, verdict, type Cell, type Row } from './reading.js';

function cell(score: number | null): Cell {
  const provenance = {} as Provenance;
  const result: Evaluated = { score, undefined: score === null ? 'constant map' : null, curves: [], provenance };
  return { state: 'done', result };
}

function row(name: string, score: number | null | undefined, control = false): Row {
  return { key: name, name, control, cells: score === undefined ? {} : { m: cell(score) } };
}

const keys = (rows: readonly Row[]) => rows.map((r) => r.key).join(' ');

describe('sortRows', () => {
  const rows = [
    row('b', 0.2),
    row('none', null),
    row('a', 0.9),
    row('c', 0.2),
    row('waiting', undefined),
    row('d', -1),
  ];

  it('puts rows without a value last in both orders, and keeps equals in their order', () => {
    expect(keys(sortRows(rows, { by: 'm', order: 'ascending' }))).toBe('d b c a none waiting');
    expect(keys(sortRows(rows, { by: 'm', order: 'descending' }))).toBe('a b c d none waiting');
  });
  it('sorts by name', () => {
    expect(keys(sortRows(rows, { by: BY_NAME, order: 'descending' }))).toBe('waiting none d c b a');
  });
  it('keeps the order where nothing is asked', () => {
    expect(keys(sortRows(rows, { by: '', order: 'descending' }))).toBe(keys(rows));
  });
  it('starts with the best', () => {
    expect([bestFirst('higher'), bestFirst('lower')]).toEqual(['descending', 'ascending']);
  });
});

describe('bestKeys', () => {
  it('marks every row that shares the best value, controls included', () => {
    const rows = [row('a', 0.5), row('b', 0.7), row('noise', 0.7, true), row('u', null)];
    expect(bestKeys(rows, 'm', 'higher')).toEqual(new Set(['b', 'noise']));
    expect(bestKeys(rows, 'm', 'lower')).toEqual(new Set(['a']));
  });
  it('marks none where no value is defined', () => {
    expect(bestKeys([row('u', null), row('w', undefined)], 'm', 'higher')).toEqual(new Set());
  });
});

describe('verdict', () => {
  const controls = [row('noise', 0.4, true), row('edges', 0.6, true), row('flat', null, true)];

  it('says that the best explanation beats all, and names the best control', () => {
    const found = verdict([row('cam', 0.7), row('weak', 0.1), ...controls], 'm', 'higher');
    expect(found).toMatchObject({ kind: 'beats-all', method: { key: 'cam' }, control: { key: 'edges' } });
  });
  it('turns round where lower is better', () => {
    const found = verdict([row('cam', 0.3), ...controls], 'm', 'lower');
    expect(found).toMatchObject({ kind: 'beats-all', control: { key: 'noise' } });
  });
  it('names every control that does better', () => {
    const found = verdict([row('cam', 0.1), ...controls], 'm', 'higher');
    expect(found.kind === 'beaten' && keys(found.by)).toBe('noise edges');
  });
  it('knows a tie from a win', () => {
    expect(verdict([row('cam', 0.6), ...controls], 'm', 'higher').kind).toBe('ties');
  });
  it('says nothing without a defined explanation or control', () => {
    expect(verdict([row('cam', null), ...controls], 'm', 'higher').kind).toBe('nothing');
    expect(verdict([row('cam', 1), row('flat', null, true)], 'm', 'higher').kind).toBe('nothing');
  });
});
