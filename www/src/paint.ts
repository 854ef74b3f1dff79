/** Draws a map as pixels: alone, or over the picture with strength as opacity, so that weak places show the picture. */
import { colour, isDiverging, type ColormapId } from './colormap.js';
import type { Plane } from './maps.js';

export interface Paint {
  readonly colormap: ColormapId;
  /** The value drawn at full colour. */
  readonly scale: number;
  /** Of the strongest places, `[0, 1]`; used over a picture only. */
  readonly opacity: number;
  /** RGBA of the plane's size, and whether it is drawn in grey; null for the map alone. */
  readonly picture: { readonly rgba: Uint8ClampedArray; readonly grey: boolean } | null;
}

/** Over a picture even weak colours must be told apart, so they start at this share of the colour map. */
const WEAKEST = 0.35;
const RISE = 0.8;

function over(t: number, colormap: ColormapId): number {
  if (!isDiverging(colormap)) return t;
  return Math.sign(t) * (WEAKEST + (1 - WEAKEST) * Math.abs(t));
}

/** RGBA of the plane's size. */
export function paint(plane: Plane, { colormap, scale, opacity, picture }: Paint): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(plane.width * plane.height * 4);
  const low = isDiverging(colormap) ? -1 : 0;
  plane.values.forEach((value, i) => {
    const t = scale > 0 ? Math.max(low, Math.min(1, value / scale)) : 0;
    const at = i * 4;
    out[at + 3] = 255;
    if (!picture) {
      out.set(colour(colormap, t), at);
      return;
    }
    const [r = 0, g = 0, b = 0] = picture.rgba.subarray(at, at + 3);
    const luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    const base = picture.grey ? [luma, luma, luma] : [r, g, b];
    const alpha = opacity * Math.abs(t) ** RISE;
    const ink = colour(colormap, over(t, colormap));
    for (let c = 0; c < 3; c += 1) out[at + c] = (base[c] ?? 0) * (1 - alpha) + (ink[c] ?? 0) * alpha;
  });
  return out;
}
