import { expect, it } from 'vitest';

import { inTurns, median, quantile, ratios } from './rounds.js';

it('takes the middle, and what lies between', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 9])).toBe(3);
  expect(quantile([0, 10], 0.25)).toBe(2.5);
  expect(quantile([3], 0.75)).toBe(3);
  expect(median([])).toBeNaN();
});

it('compares round by round', () => {
  expect(ratios([10, 20, 40], [20, 20])).toEqual([2, 1]);
});

it('runs engines in turns and tells the times of each', async () => {
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
  expect(found).toEqual({ a: [10, 10], b: [30, 30] });
});
