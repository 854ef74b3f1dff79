/** The engine, its one running piece of work, and how failures are told. */
import { isAbort, toWire } from './errors.js';
import type { Client } from './engine/client.js';
import type { Place, Store, Task } from './state.js';

/** What the page needs of the engine's client. */
export type EnginePort = Pick<Client, 'workers' | 'call'>;
export type Call = EnginePort['call'];

export class EngineWork {
  readonly #store: Store;
  readonly #starting: () => Promise<EnginePort>;
  #port: Promise<EnginePort> | null = null;
  #abort: AbortController | null = null;

  constructor(store: Store, start: () => Promise<EnginePort>) {
    this.#store = store;
    this.#starting = start;
  }

  /** Starts the engine and reads its registries; false where it cannot. */
  async start(): Promise<boolean> {
    try {
      this.#port = this.#starting();
      const port = await this.#port;
      const { reply } = await port.call({ kind: 'catalogue' });
      if (reply.kind === 'catalogue') this.#store.dispatch({ type: 'catalogue', catalogue: reply });
      this.#store.dispatch({ type: 'engine', engine: 'ready', workers: port.workers });
      return true;
    } catch (thrown) {
      this.#store.dispatch({ type: 'engine', engine: 'failed', workers: 0 });
      this.report('engine', thrown);
      return false;
    }
  }

  /** The engine, once it has been started; to be shared. */
  port(): Promise<EnginePort> {
    return this.#port ?? Promise.reject(new Error('the engine has not been started'));
  }

  readonly call: Call = async (request, options) => {
    const port = await this.port();
    return port.call(request, options);
  };

  /** Ends what runs, then runs `body`; undefined where it failed (told at `place`) or was cancelled. */
  async run<T>(task: Task, place: Place, body: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    this.#abort?.abort();
    const own = new AbortController();
    this.#abort = own;
    this.#store.dispatch({ type: 'dismiss', place });
    this.progress(task, 0, 0, null);
    try {
      return await body(own.signal);
    } catch (thrown) {
      if (!isAbort(thrown) && !own.signal.aborted) this.report(place, thrown);
      return undefined;
    } finally {
      if (this.#abort === own) {
        this.#abort = null;
        this.#store.dispatch({ type: 'work', work: null });
      }
    }
  }

  progress(task: Task, done: number, total: number, secondsLeft: number | null): void {
    this.#store.dispatch({ type: 'work', work: { task, done, total, secondsLeft } });
  }

  cancel(): void {
    this.#abort?.abort();
  }

  report(place: Place, thrown: unknown): void {
    this.#store.dispatch({ type: 'notice', notice: { place, error: toWire(thrown) } });
  }
}
