/** The removal bench's state: what is removed and how, and what came of it. */
import { drawn } from '../drawn.js';
import type { Choice, ClassScore, Evaluated, Gauge, Provenance, WireError } from '../protocol.gen.js';
import type { Explained, RawMap, State } from '../state.js';
import {
  blank,
  countOf,
  ofRanking,
  ofSegments,
  pickedByChance,
  ranked,
  scattered,
  type First,
  type Mask,
  type Segments,
  type Size,
} from './masks.js';

/** Where the removed pixels come from. */
export type Source = 'explanation' | 'brush' | 'pixels' | 'segments';
export const SOURCES: readonly Source[] = ['explanation', 'brush', 'pixels', 'segments'];

/** Shares removed by a ranking or by chance, percent. */
export const LEAST_SHARE = 5;
export const MOST_SHARE = 95;

/** The metrics whose curves are compared between imputers. */
export const CURVES = ['deletion', 'pixel-flipping', 'road'] as const;
export type CurveMetric = (typeof CURVES)[number];

/** Steps of a film. */
export const STEPS: readonly number[] = [10, 20, 40];

/** Fillings drawn of a stochastic imputer at most. */
export const MOST_DRAWS = 8;

/** One filling, and what the network says to it. */
export interface Draw {
  readonly seed: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  /** The best classes and the one looked at, best first. */
  readonly answer: readonly ClassScore[];
}

/** One imputer's fillings of one mask. */
export interface Filled {
  readonly imputer: string;
  readonly choice: Choice;
  readonly mask: Mask;
  /** Class that was looked at. */
  readonly target: number;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'left';
  /** Grows while several are drawn. */
  readonly draws: readonly Draw[];
  /** Over as many fillings as are drawn; empty until they are there. */
  readonly gauges: readonly Gauge[];
  readonly provenance: Provenance | null;
  /** Of one filling with its answer. */
  readonly seconds: number;
  readonly error: WireError | null;
}

export interface Frame {
  readonly share: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Of the film's class. */
  readonly probability: number;
  readonly top: ClassScore | null;
}

/** A deletion, step by step. */
export interface Film {
  readonly imputer: string;
  readonly choice: Choice;
  /** Id of the explanation. */
  readonly explained: number;
  readonly method: string;
  readonly first: First;
  readonly target: number;
  readonly label: string;
  readonly steps: number;
  readonly seed: number;
  readonly frames: readonly Frame[];
  /** Whether the last step is left out, because the imputer needs a pixel to fill from. */
  readonly short: boolean;
}

/** One imputer's scores of one map in both orders. */
export interface Remover {
  readonly imputer: string;
  readonly morf: Evaluated | null;
  readonly lerf: Evaluated | null;
  readonly error: WireError | null;
}

export interface Removers {
  readonly metric: CurveMetric;
  readonly method: string;
  readonly explained: number;
  readonly label: string;
  readonly rows: readonly Remover[];
}

export interface Bench {
  readonly source: Source;
  /** Percent. */
  readonly share: number;
  readonly first: First;
  /** Id of the method whose map ranks the pixels. */
  readonly method: string;
  /** Ids of the imputers compared; empty for all that can run. */
  readonly fills: readonly string[];
  readonly draws: number;
  readonly filmBy: string;
  readonly steps: number;
  readonly metric: CurveMetric;
  /** What was painted by hand. */
  readonly painted: Mask | null;
  readonly segments: Segments | null;
  /** Segments chosen by hand; null for a choice by chance. */
  readonly picked: ReadonlySet<number> | null;
  readonly filled: readonly Filled[];
  readonly film: Film | null;
  readonly removers: Removers | null;
}

export const BENCH: Bench = {
  source: 'explanation',
  share: 30,
  first: 'most',
  method: 'grad-cam',
  fills: [],
  draws: 4,
  filmBy: 'noisy-linear',
  steps: 20,
  metric: 'deletion',
  painted: null,
  segments: null,
  picked: null,
  filled: [],
  film: null,
  removers: null,
};

/** What no longer holds once the network or the picture changed; the settings stay. */
export function cleared(bench: Bench): Bench {
  const { painted, segments, picked, filled, film, removers } = BENCH;
  return { ...bench, painted, segments, picked, filled, film, removers };
}

/** The latest finished map of the bench's method for the class looked at. */
export function mapOf({ explained, target, bench }: State): Explained | null {
  const fits = (e: Explained) => e.method.id === bench.method && e.target.class === target && e.result !== null;
  return explained.findLast(fits) ?? null;
}

const rankings = new WeakMap<RawMap, Map<string, Uint32Array>>();

/** The pixels of the prepared picture by a map, most relevant first. */
export function rankingOf(map: RawMap, { width, height }: Size, seed: number): Uint32Array {
  const key = `${width} ${height} ${seed}`;
  const known = rankings.get(map) ?? new Map<string, Uint32Array>();
  rankings.set(map, known);
  const found = known.get(key) ?? ranked(drawn(map, 'signed', width, height).plane.values, seed);
  known.set(key, found);
  return found;
}

let last: { readonly key: readonly unknown[]; readonly mask: Mask } | null = null;

/** What is removed now; null where a map or segments are still missing, or there is no picture. */
export function maskOf(state: State): Mask | null {
  const { bench, prepared, seed } = state;
  if (!prepared) return null;
  const { source, share, first, painted, segments, picked } = bench;
  const map = source === 'explanation' ? (mapOf(state)?.map ?? null) : null;
  const key = [prepared, source, share, first, painted, segments, picked, map, seed];
  if (last?.key.every((part, k) => part === key[k])) return last.mask;
  const mask = made(state, map);
  if (mask) last = { key, mask };
  return mask;
}

function made({ bench, prepared, seed }: State, map: RawMap | null): Mask | null {
  if (!prepared) return null;
  const { source, share, first, painted, segments, picked } = bench;
  switch (source) {
    case 'brush':
      return painted ?? blank(prepared);
    case 'pixels':
      return scattered(prepared, share / 100, seed);
    case 'segments':
      return segments && ofSegments(segments, picked ?? pickedByChance(segments, share / 100, seed));
    case 'explanation': {
      if (!map) return null;
      const ranking = rankingOf(map, prepared, seed);
      return ofRanking(ranking, countOf(share / 100, ranking.length), first);
    }
  }
}

/** Whether fillings are of what is removed now. */
export function fresh(filled: readonly Filled[], mask: Mask | null, target: number | null): boolean {
  const [one] = filled;
  return one !== undefined && mask !== null && one.target === target && same(one.mask, mask);
}

export function same(a: Mask, b: Mask): boolean {
  return a === b || (a.length === b.length && a.every((gone, i) => gone === b[i]));
}

/** The probability of a class in an answer. */
export function probabilityOf(answer: readonly ClassScore[] | null, target: number | null): number | null {
  return answer?.find((c) => c.class === target)?.probability ?? null;
}

/** Mean and standard deviation (by `n - 1`); the latter 0 for one value. */
export function spreadOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}
