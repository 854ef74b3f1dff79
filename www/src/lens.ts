/** The part of a picture that is shown: the same for all maps side by side. */
export interface Lens {
  /** How much larger than whole, 1 to `DEEPEST`. */
  readonly zoom: number;
  /** The centre, as shares of the picture's width and height. */
  readonly x: number;
  readonly y: number;
}

export const WHOLE: Lens = { zoom: 1, x: 0.5, y: 0.5 };
export const DEEPEST = 32;
/** One press of a button or key. */
export const STEP = 1.5;

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** The nearest lens that shows nothing beside the picture. */
function settle(zoom: number, x: number, y: number): Lens {
  const near = clamp(zoom, 1, DEEPEST);
  const margin = 0.5 / near;
  return { zoom: near, x: clamp(x, margin, 1 - margin), y: clamp(y, margin, 1 - margin) };
}

/** Zooms by `factor` so that the point of the picture under `(u, v)`, shares of the frame, stays there. */
export function zoomAt(lens: Lens, factor: number, u = 0.5, v = 0.5): Lens {
  const zoom = clamp(lens.zoom * factor, 1, DEEPEST);
  const shift = 1 / lens.zoom - 1 / zoom;
  return settle(zoom, lens.x + (u - 0.5) * shift, lens.y + (v - 0.5) * shift);
}

/** Moves what is shown by shares of the frame, as a dragging hand does. */
export function pan(lens: Lens, du: number, dv: number): Lens {
  return settle(lens.zoom, lens.x - du / lens.zoom, lens.y - dv / lens.zoom);
}

/** Moves as little as needed to show the point `(x, y)`, shares of the picture. */
export function reveal(lens: Lens, x: number, y: number): Lens {
  const half = 0.5 / lens.zoom;
  return settle(lens.zoom, clamp(lens.x, x - half, x + half), clamp(lens.y, y - half, y + half));
}

/** Where a point of the picture lies in the frame; outside of 0 to 1 where it is not shown. */
export function inFrame(lens: Lens, x: number, y: number): { readonly u: number; readonly v: number } {
  return { u: (x - lens.x) * lens.zoom + 0.5, v: (y - lens.y) * lens.zoom + 0.5 };
}
