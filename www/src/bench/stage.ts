/** One measurement, in a frame of its own, so that no engine finds what another left in memory. */
import './memories.js';
import { litertLoop, ours, type JobId, type JobRun, type Setting } from './jobs.js';
import { layers, type Layers } from './layers.js';
import { memoriesNow, memoryOf } from './memories.js';
import { network, pictures } from './networks.js';
import { PEERS } from './peers/index.js';
import { Unavailable, type Session } from './peers/peer.js';
import { roofline } from './roofline.js';
import { inTurns, type Plan } from './rounds.js';

/** What to measure. */
export type Spec =
  | { kind: 'roofline'; rounds: number }
  | { kind: 'layers'; index: number }
  | { kind: 'forward'; network: string; batch: number; plan: Plan }
  | { kind: 'job'; network: string; job: JobId; engine: 'lucarne' | 'lucarne-webgpu' | 'litert'; setting?: Setting };

/** One engine on one network at one batch size. */
export interface ForwardCell {
  engine: string;
  title: string;
  /** Milliseconds a call, one value a round; none where it can't run. */
  times: number[];
  /** Bytes of WebAssembly memory after the last call. */
  memory: number;
  /** Largest difference from the first engine's logits, over the largest logit. */
  difference: number;
  /** Why it can't run here. */
  why?: string;
}

export type Found =
  | { kind: 'roofline'; simd: number[]; relaxed: number[] }
  | { kind: 'layers'; of: Layers | null }
  | { kind: 'forward'; cells: ForwardCell[] }
  | ({ kind: 'job' } & JobRun)
  | { kind: 'unavailable'; why: string };

const now = () => performance.now();
const breathe = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

function difference(found: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const over = (most: number, v: number, k: number) => Math.max(most, Math.abs(v - (found[k] ?? Number.NaN)));
  return expected.reduce(over, 0) / largest;
}

async function forward(id: string, batch: number, plan: Plan): Promise<ForwardCell[]> {
  const entry = await network(id);
  const x = pictures(batch, entry.side);
  const cells: ForwardCell[] = [];
  const open = new Map<string, { session: Session; cell: ForwardCell; before: ReadonlySet<WebAssembly.Memory> }>();
  const memories: (() => void)[] = [];
  let expected: Float32Array | null = null;
  for (const peer of PEERS) {
    const before = memoriesNow();
    const cell: ForwardCell = { engine: peer.id, title: peer.title(), times: [], memory: 0, difference: 0 };
    cells.push(cell);
    try {
      const session = await peer.open(entry, batch, x);
      const answer = (await session.forward()).slice();
      expected ??= answer;
      cell.difference = difference(answer, expected);
      open.set(peer.id, { session, cell, before });
      // Later engines' memories are not this one's.
      const later = memoriesNow();
      memories.push(() => (cell.memory = memoryOf(before) - memoryOf(later)));
    } catch (why) {
      if (!(why instanceof Unavailable)) throw why;
      cell.why = why.message;
    }
  }
  const runs = Object.fromEntries([...open].map(([name, { session }]) => [name, () => session.forward()]));
  const times = await inTurns(runs, plan, now, breathe);
  for (const [name, { cell, session }] of open) {
    cell.times = times[name] ?? [];
    await session.close();
  }
  for (const note of memories) note();
  return cells;
}

/** Runs a measurement. */
export async function measure(spec: Spec): Promise<Found> {
  try {
    if (spec.kind === 'roofline') return { kind: 'roofline', ...roofline(spec.rounds, now) };
    if (spec.kind === 'layers') return { kind: 'layers', of: await layers(spec.index, now) };
    if (spec.kind === 'forward') {
      return { kind: 'forward', cells: await forward(spec.network, spec.batch, spec.plan) };
    }
    const entry = await network(spec.network);
    if (spec.engine !== 'litert') {
      const device = spec.engine === 'lucarne-webgpu' ? 'gpu' : null;
      return { kind: 'job', ...(await ours(entry, spec.job, device, spec.setting ?? {}, now)) };
    }
    const before = memoriesNow();
    const run = await litertLoop(entry, spec.job, now);
    return { kind: 'job', ...run, memory: memoryOf(before) };
  } catch (why) {
    if (why instanceof Unavailable) return { kind: 'unavailable', why: why.message };
    throw why;
  }
}
