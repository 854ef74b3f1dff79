import { describe, expect, it } from 'vitest';
import { evidence, reduceChannels, scaleOf, upsample } from './maps.js';

describe('reduceChannels', () => {
  const map = Float32Array.of(1, -2, 3, -4, 5, 6, -7, -8);
  it('sums channels with their sign', () => {
    expect([...reduceChannels([2, 2, 2], map, 'signed').values]).toEqual([6, 4, -4, -12]);
  });
  it('sums strengths', () => {
    expect([...reduceChannels([2, 2, 2], map, 'absolute').values]).toEqual([6, 8, 10, 12]);
  });
  it('refuses values that do not fill the shape', () => {
    expect(() => reduceChannels([1, 2, 2], map, 'signed')).toThrow('1×2×2');
  });
});

describe('upsample', () => {
  it('is bilinear with half-pixel centres and clamped edges', () => {
    const plane = { width: 2, height: 1, values: Float32Array.of(0, 1) };
    expect([...upsample(plane, 4, 1).values]).toEqual([0, 0.25, 0.75, 1]);
  });
  it('keeps a constant and the corners of a bilinear ramp', () => {
    const flat = upsample({ width: 3, height: 2, values: new Float32Array(6).fill(0.5) }, 7, 9);
    expect(new Set(flat.values)).toEqual(new Set([0.5]));
  });
  it('gives back a plane of the right size untouched', () => {
    const plane = { width: 2, height: 2, values: Float32Array.of(1, 2, 3, 4) };
    expect(upsample(plane, 2, 2)).toBe(plane);
  });
});

describe('scaleOf', () => {
  it('leaves out the strongest half percent', () => {
    const values = new Float32Array(1000).fill(0.5);
    values.set([90, -91, 92], 10);
    expect(scaleOf({ width: 1000, height: 1, values })).toBe(0.5);
  });
  it('falls back to the maximum of a map that is nearly all 0', () => {
    const values = new Float32Array(1000);
    values[3] = -2;
    expect(scaleOf({ width: 1000, height: 1, values })).toBe(2);
  });
});

describe('evidence', () => {
  it('names the fewest parts that hold most positive values, and the peak', () => {
    const values = new Float32Array(81).fill(0);
    values[4 * 9 + 4] = 6;
    values[0] = 3;
    values[80] = -1;
    const found = evidence({ width: 9, height: 9, values });
    expect(found).toEqual({ parts: [4], share: 6 / 9, peak: { x: 4, y: 4, value: 6 }, negative: 0.1 });
  });
  it('is null where nothing is positive', () => {
    expect(evidence({ width: 2, height: 1, values: Float32Array.of(-1, 0) })).toBeNull();
  });
});
