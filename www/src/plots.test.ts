import { describe, expect, it } from 'vitest';
import { linePath, nearest, niceTicks, scale, valueAt } from './plots.js';

describe('niceTicks', () => {
  it.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-3.2, 14.9, 5, [-5, 0, 5, 10, 15]],
    [0.0012, 0.0049, 4, [0.001, 0.002, 0.003, 0.004, 0.005]],
  ])('%d to %d', (min, max, count, ticks) => {
    expect(niceTicks(min, max, count)).toEqual(ticks);
  });
  it('opens a range around a single value', () => {
    const ticks = niceTicks(3, 3, 4);
    expect(ticks[0]).toBeLessThan(3);
    expect(ticks[ticks.length - 1]).toBeGreaterThan(3);
  });
});

describe('scale', () => {
  it('maps its ends to the pixels given, upside down too', () => {
    const s = scale([0, 0.9], 100, 0);
    expect([s.at(0), s.at(1), s.at(0.5)]).toEqual([100, 0, 50]);
  });
  it('has a domain without finite values', () => {
    expect(scale([NaN], 0, 10).domain).toEqual([0, 1]);
  });
});

it('linePath breaks at a value that is not finite', () => {
  const s = scale([0, 1], 0, 10);
  expect(linePath([0, 0.5, 0.75, 1], [0, NaN, 0.5, 1], s, s)).toBe('M0.0 0.0M7.5 5.0L10.0 10.0');
});

it('nearest finds the closest value', () => {
  expect([nearest([0, 0.5, 1], 0.7), nearest([0, 0.5, 1], 9), nearest([], 1)]).toEqual([1, 2, 0]);
});

it('valueAt is linear between points and held at the ends', () => {
  const [x, y] = [
    [0.25, 0.5, 1],
    [1, 3, 5],
  ];
  expect([0, 0.25, 0.375, 0.75, 1, 2].map((v) => valueAt(x, y, v))).toEqual([1, 1, 2, 4, 5, 5]);
});
