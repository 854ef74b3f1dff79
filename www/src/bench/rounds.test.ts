import { expect, it } from 'vitest';

import { inTurns, median, quantile, ratios, warm } from './rounds.js';

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
  const engines = { a: engine('a', 500), b: engine('b', 1500) };
  const found = await inTurns(
    engines,
    { rounds: 2, passes: 2 },
    () => clock,
    () => Promise.resolve(),
  );
  expect(order.join('')).toBe('aaabbb' + 'aabb' + 'bbaa');
  expect(found).toEqual({ a: [500, 500], b: [1500, 1500] });
});

it('warms an engine up until it gets no faster, but not for ever', async () => {
  const calls = async (cost: (call: number) => number): Promise<number> => {
    let [clock, made] = [0, 0];
    const run = () => (clock += cost(made++));
    await warm(
      run,
      () => clock,
      () => Promise.resolve(),
    );
    return made;
  };
  expect(await calls(() => 1000)).toBe(3);
  expect(await calls(() => 20)).toBe(30);
  expect(await calls((k) => (k < 5 ? 900 - 100 * k : 300))).toBe(7);
  expect(await calls((k) => 4000 / (k + 1))).toBeLessThan(8);
});
