import { expect, it } from 'vitest';

import { loop, roofline } from './roofline.js';

/** The same multiply-adds in float32. */
function expected(times: number): number {
  const f = Math.fround;
  let sum = 0;
  for (let k = 3; k < 17; k++) {
    let x = f(k / 7);
    for (let n = 0; n < times; n++) x = f(f(x * f(0.999)) + f(0.001));
    sum = k === 3 ? x : f(sum + x);
  }
  return sum;
}

it('computes what it says, so that no step can have been left out', () => {
  const run = loop(false);
  expect(run?.(1)).toBe(expected(1));
  expect(run?.(1000)).toBe(expected(1000));
});

it('tells a rate for each round', () => {
  let clock = 0;
  const found = roofline(3, () => (clock += 1));
  expect(found.simd).toHaveLength(3);
  expect(new Set(found.simd)).toEqual(new Set([448]));
});
