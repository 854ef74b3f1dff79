/** Arithmetic on raw attribution maps. A raw map is `[C, H, W]` or `[1, h, w]`, row-major, sign kept. */

/** One value a location. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** How channels become one value: their sum, or the sum of their absolute values. */
export type Reduction = 'signed' | 'absolute';

/** Collapses the channels of a raw map. */
export function reduceChannels(shape: readonly number[], map: Float32Array, how: Reduction): Plane {
  const [channels = 0, height = 0, width = 0] = shape;
  const size = height * width;
  if (shape.length !== 3 || map.length !== channels * size) {
    throw new RangeError(`a map of ${map.length} values does not have the shape ${shape.join('×')}`);
  }
  const values = new Float32Array(size);
  for (let c = 0; c < channels; c += 1) {
    for (let i = 0; i < size; i += 1) {
      const v = map[c * size + i] ?? 0;
      values[i] = (values[i] ?? 0) + (how === 'absolute' ? Math.abs(v) : v);
    }
  }
  return { width, height, values };
}

/** Bilinear resampling with half-pixel centres and clamped edges, as the engine resizes maps for scoring. */
export function upsample(plane: Plane, width: number, height: number): Plane {
  if (plane.width === width && plane.height === height) return plane;
  const values = new Float32Array(width * height);
  const sx = plane.width / width;
  const sy = plane.height / height;
  for (let y = 0; y < height; y += 1) {
    const fy = Math.min(plane.height - 1, Math.max(0, (y + 0.5) * sy - 0.5));
    const y0 = Math.floor(fy);
    const y1 = Math.min(plane.height - 1, y0 + 1);
    for (let x = 0; x < width; x += 1) {
      const fx = Math.min(plane.width - 1, Math.max(0, (x + 0.5) * sx - 0.5));
      const x0 = Math.floor(fx);
      const x1 = Math.min(plane.width - 1, x0 + 1);
      const at = (yy: number, xx: number) => plane.values[yy * plane.width + xx] ?? 0;
      const top = at(y0, x0) + (at(y0, x1) - at(y0, x0)) * (fx - x0);
      const bottom = at(y1, x0) + (at(y1, x1) - at(y1, x0)) * (fx - x0);
      values[y * width + x] = top + (bottom - top) * (fy - y0);
    }
  }
  return { width, height, values };
}

/** Share of locations whose strength lies within the drawn scale; the rest is drawn at full strength. */
export const SCALE_QUANTILE = 0.995;

/** The strength drawn at full colour: the quantile of absolute values, or the maximum where that quantile is 0. */
export function scaleOf(plane: Plane): number {
  const strengths = Float32Array.from(plane.values, Math.abs).sort();
  if (strengths.length === 0) return 0;
  const at = Math.min(strengths.length - 1, Math.floor(strengths.length * SCALE_QUANTILE));
  return (strengths[at] ?? 0) || (strengths[strengths.length - 1] ?? 0);
}

/** Where the evidence of a map lies, for the text alternative. */
export interface Evidence {
  /** The fewest of nine equal parts (row-major, 0 is the upper left) that hold most positive evidence, strongest first. */
  readonly parts: readonly number[];
  /** Share of all positive evidence in those parts, `[0, 1]`. */
  readonly share: number;
  /** The strongest location, in pixels of the plane. */
  readonly peak: { readonly x: number; readonly y: number; readonly value: number };
  /** Share of negative evidence in all evidence, `[0, 1]`. */
  readonly negative: number;
}

/** Sums evidence over a grid of three by three; null for a map without positive values. */
export function evidence(plane: Plane): Evidence | null {
  const cells = new Float64Array(9);
  let positive = 0;
  let negative = 0;
  let peak = { x: 0, y: 0, value: Number.NEGATIVE_INFINITY };
  for (let y = 0; y < plane.height; y += 1) {
    for (let x = 0; x < plane.width; x += 1) {
      const value = plane.values[y * plane.width + x] ?? 0;
      if (value > peak.value) peak = { x, y, value };
      if (value <= 0) {
        negative -= value;
        continue;
      }
      positive += value;
      const cell = 3 * Math.floor(((y + 0.5) * 3) / plane.height) + Math.floor(((x + 0.5) * 3) / plane.width);
      cells[cell] = (cells[cell] ?? 0) + value;
    }
  }
  if (positive === 0) return null;
  const order = [...cells.keys()].sort((a, b) => (cells[b] ?? 0) - (cells[a] ?? 0));
  const parts: number[] = [];
  let share = 0;
  for (const part of order) {
    if (share > 0.5) break;
    parts.push(part);
    share += (cells[part] ?? 0) / positive;
  }
  return { parts, share, peak, negative: negative / (positive + negative) };
}
