/** Scores the maps and the controls by the planned columns, as one job that a budget may end. */
import { Circumstances, type Around } from './circumstances.js';
import type { EngineWork } from './engine-work.js';
import { isAbort, toWire } from './errors.js';
import type { LoadBaseline } from './explain.js';
import type { Library } from './library.js';
import {
  baselineOf,
  choice,
  comparesWithPicture,
  controls,
  findImputer,
  findMethod,
  findMetric,
  removalChoice,
  scorable,
} from './plan.js';
import type { MethodEntry, WireTarget } from './protocol.gen.js';
import type { Cell } from './reading.js';
import { columnsOf, metricChoice, type Column } from './report.js';
import type { Baseline, Explained, RawMap, ScoredRow, Scores, State, Store } from './state.js';

/** Counts equal parts of a job and estimates the time left from the parts done. */
class Parts {
  readonly #started = performance.now();
  #done = 0;
  constructor(
    readonly total: number,
    readonly tell: (done: number, total: number, secondsLeft: number | null) => void,
  ) {}

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** The running part stands at `share`. */
  at(share: number): void {
    const done = this.#done + share;
    const elapsed = this.seconds;
    const left = done > 0.2 && elapsed > 0.5 ? (elapsed / done) * (this.total - done) : null;
    this.tell(done, this.total, left);
  }

  next(): void {
    this.#done += 1;
    this.at(0);
  }
}

/** Ends a run when the visitor does, or when its time is up. */
class Budget {
  readonly #own = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  used = false;

  /** `seconds` of 0 never end. */
  constructor(seconds: number, outer: AbortSignal) {
    const abort = () => this.#own.abort(new DOMException('the run was ended', 'AbortError'));
    outer.addEventListener('abort', abort, { once: true });
    if (seconds <= 0) return;
    this.#timer = setTimeout(() => {
      this.used = true;
      abort();
    }, seconds * 1000);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** A row's name: the method's, with its distinguishing number where several runs share it. */
function explainedRows(state: State, maps: readonly Explained[]): ScoredRow[] {
  return maps.map((e) => {
    const same = maps.filter((m) => m.method.id === e.method.id);
    const entry = findMethod(state, e.method.id);
    const ordinal = same.length > 1 ? same.indexOf(e) + 1 : null;
    return {
      key: `map-${e.id}`,
      name: [entry?.name ?? e.method.id, ordinal].filter((part) => part !== null).join(' '),
      control: entry?.family === 'control',
      cells: {},
      method: e.method.id,
      ordinal,
      choice: e.method,
      removal: e.removal,
      baseline: e.baseline ?? null,
      map: e.map,
    };
  });
}

function plannedRow(state: State, method: MethodEntry): ScoredRow {
  const chosen = choice(state, 'method', method);
  return {
    key: `method-${method.id}`,
    name: method.name,
    control: method.family === 'control',
    cells: {},
    method: method.id,
    ordinal: null,
    choice: chosen,
    baseline: comparesWithPicture(chosen) ? baselineOf(state) : null,
    removal: method.needs.includes('imputer') ? removalChoice(state, state.removal) : null,
    map: null,
  };
}

/** The rows of a run: the maps that are there, the methods added to them, and every control. */
export function rowsOf(state: State): ScoredRow[] {
  const maps = explainedRows(state, scorable(state));
  const known = new Set(maps.map((row) => row.method));
  const added = [...state.plan.methods.flatMap((id) => findMethod(state, id) ?? []), ...controls(state)];
  const planned = [...new Set(added)].filter((method) => !known.has(method.id)).map((m) => plannedRow(state, m));
  return [...maps, ...planned.filter((row) => !row.control), ...planned.filter((row) => row.control)];
}

/** Whether there is anything to score besides controls. */
export function hasRows(state: State): boolean {
  return state.target !== null && rowsOf(state).some((row) => !row.control);
}

function targetLabel(state: State): string {
  return state.answer?.find((c) => c.class === state.target)?.label ?? String(state.target);
}

