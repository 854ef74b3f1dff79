/** Which pixels are removed: one byte a pixel, row-major, 1 for removed. Nothing here changes its arguments. */

export type Mask = Uint8Array<ArrayBuffer>;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture cut into `count` segments: the number of its segment for each pixel. */
export interface Segments {
  readonly count: number;
  readonly labels: Uint32Array;
}

export type First = 'most' | 'least';

export function blank({ width, height }: Size): Mask {
  return new Uint8Array(width * height);
}

/** Pixels removed. */
export function removed(mask: Mask): number {
  return mask.reduce((sum, gone) => sum + gone, 0);
}

export function inverted(mask: Mask): Mask {
  return mask.map((gone) => 1 - gone);
}

/** How many of `pixels` a share is; never more. */
export function countOf(share: number, pixels: number): number {
  return Math.min(pixels, Math.max(0, Math.round(share * pixels)));
}

/**
 * `mask` with a straight stroke of a round brush painted into it (`value` 1) or rubbed out (0). `radius` is in pixels,
 * measured between centres: 0 paints single pixels.
 */
export function stroked(
  mask: Mask,
  { width, height }: Size,
  from: readonly [number, number],
  to: readonly [number, number],
  radius: number,
  value: 0 | 1,
): Mask {
  const out = new Uint8Array(mask);
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const long = dx * dx + dy * dy;
  const [left, right] = [Math.min(from[0], to[0]) - radius, Math.max(from[0], to[0]) + radius];
  const [top, bottom] = [Math.min(from[1], to[1]) - radius, Math.max(from[1], to[1]) + radius];
  for (let y = Math.max(0, Math.floor(top)); y <= Math.min(height - 1, Math.ceil(bottom)); y++) {
    for (let x = Math.max(0, Math.floor(left)); x <= Math.min(width - 1, Math.ceil(right)); x++) {
      const along = long === 0 ? 0 : ((x - from[0]) * dx + (y - from[1]) * dy) / long;
      const t = Math.min(1, Math.max(0, along));
      const [ex, ey] = [x - from[0] - t * dx, y - from[1] - t * dy];
      // Half a pixel more, so that a stroke of radius 0 between two centres leaves no gap.
      if (ex * ex + ey * ey <= Math.max(radius * radius, 0.5)) out[y * width + x] = value;
    }
  }
  return out;
}

/** Uniform numbers in `[0, 1)` from a seed (mulberry32); the same on every machine. */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `0 … count - 1` in a random order. */
export function permutation(count: number, seed: number): Uint32Array {
  const next = draws(seed);
  const out = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    const held = out[i] ?? 0;
    out[i] = out[j] ?? 0;
    out[j] = held;
  }
  return out;
}

/** Pixels from the most relevant to the least; equal ones in a random order, so that a flat map prefers none. */
export function ranked(values: Float32Array, seed: number): Uint32Array {
  // Sorting is stable: what is equal keeps the order of the permutation.
  return permutation(values.length, seed).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
}

/** The first `count` pixels of a ranking, or its last. */
export function ofRanking(ranking: Uint32Array, count: number, first: First): Mask {
  const mask = new Uint8Array(ranking.length);
  for (let k = 0; k < count; k++) {
    const at = ranking[first === 'most' ? k : ranking.length - 1 - k];
    if (at !== undefined) mask[at] = 1;
  }
  return mask;
}

/** Single pixels by chance, exactly as many as the share says. */
export function scattered(size: Size, share: number, seed: number): Mask {
  const pixels = size.width * size.height;
  return ofRanking(permutation(pixels, seed), countOf(share, pixels), 'most');
}

/** Segments by chance whose pixels come as near to the share as whole segments in that order do. */
export function pickedByChance({ count, labels }: Segments, share: number, seed: number): ReadonlySet<number> {
  const sizes = new Uint32Array(count);
  for (const label of labels) sizes[label] = (sizes[label] ?? 0) + 1;
  const wanted = countOf(share, labels.length);
  const picked = new Set<number>();
  let sum = 0;
  for (const label of permutation(count, seed)) {
    const size = sizes[label] ?? 0;
    // A segment that overshoots by more than it was missing is left for a smaller one.
    if (sum + size - wanted > wanted - sum) continue;
    picked.add(label);
    sum += size;
  }
  return picked;
}

export function ofSegments({ labels }: Segments, picked: ReadonlySet<number>): Mask {
  return Uint8Array.from(labels, (label) => Number(picked.has(label)));
}

/** Lengths of runs of kept and removed pixels in turn, kept first: a mask as few numbers. */
export function runs(mask: Mask): number[] {
  const out: number[] = [0];
  let now = 0;
  for (const gone of mask) {
    if (gone !== now) {
      out.push(0);
      now = gone;
    }
    out[out.length - 1] = (out[out.length - 1] ?? 0) + 1;
  }
  return out;
}

/** The picture with removed pixels see-through. */
export function punched(rgba: Uint8ClampedArray, mask: Mask): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(rgba);
  mask.forEach((gone, i) => {
    if (gone) out[4 * i + 3] = 0;
  });
  return out;
}
