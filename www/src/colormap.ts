/**
 * Colour maps. The diverging ones are symmetric about 0: at `t` and `-t` they have the same lightness and chroma in
 * OKLCH and differ only in hue, so neither sign looks stronger. Their hue pairs stay apart for the common kinds of
 * colour blindness. The sequential ones rise steadily in lightness.
 */
export type Rgb = readonly [number, number, number];
export type DivergingId = 'blue-orange' | 'purple-green';
export type SequentialId = 'dusk' | 'grey';
export type ColormapId = DivergingId | SequentialId;

export const DIVERGING: readonly DivergingId[] = ['blue-orange', 'purple-green'];
export const SEQUENTIAL: readonly SequentialId[] = ['dusk', 'grey'];

/** Hues in degrees of the negative and the positive arm. */
const ARMS: Readonly<Record<DivergingId, readonly [number, number]>> = {
  'blue-orange': [250, 55],
  'purple-green': [310, 140],
};
const STEPS = 256;

function gamma(v: number): number {
  const c = Math.min(1, Math.max(0, v));
  return c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055;
}

/** OKLab to linear sRGB, unclipped (Ottosson 2020, https://bottosson.github.io/posts/oklab/). */
function linear(lightness: number, a: number, b: number): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

function inGamut(rgb: Rgb): boolean {
  return rgb.every((v) => v >= -1e-4 && v <= 1.0001);
}

/** Largest chroma up to `wanted` that sRGB can show at this lightness in all of `hues`. */
function fit(lightness: number, wanted: number, hues: readonly number[]): number {
  const fits = (c: number) =>
    hues.every((h) => inGamut(linear(lightness, c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180))));
  if (fits(wanted)) return wanted;
  let low = 0;
  let high = wanted;
  for (let i = 0; i < 24; i += 1) {
    const mid = (low + high) / 2;
    if (fits(mid)) low = mid;
    else high = mid;
  }
  return low;
}

function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const angle = (hue * Math.PI) / 180;
  const rgb = linear(lightness, chroma * Math.cos(angle), chroma * Math.sin(angle));
  return [Math.round(gamma(rgb[0]) * 255), Math.round(gamma(rgb[1]) * 255), Math.round(gamma(rgb[2]) * 255)];
}

/** Lightness and chroma of a diverging map at strength `s` in `[0, 1]`; the same for both arms. */
export function divergingLch(id: DivergingId, s: number): { lightness: number; chroma: number } {
  const lightness = 0.985 - 0.385 * s ** 0.9;
  return { lightness, chroma: fit(lightness, 0.19 * Math.min(1, s * 1.35), ARMS[id]) };
}

function diverging(id: DivergingId, t: number): Rgb {
  const { lightness, chroma } = divergingLch(id, Math.abs(t));
  return oklch(lightness, chroma, ARMS[id][t < 0 ? 0 : 1]);
}

function sequential(id: SequentialId, t: number): Rgb {
  if (id === 'grey') return oklch(0.15 + 0.83 * t, 0, 0);
  const lightness = 0.22 + 0.74 * t;
  const hue = 285 + 170 * t;
  return oklch(lightness, fit(lightness, 0.05 + 0.12 * Math.sin(Math.PI * (0.15 + 0.75 * t)), [hue]), hue);
}

export function isDiverging(id: ColormapId): id is DivergingId {
  return id in ARMS;
}

const tables = new Map<ColormapId, Uint8ClampedArray>();

/** RGB triples: of `t` in `[-1, 1]` for a diverging map (511 entries), in `[0, 1]` for a sequential one (256). */
function table(id: ColormapId): Uint8ClampedArray {
  const known = tables.get(id);
  if (known) return known;
  const half = STEPS - 1;
  const count = isDiverging(id) ? 2 * half + 1 : STEPS;
  const out = new Uint8ClampedArray(count * 3);
  for (let i = 0; i < count; i += 1) {
    out.set(isDiverging(id) ? diverging(id, (i - half) / half) : sequential(id, i / half), i * 3);
  }
  tables.set(id, out);
  return out;
}

/** The colour of `t`: `[-1, 1]` for diverging maps, `[0, 1]` for sequential ones; beyond that the end's colour. */
export function colour(id: ColormapId, t: number): Rgb {
  const entries = table(id);
  const half = STEPS - 1;
  const from = isDiverging(id) ? -1 : 0;
  const clipped = Math.min(1, Math.max(from, t));
  const at = 3 * (Math.round(clipped * half) + (isDiverging(id) ? half : 0));
  return [entries[at] ?? 0, entries[at + 1] ?? 0, entries[at + 2] ?? 0];
}

/** The same colour for CSS and SVG. */
export function css(id: ColormapId, t: number): string {
  return `rgb(${colour(id, t).join(' ')})`;
}
