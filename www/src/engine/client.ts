/** The page's way to the engines: calls that can be cancelled, one at a time, whatever becomes of the workers. */
import type { Reply, Request } from '../protocol.gen.js';
import { compiledEngine } from './assets.js';
import { capacity } from './capacity.js';
import type { Limit } from './capacity.js';
import { abortError } from './errors.js';
import { TimeLeft } from './eta.js';
import { spawnOnPage, spawnWorker } from './hosts.js';
import type { Spawn } from './hosts.js';
import { Pool } from './pool.js';

export { EngineError } from './errors.js';

/** `Omit` over each member of a union. */
export type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A request as the caller writes it; `cancel` is what aborting the signal sends. */
export type Call = DistributiveOmit<Exclude<Request, { kind: 'cancel' }>, 'job'>;

/** How the engines are. */
export interface EngineState {
  /** `restarting`: an engine stopped or had to be ended; calls wait. `stopped`: for good. */
  phase: 'ready' | 'restarting' | 'stopped';
  /** Engines running. */
  workers: number;
  /** Why there are not more. */
  limit: Limit;
  /** Workers are forbidden here, so that the one engine shares the page's thread. */
  onPage: boolean;
  /** Version of the crate. */
  version: string;
}

export interface Progress {
  /** Passes finished and expected. */
  done: number;
  total: number;
  /** Null as long as it can't be told. */
  secondsLeft: number | null;
}

export interface CallOptions {
  /** Arrays that go beside the request. They are copied; don't change them before the call settles. */
  beside?: ArrayBufferView[] | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  onPartial?: ((shape: number[], map: Float32Array) => void) | undefined;
}

export interface StartOptions {
  /** Engines wanted; by default what the machine bears. */
  workers?: number | undefined;
  onState?: ((state: EngineState) => void) | undefined;
}

/** What tests replace. */
export interface Parts {
  module: () => Promise<WebAssembly.Module>;
  spawn: Spawn;
  spawnOnPage: Spawn | undefined;
  now: () => number;
}

interface Task {
  job: number;
  request: Call;
  options: CallOptions;
  resolve: (answer: { reply: Reply; beside: ArrayBufferView[] }) => void;
  reject: (why: unknown) => void;
}

const REAL: Parts = { module: compiledEngine, spawn: spawnWorker, spawnOnPage, now: () => performance.now() };

export class Client {
  readonly #pool: Pool;
  readonly #limit: Limit;
  readonly #now: () => number;
  readonly #nextJob: () => number;
  readonly #queue: Task[] = [];
  #active: Task | null = null;

  private constructor(pool: Pool, limit: Limit, nextJob: () => number, now: () => number) {
    this.#pool = pool;
    this.#limit = limit;
    this.#nextJob = nextJob;
    this.#now = now;
  }

  /**
   * Starts the engines; resolves when the first is up, the others join by and by.
   * Rejects with an `EngineError` that says why there can be none here.
   */
  static async start({ workers, onState }: StartOptions = {}, parts: Partial<Parts> = {}): Promise<Client> {
    const { module, spawn, spawnOnPage, now }: Parts = { ...REAL, ...parts };
    const { engines, limit } =
      workers === undefined ? capacity(navigator) : { engines: workers, limit: 'asked' as const };
    let job = 0;
    const nextJob = () => ++job;
    let client: Client | null = null;
    const tell = () => {
      if (client) onState?.(client.state);
    };
    const pool = await Pool.open({
      module: module(),
      size: engines,
      spawn,
      spawnOnPage,
      nextJob,
      onChange: tell,
    });
    client = new Client(pool, limit, nextJob, now);
    tell();
    return client;
  }

  /** Engines running. */
  get workers(): number {
    return this.#pool.workers;
  }

  get state(): EngineState {
    const { phase, workers, onPage, version } = this.#pool;
    return { phase, workers, limit: this.#limit, onPage, version };
  }

  /**
   * Sends a request after those before it and gives its answer. Rejects with an `EngineError`, or with an
   * `AbortError` as soon as the signal is aborted, whatever the engine is doing.
   */
  call(request: Call, options: CallOptions = {}): Promise<{ reply: Reply; beside: ArrayBufferView[] }> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError());
        return;
      }
      const task: Task = { job: this.#nextJob(), request, options, resolve, reject };
      signal?.addEventListener('abort', () => this.#abort(task), { once: true });
      this.#queue.push(task);
      this.#pump();
    });
  }

  /** Ends all engines; calls under way and later ones reject. */
  close(): void {
    this.#pool.close();
  }

  #abort(task: Task): void {
    task.reject(abortError());
    const place = this.#queue.indexOf(task);
    if (place >= 0) this.#queue.splice(place, 1);
    else if (this.#active === task) this.#pool.cancel(task.job);
  }

  #pump(): void {
    if (this.#active) return;
    const task = this.#queue.shift();
    if (!task) return;
    this.#active = task;
    const { job, request, options } = task;
    const { signal, onProgress, onPartial } = options;
    const left = new TimeLeft(this.#now);
    const hooks = {
      onProgress: (done: number, total: number) => {
        if (!signal?.aborted) onProgress?.({ done, total, secondsLeft: left.after(done, total) });
      },
      onPartial: (shape: number[], map: Float32Array) => {
        if (!signal?.aborted) onPartial?.(shape, map);
      },
    };
    this.#pool
      .run({ ...request, job }, options.beside ?? [], hooks, signal)
      .then(task.resolve, task.reject)
      .finally(() => {
        this.#active = null;
        this.#pump();
      });
  }
}
