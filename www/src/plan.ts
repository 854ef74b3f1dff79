/** What a run will be asked for: registry entries with the visitor's parameters, and this page's quick defaults. */
import type { Registry } from './i18n/index.js';
import type {
  Catalogue,
  Choice,
  ImputerEntry,
  MethodEntry,
  MetricEntry,
  WireParam,
  WireValue,
} from './protocol.gen.js';
import { entryOf, type Baseline, type Cost, type Explained, type Params, type State } from './state.js';

/**
 * Defaults that keep a first run short in a browser, where the registry's own follow the papers. The form shows them,
 * and provenance and links record what was used.
 */
const QUICK: Readonly<Record<string, (side: number) => Params>> = {
  'method/rise': () => ({ samples: 300 }),
  'method/smooth-grad': () => ({ samples: 16 }),
  'method/integrated-gradients': () => ({ steps: 25 }),
  'metric/insertion': () => ({ steps: 20 }),
  'metric/deletion': () => ({ steps: 20 }),
  'method/occlusion': (side) => ({
    window: Math.max(1, Math.round(side / 8)),
    stride: Math.max(1, Math.round(side / 16)),
  }),
};

export function findMethod(state: State, id = state.method): MethodEntry | undefined {
  return state.catalogue?.methods.find((m) => m.id === id);
}

export function findMetric(catalogue: Catalogue | null, id: string): MetricEntry | undefined {
  return catalogue?.metrics.find((m) => m.id === id);
}

export function findImputer(catalogue: Catalogue | null, id: string): ImputerEntry | undefined {
  return catalogue?.imputers.find((m) => m.id === id);
}

/** Where the visitor's values of a registry entry are kept. */
export function keyOf(registry: Registry, id: string): string {
  return `${registry}/${id}`;
}

/** A parameter's default on this page, of the entry `key`. */
export function defaultOf(state: State, key: string, param: WireParam): WireValue {
  const [, height = 0, width = 0] = state.model?.dims ?? [];
  const quick = QUICK[key]?.(Math.max(height, width))[param.name];
  if (typeof quick !== 'number') return quick ?? param.default;
  return Math.min(param.max ?? quick, Math.max(param.min ?? quick, quick));
}

/** An entry with all its values: the visitor's, else the defaults. Names the entry does not declare are left out. */
export function choice(
  state: State,
  registry: Registry,
  entry: { readonly id: string; readonly params: readonly WireParam[] },
): Choice {
  const key = keyOf(registry, entry.id);
  const changed = state.params[key] ?? {};
  const params: Record<string, WireValue> = {};
  for (const param of entry.params) params[param.name] = changed[param.name] ?? defaultOf(state, key, param);
  return { id: entry.id, params };
}

/** The imputer `id` as chosen, or the plain id where the registry is not known yet. */
export function removalChoice(state: State, id: string): Choice {
  const entry = findImputer(state.catalogue, id);
  return entry ? choice(state, 'imputer', entry) : { id, params: {} };
}

/** A value that a declared parameter can hold, or undefined. */
export function fitting(param: WireParam, value: WireValue | undefined): WireValue | undefined {
  switch (param.kind) {
    case 'integer':
    case 'real': {
      if (typeof value !== 'number' || (param.kind === 'integer' && !Number.isInteger(value))) return undefined;
      return value < (param.min ?? -Infinity) || value > (param.max ?? Infinity) ? undefined : value;
    }
    case 'flag':
      return typeof value === 'boolean' ? value : undefined;
    case 'choice':
      return typeof value === 'string' && param.choices.includes(value) ? value : undefined;
    default:
      return typeof value === 'string' ? value : undefined;
  }
}

/** Maps side by side at most. */
export const MOST_MAPS = 9;

/** Why a method cannot run on the loaded network whatever its parameters: a need it names, or the engine's words. */
export function blocked(
  state: State,
  method: MethodEntry,
): { readonly why: 'gradient' | 'attention' } | { readonly why: 'refused'; readonly message: string } | null {
  if (method.needs.includes('gradient') && state.model?.gradientError) return { why: 'gradient' };
  if (method.needs.includes('attention') && state.model && !state.model.layers.some((l) => l.attention)) {
    return { why: 'attention' };
  }
  const cost = state.costs[keyOf('method', method.id)];
  if (!cost?.refusal || refusedParam(method.params, cost) !== null) return null;
  return { why: 'refused', message: cost.refusal.message };
}

/** The parameter that a refusal is about, or null where it is about the whole entry. */
export function refusedParam(params: readonly WireParam[], cost: Cost | undefined): string | null {
  const refusal = cost?.refusal;
  if (!refusal) return null;
  if (refusal.code === 'no-layer') return params.find((p) => p.kind === 'layer')?.name ?? null;
  return params.find((p) => p.name === refusal.place)?.name ?? null;
}

/** The finished maps of the class to be explained: those that can be scored together. */
export function scorable(state: State): Explained[] {
  return state.explained.filter((e) => e.result !== null && e.map !== null && e.target.class === state.target);
}

export function controls(state: State): MethodEntry[] {
  return state.catalogue?.methods.filter((m) => m.family === 'control') ?? [];
}

/** Whether two runs are the same but for the time they took. */
export function sameRun(a: Explained, b: Omit<Explained, 'id' | 'map' | 'result' | 'seconds'>): boolean {
  const key = (e: typeof b) => JSON.stringify([e.method, e.removal, e.target, e.seed, e.baseline?.name ?? null]);
  return key(a) === key(b);
}

/** The picture that methods may compare with: the one chosen, else the network's first other sample. */
export function baselineOf(state: State): Baseline | null {
  if (state.baseline) return state.baseline;
  const sample = entryOf(state)?.card.sample.find((s) => s.file !== state.picture?.sample);
  return sample ? { name: sample.file, file: null } : null;
}

/** Whether a method with these values compares with another picture. */
export function comparesWithPicture({ params }: Choice): boolean {
  return params['reference'] === 'picture';
}
