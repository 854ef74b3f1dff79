/** Whole jobs: this engine's own, as the page asks for them, and the same loops written around LiteRT.js. */
import { compiledEngine } from '../engine/assets.js';
import { Client } from '../engine/client.js';
import type { Choice, WireTarget } from '../protocol.gen.js';
import { bytes, type NetworkEntry } from './networks.js';
import { benchCard } from './peers/lucarne.js';
import { LiteRt } from './peers/litert.js';
import { needGpu, Unavailable } from './peers/peer.js';
import { Workers } from './workers.js';

export type JobId = 'occlusion' | 'rise' | 'deletion' | 'deletion-scattered' | 'integrated-gradients';

export const WINDOW = 8;
export const STRIDE = 4;
export const MASKS = 1000;
/** Steps of a deletion after its start, 1,045⅓ pixels each: the number nearest to 50 that Quantus can take. */
export const STEPS = 48;
export const NODES = 50;

/** What one run gave. */
export interface JobRun {
  seconds: number;
  /** Largest WebAssembly memory of an engine, bytes. */
  memory: number;
  /** Passes of the network, forward and backward together. */
  passes: number;
  /** The map or the curve, to compare engines by; empty where chance enters. */
  answer: number[];
}

const LOGIT: WireTarget = { class: 0, kind: 'logit' };
const PROBABILITY: WireTarget = { class: 0, kind: 'probability' };
const ZERO: Choice = { id: 'constant', params: {} };

/** RGBA of the picture that every job explains. */
export function picture(side: number): Uint8ClampedArray<ArrayBuffer> {
  const at = (k: number): number => {
    const [p, c] = [k >> 2, k & 3];
    const [y, x] = [Math.floor(p / side) / side, (p % side) / side];
    return c === 3 ? 255 : Math.round(127.5 + 80 * Math.sin(9 * x + 3 * c) + 40 * Math.cos(13 * y * (c + 1)));
  };
  return Uint8ClampedArray.from({ length: side * side * 4 }, (_, k) => at(k));
}

/** The same picture as the networks get it: `[h, w, 3]`, -1 to 1. */
export function prepared(side: number): Float32Array {
  const rgba = picture(side);
  return Float32Array.from({ length: side * side * 3 }, (_, k) => {
    return ((rgba[Math.floor(k / 3) * 4 + (k % 3)] ?? 0) / 255 - 0.5) / 0.5;
  });
}

/** Relevances whose order is one disc that grows, or scattered over the picture; no two are equal. */
export function relevances(job: JobId, side: number): Float32Array {
  const size = side * side;
  if (job === 'deletion-scattered') {
    // Multiplication by an odd number permutes the whole numbers below a power of two.
    const places = 2 ** Math.ceil(Math.log2(size));
    return Float32Array.from({ length: size }, (_, k) => ((k * 40503 + 17) % places) / places);
  }
  const distances = Array.from({ length: size }, (_, k) => ({
    k,
    far: (Math.floor(k / side) - side * 0.45) ** 2 + ((k % side) - side * 0.55) ** 2,
  }));
  distances.sort((a, b) => a.far - b.far || a.k - b.k);
  const map = new Float32Array(size);
  distances.forEach(({ k }, rank) => (map[k] = 1 - rank / size));
  return map;
}

/** How a job of this engine differs from the table's: for the plots. */
export interface Setting {
  workers?: number;
  side?: number;
  masks?: number;
}

/** Where this engine runs the network; `null` leaves it to the processor. */
export type Device = 'gpu' | null;

/** Runs a job on engines of its own, in workers as on the page; the clock stands while they start and load. */
export async function ours(
  network: NetworkEntry,
  job: JobId,
  device: Device,
  setting: Setting,
  now: () => number,
): Promise<JobRun> {
  if (device === 'gpu') await needGpu();
  const { workers = 1, side = network.side, masks = MASKS } = setting;
  const homes = new Workers();
  const client = await Client.start(
    { workers },
    { module: compiledEngine, spawn: homes.spawn, spawnOnPage: undefined },
  );
  try {
    if (device === 'gpu') {
      const { reply } = await client.call({ kind: 'choose-device', prefer: 'gpu', software: false });
      if (reply.kind !== 'device-chosen') throw new Error(`unexpected ${reply.kind}`);
      if (reply.gpu === null) throw new Unavailable(reply.why?.message ?? 'no GPU');
    }
    const onnx = await bytes(`${network.id}.onnx`);
    const inspected = await client.call({ kind: 'inspect', name: `${network.id}.onnx` }, { beside: [onnx] });
    if (inspected.reply.kind !== 'inspected') throw new Error(`unexpected ${inspected.reply.kind}`);
    const card = benchCard(inspected.reply.card, network, side);
    await client.call({ kind: 'load-model', card, labels: [] }, { beside: [onnx] });
    await client.call({ kind: 'load-picture', picture: 'p', width: side, height: side }, { beside: [picture(side)] });
    const common = { model: card.id, picture: 'p', removal: ZERO, seed: 0 } as const;
    const attribute = (method: Choice, target: WireTarget) =>
      client.call({ kind: 'attribute', ...common, method, target });
    // Plans are built once a network: by a small job of the same kind, before the clock starts.
    const gradients = job === 'integrated-gradients';
    await attribute(
      gradients ? { id: 'gradient', params: {} } : { id: 'rise', params: { samples: 2 * workers } },
      gradients ? LOGIT : PROBABILITY,
    );
    await homes.ready(client, workers);
    const from = now();
    const answer = await run(client, job, masks, side, common);
    const seconds = (now() - from) / 1000;
    return { seconds, memory: await homes.memory(), ...answer };
  } finally {
    client.close();
  }
}

