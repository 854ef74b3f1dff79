/** Runs one method and keeps its map, partial maps on the way. */
import type { EngineWork } from './engine-work.js';
import { work as workOf } from './costs.js';
import { baselineOf, choice, comparesWithPicture, findMethod, MOST_MAPS, removalChoice, sameRun } from './plan.js';
import type { Baseline, Explained, State, Store } from './state.js';

/** Gives the engine a picture to compare with and says under which key. */
export type LoadBaseline = (baseline: Baseline, signal: AbortSignal) => Promise<string | null>;

type Run = Omit<Explained, 'id' | 'map' | 'result' | 'seconds'>;

/** What the present settings ask for, or null where something is missing. */
export function runOf(state: State, id = state.method): Run | null {
  const method = findMethod(state, id);
  if (!method || state.target === null) return null;
  const target = { class: state.target, kind: state.targetKind };
  const label = state.answer?.find((c) => c.class === state.target)?.label ?? String(state.target);
  const chosen = choice(state, 'method', method);
  return {
    method: chosen,
    baseline: comparesWithPicture(chosen) ? baselineOf(state) : null,
    removal: method.needs.includes('imputer') ? removalChoice(state, state.removal) : null,
    target,
    label,
    seed: state.seed,
  };
}

/** Explains with the method `method`; false where it was cancelled, failed or found no room. */
export async function explain(
  store: Store,
  work: EngineWork,
  picture: string,
  method = store.state.method,
  loadBaseline: LoadBaseline = () => Promise.resolve(null),
): Promise<boolean> {
  const { state } = store;
  const run = runOf(state, method);
  if (!run) return false;
  const before = state.explained.find((e) => sameRun(e, run));
  if (!before && state.explained.length >= MOST_MAPS) return false;
  const id = before?.id ?? Math.max(0, ...state.explained.map((e) => e.id)) + 1;
  const empty: Explained = { ...run, id, map: before?.map ?? null, result: null, seconds: 0 };
  const done = await work.run('explain', 'explain', async (signal) => {
    store.dispatch({ type: 'explained', explained: empty });
    const baseline = run.baseline ? await loadBaseline(run.baseline, signal) : null;
    const started = performance.now();
    const { reply, beside } = await work.call(
      {
        kind: 'attribute',
        ...(baseline !== null && { baseline }),
        model: state.modelId,
        picture,
        method: run.method,
        removal: run.removal ?? removalChoice(state, state.removal),
        target: run.target,
        seed: run.seed,
      },
      {
        signal,
        onProgress: ({ done, total, secondsLeft }) => work.progress('explain', done, total, secondsLeft),
        onPartial: (shape, values) => {
          if (!signal.aborted) store.dispatch({ type: 'explained', explained: { ...empty, map: { shape, values } } });
        },
      },
    );
    const values = beside[0];
    if (reply.kind !== 'attributed' || !(values instanceof Float32Array)) {
      throw new Error(`the engine answered ${reply.kind}`);
    }
    const seconds = (performance.now() - started) / 1000;
    const passes = workOf(reply.provenance);
    if (passes > 1) store.dispatch({ type: 'set', settings: { pace: seconds / passes } });
    store.dispatch({
      type: 'explained',
      explained: { ...run, id, map: { shape: reply.shape, values }, result: reply, seconds },
    });
    return true;
  });
  if (done) return true;
  // Cancelled or failed: what was there before stays, a partial map goes. Nothing to do where the picture changed.
  if (!store.state.explained.some((e) => e.id === id && e.result === null)) return false;
  store.dispatch(before ? { type: 'explained', explained: before } : { type: 'remove-explained', id });
  return false;
}
