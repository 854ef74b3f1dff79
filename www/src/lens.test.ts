import { describe, expect, it } from 'vitest';
import { DEEPEST, inFrame, pan, reveal, WHOLE, zoomAt, type Lens } from './lens.js';

/** The point of the picture under a place of the frame. */
const under = (lens: Lens, u: number, v: number) => ({
  x: lens.x + (u - 0.5) / lens.zoom,
  y: lens.y + (v - 0.5) / lens.zoom,
});

describe('lens', () => {
  it('keeps the point under the pointer where it is', () => {
    const start = zoomAt(WHOLE, 4, 0.5, 0.5);
    const before = under(start, 0.3, 0.8);
    const after = under(zoomAt(start, 2, 0.3, 0.8), 0.3, 0.8);
    expect(after.x).toBeCloseTo(before.x, 12);
    expect(after.y).toBeCloseTo(before.y, 12);
  });

  it('never shows what lies beside the picture, nor zooms past its ends', () => {
    const corner = zoomAt(zoomAt(WHOLE, 8, 0, 1), 0.5, 1, 0);
    for (const lens of [corner, pan(corner, 9, -9), pan(corner, -9, 9), zoomAt(WHOLE, 0.1), zoomAt(WHOLE, 1e9)]) {
      expect(inFrame(lens, 0, 0).u).toBeLessThanOrEqual(1e-12);
      expect(inFrame(lens, 0, 0).v).toBeLessThanOrEqual(1e-12);
      expect(inFrame(lens, 1, 1).u).toBeGreaterThanOrEqual(1 - 1e-12);
      expect(inFrame(lens, 1, 1).v).toBeGreaterThanOrEqual(1 - 1e-12);
      expect(lens.zoom).toBeGreaterThanOrEqual(1);
      expect(lens.zoom).toBeLessThanOrEqual(DEEPEST);
    }
    expect(zoomAt(zoomAt(WHOLE, 4, 0.9, 0.1), 0.01)).toEqual(WHOLE);
  });

  it('a dragged point follows the hand', () => {
    const start = zoomAt(WHOLE, 4);
    const point = under(start, 0.5, 0.5);
    const { u, v } = inFrame(pan(start, 0.25, -0.1), point.x, point.y);
    expect(u).toBeCloseTo(0.75, 12);
    expect(v).toBeCloseTo(0.4, 12);
  });

  it('reveals a point by the smallest move', () => {
    const start = zoomAt(WHOLE, 4);
    expect(reveal(start, 0.5, 0.45)).toEqual(start);
    const moved = reveal(start, 0.9, 0.5);
    expect(inFrame(moved, 0.9, 0.5).u).toBeCloseTo(1, 12);
    expect(moved.y).toBe(start.y);
  });
});
