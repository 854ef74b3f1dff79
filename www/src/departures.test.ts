import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEPARTURES, parts } from './departures.js';

it('reads headings, tables with bars in cells, and text', () => {
  const text = '# Title\n\nFirst.\n\n## Part\n\n| a | b |\n|---|---|\n| 1 | x \\| y |\n| 2 | |\n\n- one\n- two\n';
  expect(parts(text)).toEqual([
    { kind: 'text', text: 'First.' },
    { kind: 'heading', text: 'Part' },
    {
      kind: 'table',
      head: ['a', 'b'],
      rows: [
        ['1', 'x | y'],
        ['2', ''],
      ],
    },
    { kind: 'text', text: '- one\n- two\n' },
  ]);
});

it('shows every measured case', () => {
  const golden = JSON.parse(readFileSync(new URL('../../tests/golden/departures.json', import.meta.url), 'utf8')) as {
    cases: Record<string, unknown>;
  };
  const tables = DEPARTURES.flatMap((part) => (part.kind === 'table' ? [part] : []));
  const cases = tables[0]?.rows.map(([name = '']) => name.replaceAll('`', '')) ?? [];
  expect([...cases].sort()).toEqual(Object.keys(golden.cases).sort());
  expect(tables.every((t) => t.rows.every((row) => row.length === t.head.length))).toBe(true);
});
