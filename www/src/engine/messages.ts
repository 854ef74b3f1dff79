/** What the page and an engine's worker say to each other, around the protocol's own messages. */
import type { Event, Request, WireError } from '../protocol.gen.js';

/** What to run, as far as TypeScript ever asks for it itself: the crate's `Program`. */
export interface Program {
  weights: 'trained';
  replaced: null;
  layers: number[];
  backward: { rules: 'gradient'; of: null; wrt: 'input'[] } | null;
}

/** The answer, and nothing else. */
export const FORWARD: Program = { weights: 'trained', replaced: null, layers: [], backward: null };

/** The answer and its gradient by the picture. */
export const GRADIENT: Program = { ...FORWARD, backward: { rules: 'gradient', of: null, wrt: ['input'] } };

/** A batch for a sibling engine; only `arrays` is looked at here, to be transferred. */
export interface LaneBatch {
  model: string;
  program: Program;
  shapes: number[][];
  arrays: Float32Array[];
}

/** A sibling's answer. */
export interface LaneResult {
  shapes: number[][];
  arrays: Float32Array[];
  error?: WireError | null;
}

/** The class that the WebAssembly glue exports. */
export interface Engine {
  handle(request: Request, beside: ArrayBufferView[]): void;
  add_lane(call: (batch: LaneBatch) => Promise<LaneResult>): void;
  clear_lanes(): void;
  run_lane(batch: LaneBatch): LaneResult;
}

/** Makes an engine from the compiled module. On a page this takes a promise: browsers refuse large instances at once. */
export type EngineFactory = (
  module: WebAssembly.Module,
  emit: (event: Event, beside: ArrayBufferView[]) => void,
) => Engine | Promise<Engine>;

/** From the page to a worker. */
export type ToWorker =
  | { type: 'start'; module: WebAssembly.Module }
  | { type: 'request'; request: Request; beside: ArrayBufferView[] }
  /** To the coordinator: a sibling listens at the other end of `port`. */
  | { type: 'add-lane'; lane: number; port: MessagePort }
  /** To the coordinator: this sibling is gone; it does the sibling's unanswered batches itself. */
  | { type: 'drop-lane'; lane: number }
  /** To a sibling: the coordinator calls through `port`. */
  | { type: 'serve-lane'; port: MessagePort };

/** From a worker to the page. */
export type FromWorker =
  | { type: 'event'; event: Event; beside: ArrayBufferView[] }
  /** The engine can't be made, or trapped and is of no more use. */
  | { type: 'trapped'; message: string; starting: boolean };

/** Over a lane, from the coordinator. */
export interface LaneCall {
  id: number;
  batch: LaneBatch;
}

/** Over a lane, from the sibling. */
export type LaneAnswer = { id: number; result: LaneResult } | { id: number; why: string };

/** The buffers of `arrays`, each once, to be transferred. */
export function buffers(arrays: readonly ArrayBufferView[]): ArrayBuffer[] {
  const all = new Set<ArrayBuffer>();
  for (const { buffer } of arrays) if (buffer instanceof ArrayBuffer) all.add(buffer);
  return [...all];
}