/** A run: what it is asked and what it has found. */
interface Run {
  readonly state: State;
  readonly target: WireTarget;
  readonly columns: readonly Column[];
  readonly rows: ScoredRow[];
  readonly parts: Parts;
  readonly signal: AbortSignal;
  readonly around: Around;
}

export class Scoring {
  readonly #store: Store;
  readonly #work: EngineWork;
  readonly #picture: string;
  readonly #circumstances: Circumstances;
  readonly #load: LoadBaseline;
  /** The picture to compare with that the engine holds. */
  #held: { readonly baseline: Baseline; readonly key: string | null } | null = null;
  /** Maps by what they were made for. */
  readonly #maps = new Map<string, RawMap>();
  /** Finished scores by what they were asked, so that a run that is repeated or added to computes what is new. */
  readonly #cells = new Map<string, Cell>();
  readonly #ids = new WeakMap<RawMap, number>();
  #lastId = 0;

  constructor(store: Store, work: EngineWork, picture: string, library: Library, load: LoadBaseline) {
    this.#store = store;
    this.#work = work;
    this.#picture = picture;
    this.#load = load;
    this.#circumstances = new Circumstances(work, library);
  }

  /** The picture or the network changed. */
  forget(): void {
    this.#maps.clear();
    this.#cells.clear();
  }