async function run(
  client: Client,
  job: JobId,
  masks: number,
  side: number,
  common: { model: string; picture: string; removal: Choice; seed: number },
): Promise<Pick<JobRun, 'passes' | 'answer'>> {
  if (job === 'deletion' || job === 'deletion-scattered') {
    const { reply } = await client.call(
      {
        kind: 'evaluate',
        ...common,
        shape: [1, side, side],
        method: null,
        truth: false,
        other: null,
        set: [],
        metric: { id: 'deletion', params: { steps: STEPS } },
        draws: 1,
        target: LOGIT,
      },
      { beside: [relevances(job, side)] },
    );
    if (reply.kind !== 'evaluated') throw new Error(`unexpected ${reply.kind}`);
    return { passes: reply.provenance.forward, answer: reply.curves[0]?.y ?? [] };
  }
  const [params, target]: [Choice['params'], WireTarget] = {
    occlusion: [{ window: WINDOW, stride: STRIDE }, LOGIT] as [Choice['params'], WireTarget],
    rise: [{ samples: masks }, PROBABILITY] as [Choice['params'], WireTarget],
    'integrated-gradients': [{ steps: NODES }, LOGIT] as [Choice['params'], WireTarget],
  }[job];
  const { reply, beside } = await client.call({ kind: 'attribute', ...common, method: { id: job, params }, target });
  if (reply.kind !== 'attributed') throw new Error(`unexpected ${reply.kind}`);
  const map = beside[0] as Float32Array | undefined;
  const { forward, backward } = reply.provenance;
  return { passes: forward + backward, answer: job === 'rise' ? [] : [...(map ?? [])] };
}

/** Pictures a call of LiteRT.js: what it is fastest with. */
const TOGETHER = 16;

/** Gives `count` pictures to the network, sixteen a call, each written by `write`; tells the logits of each. */
async function batches(
  session: LiteRt,
  size: number,
  count: number,
  write: (into: Float32Array, k: number) => void,
  tell: (k: number, logits: Float32Array) => void,
): Promise<void> {
  const together = new Float32Array(TOGETHER * size);
  for (let from = 0; from < count; from += TOGETHER) {
    const n = Math.min(TOGETHER, count - from);
    for (let k = 0; k < n; k++) write(together.subarray(k * size, (k + 1) * size), from + k);
    const logits = await session.run(together);
    const classes = logits.length / TOGETHER;
    for (let k = 0; k < n; k++) tell(from + k, logits.subarray(k * classes, (k + 1) * classes));
  }
}

const logit = (logits: Float32Array): number => logits[0] ?? Number.NaN;

function probability(logits: Float32Array): number {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  return Math.exp(logit(logits) - most) / logits.reduce((sum, v) => sum + Math.exp(v - most), 0);
}

/** The loop that one writes around LiteRT.js for the same answer, on this thread. */
export async function litertLoop(
  network: NetworkEntry,
  job: JobId,
  now: () => number,
): Promise<Omit<JobRun, 'memory'>> {
  if (job === 'integrated-gradients') throw new Unavailable('LiteRT.js has no gradients');
  const session = await LiteRt.open(network, TOGETHER, 'wasm');
  const { side } = network;
  const x = prepared(side);
  const map = relevances(job, side);
  await session.run(new Float32Array(TOGETHER * x.length));
  const from = now();
  const loop = { occlusion, rise, deletion, 'deletion-scattered': deletion }[job];
  const found = await loop(session, x, side, map);
  const seconds = (now() - from) / 1000;
  session.close();
  return { seconds, ...found };
}

