/** Geometry of line charts: scales, ticks and paths. Drawing is left to the element. */

export interface Scale {
  readonly domain: readonly [number, number];
  readonly ticks: readonly number[];
  /** Data to pixels. */
  at(value: number): number;
}

/** Round tick values, about `count` of them, covering `[min, max]`. */
export function niceTicks(min: number, max: number, count: number): number[] {
  if (!(max > min)) return niceTicks(min - 0.5, min + 0.5, count);
  const raw = (max - min) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999) ?? 10);
  const first = Math.floor(min / step + 1e-9);
  const last = Math.ceil(max / step - 1e-9);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toFixed(digits)));
}

/** A linear scale whose domain ends on ticks. */
export function scale(values: readonly number[], from: number, to: number, count = 5): Scale {
  const finite = values.filter(Number.isFinite);
  const ticks = finite.length > 0 ? niceTicks(Math.min(...finite), Math.max(...finite), count) : [0, 1];
  const low = ticks[0] ?? 0;
  const high = ticks[ticks.length - 1] ?? 1;
  return { domain: [low, high], ticks, at: (v) => from + ((v - low) / (high - low)) * (to - from) };
}

/** An SVG path through the points; a value that is not finite breaks the line. */
export function linePath(x: readonly number[], y: readonly number[], sx: Scale, sy: Scale): string {
  let pen = false;
  let out = '';
  x.forEach((vx, i) => {
    const vy = y[i] ?? Number.NaN;
    if (!Number.isFinite(vx) || !Number.isFinite(vy)) {
      pen = false;
      return;
    }
    out += `${pen ? 'L' : 'M'}${sx.at(vx).toFixed(1)} ${sy.at(vy).toFixed(1)}`;
    pen = true;
  });
  return out;
}

/** Index of the value nearest to `wanted` in an ascending list. */
export function nearest(values: readonly number[], wanted: number): number {
  let best = 0;
  values.forEach((v, i) => {
    if (Math.abs(v - wanted) < Math.abs((values[best] ?? Infinity) - wanted)) best = i;
  });
  return best;
}

/** The value of a curve at `x`, linear between points and held at the ends. */
export function valueAt(xs: readonly number[], ys: readonly number[], x: number): number {
  const after = xs.findIndex((v) => v >= x);
  if (after === -1) return ys[ys.length - 1] ?? Number.NaN;
  if (after === 0) return ys[0] ?? Number.NaN;
  const x0 = xs[after - 1] ?? 0;
  const x1 = xs[after] ?? 1;
  const y0 = ys[after - 1] ?? Number.NaN;
  const y1 = ys[after] ?? Number.NaN;
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}
