/** What the removal bench asks of the engine: fillings with their answers, the film, and scores by imputer. */
import type { EngineWork } from '../engine-work.js';
import { isAbort, toWire } from '../errors.js';
import { choice, findImputer, findMetric, removalChoice } from '../plan.js';
import type { Choice, ClassScore, Evaluated, ImputerEntry } from '../protocol.gen.js';
import type { Explained, State, Store } from '../state.js';
import {
  mapOf,
  maskOf,
  rankingOf,
  type Bench,
  type Draw,
  type Filled,
  type Film,
  type Frame,
  type Remover,
  type Removers,
} from './bench.js';
import { countOf, ofRanking, removed, type Mask } from './masks.js';

const LARGEST_SEED = 2 ** 32;
/** Superpixels of a picture, about. */
const SEGMENTS = 80;

/** Classes kept of an answer. */
const TOP = 3;

type Progress = (share: number) => void;

/** The imputers that can run: those whose network is there. */
export function available(state: State): ImputerEntry[] {
  const all = state.catalogue?.imputers ?? [];
  return all.filter((i) => i.network === undefined || state.networks.includes(i.network));
}

/** The imputers that the bench compares. */
export function compared(state: State): ImputerEntry[] {
  const { fills } = state.bench;
  return available(state).filter((i) => fills.length === 0 || fills.includes(i.id));
}

/** Steps that can be shown: an imputer that fills from kept pixels cannot fill a whole picture. */
function sharesOf(steps: number, pixels: number, needsKept: boolean): number[] {
  const counts = Array.from({ length: steps + 1 }, (_, k) => k / steps);
  return counts.filter((share) => !needsKept || countOf(share, pixels) < pixels);
}

export class BenchWork {
  readonly #store: Store;
  readonly #work: EngineWork;
  readonly #picture: string;

  constructor(store: Store, work: EngineWork, picture: string) {
    this.#store = store;
    this.#work = work;
    this.#picture = picture;
  }

