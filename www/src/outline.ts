/** A network as an outline: one row a layer, its connections as lanes beside the rows. */
import type { LayerInfo } from './protocol.gen.js';

/** A line of one row: from the lane where it enters above to the lane where it leaves below. */
export interface Strand {
  readonly from: number;
  readonly to: number;
  /** `through`: passes by; `in`: ends in this row's layer; `out`: starts there. */
  readonly kind: 'through' | 'in' | 'out';
}

export interface OutlineRow {
  /** Index of the layer. */
  readonly layer: number;
  readonly lane: number;
  readonly strands: readonly Strand[];
  /** What the output is, where its size differs from the row above: `56 × 56`. */
  readonly stage: string | null;
}

export interface Outline {
  readonly rows: readonly OutlineRow[];
  readonly lanes: number;
}

/** Lanes drawn at most; the rest lie on the last. */
const MOST_LANES = 8;

/** The layers that feed layer `k`, each once. */
function inputsOf(layers: readonly LayerInfo[], k: number): number[] {
  return [...new Set(layers[k]?.reads ?? [])].filter((i) => i >= 0 && i < k);
}

function size(grid: LayerInfo['grid']): string {
  return grid ? grid.join(' × ') : '';
}

/**
 * Gives every layer a lane. A layer takes the lane of an input that nobody else waits for, so that a chain is a straight
 * line and a skip connection runs beside the branch that it skips.
 */
export function outline(layers: readonly LayerInfo[]): Outline {
  const waiting = layers.map(() => 0);
  const inputs = layers.map((_, k) => inputsOf(layers, k));
  for (const of of inputs) for (const i of of) waiting[i] = (waiting[i] ?? 0) + 1;
  /** The layer whose output each lane carries. */
  const lanes: (number | null)[] = [];
  const rows: OutlineRow[] = [];
  let before = '';
  layers.forEach((layer, k) => {
    const strands: Strand[] = [];
    const from = inputs[k] ?? [];
    const ends = from.map((i) => lanes.indexOf(i)).filter((lane) => lane >= 0);
    for (const i of from) {
      waiting[i] = (waiting[i] ?? 1) - 1;
      const lane = lanes.indexOf(i);
      if (waiting[i] === 0 && lane >= 0) lanes[lane] = null;
    }
    const free = ends.filter((lane) => lanes[lane] === null).sort((a, b) => a - b)[0];
    const empty = lanes.indexOf(null);
    const lane = free ?? (empty >= 0 ? empty : lanes.length);
    lanes.forEach((held, l) => {
      if (held !== null) strands.push({ from: l, to: l, kind: 'through' });
    });
    for (const end of ends) strands.push({ from: end, to: lane, kind: 'in' });
    const carried = (waiting[k] ?? 0) > 0;
    lanes[lane] = carried ? k : null;
    if (carried) strands.push({ from: lane, to: lane, kind: 'out' });
    const now = size(layer.grid);
    rows.push({ layer: k, lane, strands, stage: now !== '' && now !== before ? now : null });
    if (now !== '') before = now;
  });
  const cap = (lane: number) => Math.min(lane, MOST_LANES - 1);
  const capped = rows.map((row) => ({
    ...row,
    lane: cap(row.lane),
    strands: row.strands.map((s) => ({ ...s, from: cap(s.from), to: cap(s.to) })),
  }));
  return { rows: capped, lanes: Math.min(MOST_LANES, Math.max(1, lanes.length)) };
}

export type LayerKind = 'mix' | 'norm' | 'act' | 'pool' | 'join' | 'attention' | 'other';

const KINDS: readonly (readonly [LayerKind, RegExp])[] = [
  ['attention', /attention/i],
  ['mix', /^(conv|gemm|matmul|qlinear|einsum|linear)/i],
  ['norm', /norm/i],
  ['act', /^(relu|.*relu|sigmoid|hard|gelu|silu|swish|mish|softmax|logsoftmax|tanh|erf|clip|elu|selu|softplus)/i],
  ['pool', /pool|reduce|resize|upsample/i],
  ['join', /^(add|concat|mul|sum|sub|div)/i],
];

/** What a layer does, for its colour. */
export function kindOf({ op, attention }: Pick<LayerInfo, 'op' | 'attention'>): LayerKind {
  return attention ? 'attention' : (KINDS.find(([, test]) => test.test(op))?.[0] ?? 'other');
}

/** Layers whose name, operator or shape holds every word. */
export function findLayers(layers: readonly LayerInfo[], query: string): number[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return layers.flatMap((layer, k) => {
    const text = `${layer.name} ${layer.op} ${layer.shape.join('×')} ${layer.shape.join('x')}`.toLowerCase();
    return words.every((w) => text.includes(w)) ? [k] : [];
  });
}
