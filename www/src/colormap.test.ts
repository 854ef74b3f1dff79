import { describe, expect, it } from 'vitest';
import { colour, DIVERGING, divergingLch, SEQUENTIAL } from './colormap.js';

/** OKLab lightness of an sRGB colour, by Ottosson's forward transform: the way back from what the maps compute. */
function lightness([r, g, b]: readonly [number, number, number]): number {
  const linear = (v: number) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const [lr, lg, lb] = [linear(r), linear(g), linear(b)];
  const l = Math.cbrt(0.4122214708 * lr + 0.5363325363 * lg + 0.0514459929 * lb);
  const m = Math.cbrt(0.2119034982 * lr + 0.6806995451 * lg + 0.1073969566 * lb);
  const s = Math.cbrt(0.0883024619 * lr + 0.2817188376 * lg + 0.6299787005 * lb);
  return 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s;
}

describe.each(DIVERGING)('%s', (id) => {
  it('is as light at -t as at t, so that neither sign looks stronger', () => {
    for (let i = 0; i <= 255; i += 5) {
      const t = i / 255;
      expect(Math.abs(lightness(colour(id, t)) - lightness(colour(id, -t))), `t ${t}`).toBeLessThan(0.006);
    }
  });

  it('darkens and gains chroma with strength, from near white at 0', () => {
    expect(Math.min(...colour(id, 0))).toBeGreaterThan(240);
    for (let i = 0; i < 50; i += 1) {
      expect(divergingLch(id, (i + 1) / 50).lightness).toBeLessThan(divergingLch(id, i / 50).lightness);
    }
    expect(divergingLch(id, 1).chroma).toBeGreaterThan(0.1);
  });

  it('gives the two signs different colours', () => {
    const [a, b] = [colour(id, -1), colour(id, 1)];
    expect(Math.max(...a.map((v, i) => Math.abs(v - (b[i] ?? 0))))).toBeGreaterThan(100);
  });

  it('holds the ends beyond -1 and 1', () => {
    expect(colour(id, 7)).toEqual(colour(id, 1));
    expect(colour(id, -7)).toEqual(colour(id, -1));
  });
});

describe.each(SEQUENTIAL)('%s', (id) => {
  it('rises in lightness all the way', () => {
    for (let i = 0; i < 60; i += 1) {
      expect(lightness(colour(id, (i + 1) / 60))).toBeGreaterThan(lightness(colour(id, i / 60)));
    }
  });
});
