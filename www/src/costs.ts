/** What runs would cost, and what the engine refuses of them, asked before they start. */
import type { Call } from './engine-work.js';
import type { Registry } from './i18n/index.js';
import { choice, findImputer, findMethod, findMetric, keyOf } from './plan.js';
import type { WireEntry } from './protocol.gen.js';
import type { Cost, State, Store } from './state.js';

/** A backward pass takes about the time of two forward passes. */
const BACKWARD = 2;

/** Passes as forward passes, for their time. */
export function work(passes: { readonly forward: number; readonly backward: number }): number {
  return passes.forward + BACKWARD * passes.backward;
}

/** The entry `registry/id` with the visitor's parameters; null where there is none, or not yet. */
function entryOf(state: State, key: string): WireEntry | null {
  const [name = '', id = ''] = key.split('/', 2);
  const find: Readonly<Record<Registry, () => Parameters<typeof choice>[2] | undefined>> = {
    method: () => findMethod(state, id),
    metric: () => findMetric(state.catalogue, id),
    imputer: () => findImputer(state.catalogue, id),
  };
  // Forms of other things than the registries have keys of their own.
  if (!Object.hasOwn(find, name)) return null;
  const registry = name as Registry;
  const entry = find[registry]();
  return entry ? { registry, entry: choice(state, registry, entry) } : null;
}

/** Asks the engine; each question once. */
export class Costs {
  readonly #store: Store;
  readonly #call: Call;
  readonly #asked = new Map<string, string>();

  constructor(store: Store, call: Call) {
    this.#store = store;
    this.#call = call;
  }

  /** Every method on the loaded network. */
  all(): Promise<void> {
    const methods = this.#store.state.catalogue?.methods ?? [];
    return this.check(methods.map((m) => keyOf('method', m.id)));
  }

  /** The entries `keys`, where their parameters or the network changed since they were asked for. */
  async check(keys: readonly string[]): Promise<void> {
    const { state } = this.#store;
    if (!state.model) return;
    const questions = keys.flatMap((key) => {
      const entry = entryOf(state, key);
      const of = JSON.stringify([state.model?.id, state.model?.sha256, entry?.entry]);
      return entry && this.#asked.get(key) !== of ? [{ key, of, entry }] : [];
    });
    if (questions.length === 0) return;
    for (const { key, of } of questions) this.#asked.set(key, of);
    try {
      const { reply } = await this.#call({
        kind: 'estimate',
        model: state.model.id,
        of: questions.map((q) => q.entry),
      });
      if (reply.kind !== 'estimated') return;
      const answers = questions.flatMap(({ key, of }, k): (readonly [string, Cost])[] => {
        const cost = reply.of[k];
        return cost && this.#asked.get(key) === of ? [[key, cost]] : [];
      });
      this.#store.dispatch({ type: 'costs', costs: Object.fromEntries(answers) });
    } catch {
      // The engine stopped or the network went: whoever runs something is told. The question may be asked again.
      for (const { key, of } of questions) if (this.#asked.get(key) === of) this.#asked.delete(key);
    }
  }
}
