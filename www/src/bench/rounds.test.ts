import { expect, it } from 'vitest';

import { inTurns, median } from './rounds.js';

it('takes the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 9])).toBe(3);
  expect(median([])).toBe(0);
});

it('runs engines in turns and tells the time of each', async () => {
  let clock = 0;
  const order: string[] = [];
  const engine = (name: string, cost: number) => () => {
    order.push(name);
    clock += cost;
  };
  const engines = { a: engine('a', 10), b: engine('b', 30) };
  const found = await inTurns(
    engines,
    { rounds: 2, passes: 2 },
    () => clock,
    () => Promise.resolve(),
  );
  expect(order.join('')).toBe('aabb' + 'aabb' + 'bbaa');
  expect(found).toEqual({
    a: { median: 10, fastest: 10, slowest: 10 },
    b: { median: 30, fastest: 30, slowest: 30 },
  });
});
