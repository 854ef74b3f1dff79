import { describe, expect, it } from 'vitest';
import {
  blank,
  countOf,
  draws,
  inverted,
  ofRanking,
  ofSegments,
  permutation,
  pickedByChance,
  punched,
  ranked,
  removed,
  runs,
  scattered,
  stroked,
} from './masks.js';

const SIZE = { width: 5, height: 4 };
const rows = (mask: Uint8Array, width = SIZE.width) =>
  Array.from({ length: mask.length / width }, (_, y) => mask.slice(y * width, (y + 1) * width).join(''));

describe('the brush', () => {
  it('paints one pixel without a radius', () => {
    expect(rows(stroked(blank(SIZE), SIZE, [2, 1], [2, 1], 0, 1))).toEqual(['00000', '00100', '00000', '00000']);
  });
  it('paints a disc, cut at the edges', () => {
    expect(rows(stroked(blank(SIZE), SIZE, [0, 0], [0, 0], 2, 1))).toEqual(['11100', '11000', '10000', '00000']);
  });
  it('leaves no gap on the way, whatever the slope', () => {
    const mask = stroked(blank({ width: 9, height: 9 }), { width: 9, height: 9 }, [0, 0], [8, 3], 0, 1);
    for (let x = 0; x < 9; x++) expect(rows(mask, 9).some((row) => row[x] === '1')).toBe(true);
  });
  it('rubs out, and changes no mask that it is given', () => {
    const full = inverted(blank(SIZE));
    const out = stroked(full, SIZE, [2, 2], [2, 2], 1, 0);
    expect(removed(out)).toBe(15);
    expect(removed(full)).toBe(20);
  });
  it('beyond the picture paints nothing', () => {
    expect(removed(stroked(blank(SIZE), SIZE, [-9, -9], [-9, -9], 3, 1))).toBe(0);
  });
});

describe('chance', () => {
  it('is the same for a seed and another for another', () => {
    expect([...permutation(50, 7)]).toEqual([...permutation(50, 7)]);
    expect([...permutation(50, 7)]).not.toEqual([...permutation(50, 8)]);
    expect([...permutation(50, 7)].sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
  });
  it('draws evenly', () => {
    const next = draws(3);
    const mean = Array.from({ length: 4000 }, next).reduce((a, b) => a + b, 0) / 4000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
  });
  it.each([0, 0.05, 0.5, 0.95, 1])('removes exactly the share %f', (share) => {
    expect(removed(scattered({ width: 20, height: 10 }, share, 1))).toBe(200 * share);
  });
});

describe('a ranking', () => {
  const values = Float32Array.of(0.1, 3, -2, 0.5, 0.5, 0.5);
  it('goes from the most relevant to the least, and its ends are each other’s complement', () => {
    const order = ranked(values, 0);
    expect([order[0], order[4], order[5]]).toEqual([1, 0, 2]);
    for (let k = 0; k <= 6; k++) {
      const most = ofRanking(order, k, 'most');
      expect([...inverted(most)]).toEqual([...ofRanking(order, 6 - k, 'least')]);
    }
  });
  it('breaks ties by the seed, not by place', () => {
    const flat = new Float32Array(40);
    expect([...ranked(flat, 1)]).not.toEqual([...ranked(flat, 2)]);
    expect([...ranked(flat, 1)]).not.toEqual([...Array(40).keys()]);
  });
  it('of a picture of one pixel removes it or does not', () => {
    expect([0.05, 0.49, 0.5, 0.95].map((share) => countOf(share, 1))).toEqual([0, 0, 1, 1]);
  });
});

describe('segments', () => {
  const segments = { count: 4, labels: Uint32Array.of(0, 0, 0, 0, 1, 1, 2, 2, 3, 3) };
  it('are removed whole, near to the share', () => {
    for (const share of [0.1, 0.4, 0.6, 0.9]) {
      const picked = pickedByChance(segments, share, 5);
      const mask = ofSegments(segments, picked);
      segments.labels.forEach((label, i) => expect(mask[i]).toBe(Number(picked.has(label))));
      expect(Math.abs(removed(mask) - 10 * share)).toBeLessThanOrEqual(2);
    }
  });
});

it('runs say where a mask changes, kept pixels first', () => {
  expect(runs(Uint8Array.of(1, 1, 0, 0, 0, 1))).toEqual([0, 2, 3, 1]);
  expect(runs(Uint8Array.of(0, 0))).toEqual([2]);
  const mask = scattered(SIZE, 0.4, 3);
  expect(runs(mask).reduce((a, b) => a + b, 0)).toBe(20);
});

it('holes are see-through, and the rest stays', () => {
  const rgba = Uint8ClampedArray.from({ length: 8 }, () => 255);
  expect([...punched(rgba, Uint8Array.of(0, 1))]).toEqual([255, 255, 255, 255, 255, 255, 255, 0]);
});