  get #state(): State {
    return this.#store.state;
  }

  #bench(bench: Partial<Bench>): void {
    this.#store.dispatch({ type: 'bench', bench });
  }

  /** Cuts the picture into superpixels. */
  async segment(): Promise<void> {
    const { modelId: model, prepared } = this.#state;
    if (!prepared) return;
    await this.#work.run('fill', 'fill', async (signal) => {
      const segments = Math.min(SEGMENTS, prepared.width * prepared.height);
      const { reply, beside } = await this.#work.call(
        { kind: 'segment', model, picture: this.#picture, segments },
        { signal },
      );
      const labels = beside[0];
      if (reply.kind !== 'segmented' || !(labels instanceof Float32Array)) throw unexpected(reply);
      this.#bench({ segments: { count: reply.count, labels: Uint32Array.from(labels) }, picked: null });
    });
  }

  /** Fills what is removed by one imputer after the other; `only` again by one of them. */
  async fill(only?: string): Promise<void> {
    const { state } = this.#store;
    const { target, bench } = state;
    const mask = maskOf(state);
    if (!mask || target === null) return;
    const wanted = (only === undefined ? compared(state) : available(state)).filter(
      (i) => only === undefined || i.id === only,
    );
    const waiting = wanted.map((entry): Filled => ({
      imputer: entry.id,
      choice: choice(state, 'imputer', entry),
      mask,
      target,
      state: 'waiting',
      draws: [],
      gauges: [],
      provenance: null,
      seconds: 0,
      error: null,
    }));
    this.#bench({
      filled: only === undefined ? waiting : bench.filled.map((f) => waiting.find((w) => w.imputer === f.imputer) ?? f),
    });
    await this.#work.run('fill', 'fill', (signal) => this.#fillAll(waiting, signal));
    // Cancelled: what is there stays, the rest is left. Another run has what it needs.
    if (this.#state.work !== null) return;
    const open = (f: Filled) => f.state === 'waiting' || f.state === 'running';
    if (!this.#state.bench.filled.some(open)) return;
    const closed = (f: Filled): Filled => ({ ...f, state: f.draws.length > 0 ? 'done' : 'left' });
    this.#bench({ filled: this.#state.bench.filled.map((f) => (open(f) ? closed(f) : f)) });
  }

  #put(filled: Filled): void {
    this.#bench({ filled: this.#state.bench.filled.map((f) => (f.imputer === filled.imputer ? filled : f)) });
  }

  /** All pictures first, so that they can be looked at; then what the criteria say of them, which takes longer. */
  async #fillAll(waiting: readonly Filled[], signal: AbortSignal): Promise<void> {
    const { seed, bench, catalogue } = this.#state;
    const drawn = (f: Filled) => (findImputer(catalogue, f.imputer)?.stochastic ? Math.max(1, bench.draws) : 1);
    const total = waiting.reduce((sum, f) => sum + drawn(f) + 1, 0);
    let done = 0;
    const tell = (share: number) => this.#work.progress('fill', done + share, total, null);
    const filled: Filled[] = [];
    for (const item of waiting) {
      let now: Filled = { ...item, state: 'running' };
      this.#put(now);
      const before = done;
      try {
        for (let d = 0; d < drawn(item); d++) {
          const started = performance.now();
          const draw = await this.#draw(item, (seed + d) % LARGEST_SEED, signal, tell);
          const seconds = now.seconds || (performance.now() - started) / 1000;
          now = { ...now, seconds, draws: [...now.draws, draw] };
          this.#put(now);
          done += 1;
        }
        now = { ...now, state: 'done' };
        filled.push(now);
      } catch (thrown) {
        if (isAbort(thrown) || signal.aborted) throw thrown;
        // One imputer that cannot fill this must not cost the others.
        now = { ...now, state: 'failed', error: toWire(thrown) };
        done = before + drawn(item) + 1;
      }
      this.#put(now);
    }
    for (const item of filled) {
      try {
        this.#put({ ...item, ...(await this.#gauge(item, item.draws.length, seed, signal, tell)) });
      } catch (thrown) {
        if (isAbort(thrown) || signal.aborted) throw thrown;
        this.#put({ ...item, error: toWire(thrown) });
      }
      done += 1;
    }
  }

  async #draw(
    { choice: removal, mask, target }: Pick<Filled, 'choice' | 'mask' | 'target'>,
    seed: number,
    signal: AbortSignal,
    tell: Progress,
  ): Promise<Draw> {
    const { reply, beside } = await this.#work.call(
      { kind: 'impute', model: this.#state.modelId, picture: this.#picture, removal, answer: true, seed },
      { beside: [mask], signal, onProgress: ({ done, total }) => tell(total > 0 ? done / total : 0) },
    );
    const rgba = beside[0];
    if (reply.kind !== 'imputed' || !(rgba instanceof Uint8Array)) throw unexpected(reply);
    return { seed, rgba: new Uint8ClampedArray(rgba), answer: kept(reply.classes, target) };
  }

  /** What the criteria say, over as many fillings as are drawn. */
  async #gauge(
    { choice: removal, mask }: Pick<Filled, 'choice' | 'mask'>,
    draws: number,
    seed: number,
    signal: AbortSignal,
    tell: Progress,
  ): Promise<Pick<Filled, 'gauges' | 'provenance'>> {
    const { reply } = await this.#work.call(
      { kind: 'gauge', model: this.#state.modelId, picture: this.#picture, removal, draws, seed },
      { beside: [mask], signal, onProgress: ({ done, total }) => tell(total > 0 ? done / total : 0) },
    );
    if (reply.kind !== 'gauged') throw unexpected(reply);
    return { gauges: reply.gauges, provenance: reply.provenance };
  }

  /** Plays the deletion of the present map's pixels by one imputer, keeping every step. */
  async film(): Promise<void> {
    const { state } = this.#store;
    const { bench, target, prepared, seed } = state;
    const explained = mapOf(state);
    const entry = available(state).find((i) => i.id === bench.filmBy);
    if (!explained?.map || !entry || target === null || !prepared) return;
    const pixels = prepared.width * prepared.height;
    const ranking = rankingOf(explained.map, prepared, seed);
    const shares = sharesOf(bench.steps, pixels, entry.needsKept);
    const removal = removalChoice(state, entry.id);
    const film: Omit<Film, 'frames'> = {
      imputer: entry.id,
      choice: removal,
      explained: explained.id,
      method: explained.method.id,
      first: bench.first,
      target,
      label: explained.label,
      steps: bench.steps,
      seed,
      short: shares.length <= bench.steps,
    };
    this.#bench({ film: { ...film, frames: [] } });
    await this.#work.run('film', 'film', async (signal) => {
      const frames: Frame[] = [];
      for (const share of shares) {
        const mask = ofRanking(ranking, countOf(share, pixels), bench.first);
        const { rgba, answer } = await this.#draw({ choice: removal, mask, target }, seed, signal, () => undefined);
        const own = answer.find((c) => c.class === target);
        frames.push({ share, rgba, probability: own?.probability ?? Number.NaN, top: answer[0] ?? null });
        this.#bench({ film: { ...film, frames: [...frames] } });
        this.#work.progress('film', frames.length, shares.length, null);
      }
    });
    if (this.#state.bench.film?.frames.length === 0) this.#bench({ film: null });
  }

  /** Scores the present map in both orders by each compared imputer. */
  async removers(): Promise<void> {
    const { state } = this.#store;
    const { bench, target } = state;
    const explained = mapOf(state);
    const metric = findMetric(state.catalogue, bench.metric);
    if (!explained?.map || !metric || target === null) return;
    const entries = compared(state);
    const about: Omit<Removers, 'rows'> = {
      metric: bench.metric,
      method: explained.method.id,
      explained: explained.id,
      label: explained.label,
    };
    const rows: Remover[] = [];
    const show = () => this.#bench({ removers: { ...about, rows: [...rows] } });
    show();
    await this.#work.run('removers', 'removers', async (signal) => {
      const total = 2 * entries.length;
      let done = 0;
      for (const { id } of entries) {
        let row: Remover = { imputer: id, morf: null, lerf: null, error: null };
        rows.push(row);
        for (const order of ['morf', 'lerf'] as const) {
          try {
            const { params } = choice(state, 'metric', metric);
            const of = { id: metric.id, params: { ...params, order } };
            const score = await this.#score(explained, of, id, signal, (share) =>
              this.#work.progress('removers', done + share, total, null),
            );
            row = { ...row, [order]: score };
          } catch (thrown) {
            if (isAbort(thrown) || signal.aborted) {
              if (row.morf === null && row.error === null) rows.pop();
              show();
              throw thrown;
            }
            row = { ...row, error: toWire(thrown) };
          }
          rows[rows.length - 1] = row;
          done += 1;
          show();
        }
      }
    });
    if (this.#state.bench.removers?.rows.length === 0) this.#bench({ removers: null });
  }

  async #score(
    explained: Explained,
    metric: Choice,
    imputer: string,
    signal: AbortSignal,
    tell: Progress,
  ): Promise<Evaluated> {
    const { state } = this.#store;
    const { map, target } = explained;
    if (!map) throw new Error('the map is not finished');
    const { reply } = await this.#work.call(
      {
        kind: 'evaluate',
        model: state.modelId,
        picture: this.#picture,
        shape: [...map.shape],
        method: explained.method,
        truth: false,
        other: null,
        set: [],
        metric,
        removal: removalChoice(state, imputer),
        draws: findImputer(state.catalogue, imputer)?.stochastic ? state.bench.draws : 1,
        target: { class: target.class, kind: state.plan.kind },
        seed: state.seed,
      },
      { beside: [map.values], signal, onProgress: ({ done, total }) => tell(total > 0 ? done / total : 0) },
    );
    if (reply.kind !== 'evaluated') throw unexpected(reply);
    return reply;
  }
}

/** The best classes, and the one looked at. */
function kept(classes: readonly ClassScore[], target: number): ClassScore[] {
  return classes.filter((c, rank) => rank < TOP || c.class === target);
}

function unexpected(reply: { readonly kind: string }): Error {
  return new Error(`the engine answered ${reply.kind}`);
}

/** Share of the picture that a mask removes. */
export function shareOf(mask: Mask): number {
  return mask.length === 0 ? 0 : removed(mask) / mask.length;
}
