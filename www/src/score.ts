/** Scores the explained maps and the controls by the chosen metrics, as one job. */
import type { EngineWork } from './engine-work.js';
import { isAbort, toWire } from './errors.js';
import { choice, controls, findMetric, imputerOfPaper, removalChoice, scorable } from './plan.js';
import type { MethodEntry, MetricEntry, WireTarget } from './protocol.gen.js';
import type { Cell } from './reading.js';
import type { Explained, RawMap, ScoredRow, State, Store } from './state.js';

/** Counts equal parts of a job and estimates the time left from the parts done. */
class Parts {
  readonly #started = performance.now();
  #done = 0;
  constructor(
    readonly total: number,
    readonly tell: (done: number, total: number, secondsLeft: number | null) => void,
  ) {}

  /** The running part stands at `share`. */
  at(share: number): void {
    const done = this.#done + share;
    const elapsed = (performance.now() - this.#started) / 1000;
    const left = done > 0.2 && elapsed > 0.5 ? (elapsed / done) * (this.total - done) : null;
    this.tell(done, this.total, left);
  }

  next(): void {
    this.#done += 1;
    this.at(0);
  }
}

/** A row's name: the method's, with its distinguishing number where several runs share it. */
function explainedRows(state: State, maps: readonly Explained[]): ScoredRow[] {
  return maps.flatMap((e) => {
    if (!e.map) return [];
    const same = maps.filter((m) => m.method.id === e.method.id);
    const entry = state.catalogue?.methods.find((m) => m.id === e.method.id);
    const ordinal = same.length > 1 ? same.indexOf(e) + 1 : null;
    const row: ScoredRow = {
      key: `map-${e.id}`,
      name: [entry?.name ?? e.method.id, ordinal].filter((part) => part !== null).join(' '),
      control: entry?.family === 'control',
      cells: {},
      method: e.method.id,
      ordinal,
      map: e.map,
    };
    return [row];
  });
}

export class Scoring {
  readonly #store: Store;
  readonly #work: EngineWork;
  readonly #picture: string;
  /** Maps of the controls by what they were made for. */
  readonly #controls = new Map<string, RawMap>();

  constructor(store: Store, work: EngineWork, picture: string) {
    this.#store = store;
    this.#work = work;
    this.#picture = picture;
  }

  /** The picture or the network changed. */
  forget(): void {
    this.#controls.clear();
  }

  async run(): Promise<void> {
    const { state } = this.#store;
    const maps = scorable(state);
    const label = maps[0]?.label;
    if (label === undefined || state.target === null) return;
    const target: WireTarget = { class: state.target, kind: state.plan.kind };
    const metrics = state.plan.metrics.flatMap((id) => findMetric(state.catalogue, id) ?? []);
    const known = new Set(maps.map((m) => m.method.id));
    const missing = controls(state).filter((c) => !known.has(c.id));
    const finished = await this.#work.run('score', 'score', async (signal) => {
      const rows = explainedRows(state, maps);
      const parts = new Parts(missing.length + (rows.length + missing.length) * metrics.length, (done, total, left) =>
        this.#work.progress('score', done, total, left),
      );
      const show = () =>
        this.#store.dispatch({ type: 'scores', scores: { metrics: metrics.map((m) => m.id), rows: [...rows], label } });
      for (const control of missing) {
        rows.push(await this.#control(state, control, target, signal, parts));
        parts.next();
      }
      show();
      for (const metric of metrics) {
        for (const [i, row] of rows.entries()) {
          const cell = await this.#cell(state, metric, row.map, target, signal, parts);
          rows[i] = { ...row, cells: { ...row.cells, [metric.id]: cell } };
          parts.next();
          show();
        }
      }
      return true;
    });
    if (!finished) this.#keepFinished();
  }

  /** After a cancel, whole columns stay and unfinished ones go. */
  #keepFinished(): void {
    const { scores } = this.#store.state;
    if (!scores) return;
    const metrics = scores.metrics.filter((m) => scores.rows.every((row) => row.cells[m] !== undefined));
    this.#store.dispatch({ type: 'scores', scores: metrics.length > 0 ? { ...scores, metrics } : null });
  }

  async #control(
    state: State,
    method: MethodEntry,
    target: WireTarget,
    signal: AbortSignal,
    parts: Parts,
  ): Promise<ScoredRow> {
    const row = {
      key: `control-${method.id}`,
      name: method.name,
      control: true,
      cells: {},
      method: method.id,
      ordinal: null,
    };
    const key = JSON.stringify([method.id, target.class, state.seed]);
    const known = this.#controls.get(key);
    if (known) return { ...row, map: known };
    const { reply, beside } = await this.#work.call(
      {
        kind: 'attribute',
        model: state.modelId,
        picture: this.#picture,
        method: choice(state, 'method', method),
        removal: removalChoice(state, state.removal),
        target,
        seed: state.seed,
      },
      { signal, onProgress: ({ done, total }) => parts.at(total > 0 ? done / total : 0) },
    );
    const values = beside[0];
    if (reply.kind !== 'attributed' || !(values instanceof Float32Array)) {
      throw new Error(`the engine answered ${reply.kind}`);
    }
    const map = { shape: reply.shape, values };
    this.#controls.set(key, map);
    return { ...row, map };
  }

  async #cell(
    state: State,
    metric: MetricEntry,
    map: RawMap,
    target: WireTarget,
    signal: AbortSignal,
    parts: Parts,
  ): Promise<Cell> {
    const removal = state.plan.removal[metric.id] ?? imputerOfPaper(metric.id);
    try {
      const { reply } = await this.#work.call(
        {
          kind: 'evaluate',
          model: state.modelId,
          picture: this.#picture,
          shape: [...map.shape],
          metric: choice(state, 'metric', metric),
          removal: removalChoice(state, removal),
          target,
          seed: state.seed,
        },
        {
          beside: [map.values],
          signal,
          onProgress: ({ done, total }) => parts.at(total > 0 ? done / total : 0),
        },
      );
      if (reply.kind !== 'evaluated') throw new Error(`the engine answered ${reply.kind}`);
      return { state: 'done', result: reply };
    } catch (thrown) {
      // One failing cell must not cost the others.
      if (isAbort(thrown) || signal.aborted) throw thrown;
      return { state: 'failed', error: toWire(thrown) };
    }
  }
}
