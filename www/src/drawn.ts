/** The plane that is drawn of a raw map, remembered so that sliders and hovering recompute nothing. */
import { evidence, reduceChannels, scaleOf, upsample, type Evidence, type Plane, type Reduction } from './maps.js';
import type { RawMap } from './state.js';

export interface Drawn {
  readonly plane: Plane;
  readonly scale: number;
  readonly evidence: Evidence | null;
}

const known = new WeakMap<RawMap, Map<string, Drawn>>();

/** Channels collapsed, resampled to the picture's size. */
export function drawn(map: RawMap, reduction: Reduction, width: number, height: number): Drawn {
  const key = `${reduction} ${width} ${height}`;
  const ofMap = known.get(map) ?? new Map<string, Drawn>();
  known.set(map, ofMap);
  const before = ofMap.get(key);
  if (before) return before;
  const plane = upsample(reduceChannels(map.shape, map.values, reduction), width, height);
  const made = { plane, scale: scaleOf(plane), evidence: evidence(plane) };
  ofMap.set(key, made);
  return made;
}