  async run(): Promise<void> {
    const { state } = this.#store;
    if (state.target === null || !hasRows(state)) return;
    const target: WireTarget = { class: state.target, kind: state.plan.kind };
    const columns = columnsOf(state);
    const rows = rowsOf(state);
    const label = targetLabel(state);
    let parts: Parts | undefined;
    this.#held = null;
    const show = (stopped: Scores['stopped']) =>
      this.#store.dispatch({
        type: 'scores',
        scores: { columns, rows: [...rows], label, stopped, seconds: parts?.seconds ?? 0 },
      });
    const finished = await this.#work.run('score', 'score', async (outer) => {
      const missing = rows.filter((row) => row.map === null).length;
      parts = new Parts(missing + rows.length * columns.length, (done, total, left) =>
        this.#work.progress('score', done, total, left),
      );
      const budget = new Budget(state.plan.budget, outer);
      const { signal } = budget;
      try {
        const metrics = columns.flatMap((c) => findMetric(state.catalogue, c.metric) ?? []);
        const around = await this.#circumstances.around(state, metrics, signal);
        await this.#all({ state, target, columns, rows, parts, signal, around }, () => show(null));
        return true;
      } catch (thrown) {
        if (!budget.used || outer.aborted) throw thrown;
        leave(rows, columns);
        show('budget');
        return true;
      } finally {
        budget.stop();
      }
    });
    // Nothing to keep where the picture or the network changed, which forgets the scores.
    if (finished || !this.#store.state.scores) return;
    leave(rows, columns);
    const some = rows.some((row) => columns.some((c) => row.cells[c.id]?.state === 'done'));
    if (some) show('cancelled');
    else this.#store.dispatch({ type: 'scores', scores: null });
  }

  /** All maps first, then column by column, so that what is reached can be compared. */
  async #all(run: Run, show: () => void): Promise<void> {
    const { columns, rows, parts, signal } = run;
    show();
    for (const [i, row] of rows.entries()) {
      if (row.map !== null) continue;
      rows[i] = await this.#explained(run, row);
      parts.next();
      show();
    }
    for (const column of columns) {
      for (const [i, row] of rows.entries()) {
        signal.throwIfAborted();
        if (row.map !== null && !row.cells[column.id]) {
          const cell = await this.#cell(run, column, row, row.map);
          rows[i] = { ...row, cells: { ...row.cells, [column.id]: cell } };
        }
        parts.next();
        show();
      }
    }
  }

  /** The row with its map; with failed cells where the method fails, which must not cost the others. */
  async #explained(run: Run, row: ScoredRow): Promise<ScoredRow> {
    const { state, signal, parts } = run;
    const target = { ...run.target, kind: row.control ? run.target.kind : state.targetKind };
    const key = JSON.stringify([row.choice, row.removal, target, state.seed, row.baseline?.name]);
    const known = this.#maps.get(key);
    if (known) return { ...row, map: known };
    try {
      const baseline = await this.#baseline(row, signal);
      const { reply, beside } = await this.#work.call(
        {
          kind: 'attribute',
          ...(baseline !== null && { baseline }),
          model: state.modelId,
          picture: this.#picture,
          method: row.choice,
          removal: row.removal ?? removalChoice(state, state.removal),
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
      this.#maps.set(key, map);
      return { ...row, map };
    } catch (thrown) {
      if (isAbort(thrown) || signal.aborted) throw thrown;
      const cell: Cell = { state: 'failed', error: toWire(thrown) };
      return { ...row, cells: Object.fromEntries(run.columns.map((c) => [c.id, cell])) };
    }
  }

  /** The engine's key of the picture that a row's method compares with; null where it compares with none. */
  async #baseline({ baseline }: ScoredRow, signal: AbortSignal): Promise<string | null> {
    if (!baseline) return null;
    const held = this.#held;
    const same = held?.baseline.name === baseline.name && held.baseline.file === baseline.file;
    if (held && same) return held.key;
    const key = await this.#load(baseline, signal);
    this.#held = { baseline, key };
    return key;
  }

  #id(map: RawMap): number {
    const known = this.#ids.get(map);
    if (known !== undefined) return known;
    this.#lastId += 1;
    this.#ids.set(map, this.#lastId);
    return this.#lastId;
  }

  async #cell(run: Run, column: Column, row: ScoredRow, map: RawMap): Promise<Cell> {
    const { state, target, signal, parts, rows, around } = run;
    const metric = findMetric(state.catalogue, column.metric);
    if (!metric) return { state: 'unreached' };
    const truth = metric.needs.includes('truth') ? around.truth : null;
    const second = metric.needs.includes('other') ? secondMap(rows, row) : null;
    const removal =
      column.imputer === null
        ? (row.removal ?? removalChoice(state, state.removal))
        : removalChoice(state, column.imputer);
    const sampled = findImputer(state.catalogue, removal.id)?.stochastic ?? false;
    const baseline = await this.#baseline(row, signal);
    const request = {
      kind: 'evaluate' as const,
      ...(baseline !== null && { baseline }),
      draws: sampled ? state.plan.draws : 1,
      model: state.modelId,
      picture: this.#picture,
      shape: [...map.shape],
      method: row.choice,
      truth: truth !== null,
      other: second ? [...second.shape] : null,
      set: metric.needs.includes('set') ? [...around.set] : [],
      metric: metricChoice(state, metric, column.order),
      removal,
      target,
      seed: state.seed,
    };
    const key = JSON.stringify([request, row.baseline?.name, this.#id(map), second && this.#id(second)]);
    const known = this.#cells.get(key);
    if (known) return known;
    try {
      const { reply } = await this.#work.call(request, {
        beside: [map.values, ...(truth ? [truth] : []), ...(second ? [second.values] : [])],
        signal,
        onProgress: ({ done, total }) => parts.at(total > 0 ? done / total : 0),
      });
      if (reply.kind !== 'evaluated') throw new Error(`the engine answered ${reply.kind}`);
      const cell: Cell = { state: 'done', result: reply };
      this.#cells.set(key, cell);
      return cell;
    } catch (thrown) {
      // One failing cell must not cost the others.
      if (isAbort(thrown) || signal.aborted) throw thrown;
      return { state: 'failed', error: toWire(thrown) };
    }
  }
}

/** The map that a row is compared with: of the first explanation besides it. */
function secondMap(rows: readonly ScoredRow[], row: ScoredRow): RawMap | null {
  return rows.find((other) => !other.control && other.key !== row.key && other.map !== null)?.map ?? null;
}

/** Marks what has no outcome as not reached. */
function leave(rows: ScoredRow[], columns: readonly Column[]): void {
  for (const [i, row] of rows.entries()) {
    const cells = Object.fromEntries(columns.map((c) => [c.id, row.cells[c.id] ?? { state: 'unreached' as const }]));
    rows[i] = { ...row, cells };
  }
}