type Found = Pick<JobRun, 'passes' | 'answer'>;

async function occlusion(session: LiteRt, x: Float32Array, side: number): Promise<Found> {
  const count = Math.ceil((side - WINDOW) / STRIDE) + 1;
  const sums = new Float64Array(side * side);
  const covered = new Float64Array(side * side);
  let whole = 0;
  const box = (k: number) => {
    const [top, left] = [Math.floor(k / count) * STRIDE, (k % count) * STRIDE];
    return { top, left, bottom: Math.min(top + WINDOW, side), right: Math.min(left + WINDOW, side) };
  };
  // The whole picture comes first.
  const write = (into: Float32Array, k: number) => {
    into.set(x);
    if (k === 0) return;
    const { top, left, bottom, right } = box(k - 1);
    for (let y = top; y < bottom; y++) into.fill(0, (y * side + left) * 3, (y * side + right) * 3);
  };
  const tell = (k: number, logits: Float32Array) => {
    if (k === 0) {
      whole = logit(logits);
      return;
    }
    const { top, left, bottom, right } = box(k - 1);
    for (let y = top; y < bottom; y++) {
      for (let p = y * side + left; p < y * side + right; p++) {
        sums[p] = (sums[p] ?? 0) + whole - logit(logits);
        covered[p] = (covered[p] ?? 0) + 1;
      }
    }
  };
  const passes = count * count + 1;
  await batches(session, x.length, passes, write, tell);
  return { passes, answer: Array.from(sums, (sum, p) => sum / (covered[p] ?? 1)) };
}

async function deletion(session: LiteRt, x: Float32Array, side: number, map: Float32Array): Promise<Found> {
  const order = Array.from(map.keys()).sort((a, b) => (map[b] ?? 0) - (map[a] ?? 0));
  const state = x.slice();
  const step = (side * side) / STEPS;
  const curve: number[] = [];
  const write = (into: Float32Array, k: number) => {
    if (k > 0)
      for (const p of order.slice(Math.round((k - 1) * step), Math.round(k * step))) state.fill(0, p * 3, p * 3 + 3);
    into.set(state);
  };
  await batches(session, x.length, STEPS + 1, write, (k, logits) => (curve[k] = logit(logits)));
  return { passes: STEPS + 1, answer: curve };
}

async function rise(session: LiteRt, x: Float32Array, side: number): Promise<Found> {
  const grid = 7;
  const cell = Math.ceil(side / grid);
  const masks = Array.from({ length: TOGETHER }, () => new Float32Array(side * side));
  const sums = new Float64Array(side * side);
  const write = (into: Float32Array, k: number) => {
    const mask = masks[k % TOGETHER] ?? new Float32Array();
    soften(mask, side, grid, cell);
    for (let p = 0; p < mask.length; p++) {
      const open = mask[p] ?? 0;
      for (let c = p * 3; c < p * 3 + 3; c++) into[c] = (x[c] ?? 0) * open;
    }
  };
  const tell = (k: number, logits: Float32Array) => {
    const mask = masks[k % TOGETHER] ?? new Float32Array();
    const score = probability(logits) / (MASKS * 0.5);
    for (let p = 0; p < mask.length; p++) sums[p] = (sums[p] ?? 0) + score * (mask[p] ?? 0);
  };
  await batches(session, x.length, MASKS, write, tell);
  return { passes: MASKS, answer: [] };
}

/** A random grid of open and shut cells, enlarged bilinearly and cut out at a random shift. */
function soften(mask: Float32Array, side: number, grid: number, cell: number): void {
  const across = grid + 1;
  const cells = Float32Array.from({ length: across * across }, () => (Math.random() < 0.5 ? 1 : 0));
  const [dy, dx] = [Math.floor(Math.random() * cell), Math.floor(Math.random() * cell)];
  // Along a side: the cells before and after, and how far between them.
  const places = (shift: number) =>
    Array.from({ length: side }, (_, p) => {
      const at = Math.min(Math.max((p + shift + 0.5) / cell - 0.5, 0), grid);
      const low = Math.min(Math.floor(at), grid - 1);
      return { low, share: at - low };
    });
  const columns = places(dx);
  places(dy).forEach(({ low: row, share: down }, y) => {
    columns.forEach(({ low: column, share: right }, x) => {
      const at = row * across + column;
      const [a, b, c, d] = [cells[at] ?? 0, cells[at + 1] ?? 0, cells[at + across] ?? 0, cells[at + across + 1] ?? 0];
      mask[y * side + x] = (a * (1 - right) + b * right) * (1 - down) + (c * (1 - right) + d * right) * down;
    });
  });
}
