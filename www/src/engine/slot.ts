/** One engine of the pool: its start, its jobs, its end. */
import type { Reply, Request } from '../protocol.gen.js';
import { abortError, EngineError, engineError, reason } from './errors.js';
import type { Host, Spawn } from './hosts.js';
import type { FromWorker } from './messages.js';

/** An engine must say `ready` within this time, milliseconds. */
export const READY_WITHIN = 5000;

/** What a job tells while it runs. */
export interface Hooks {
  onProgress?: ((done: number, total: number) => void) | undefined;
  onPartial?: ((shape: number[], map: Float32Array) => void) | undefined;
}

/** A job's answer and the typed arrays beside it. */
export interface Answer {
  reply: Reply;
  beside: ArrayBufferView[];
}

interface Running extends Hooks {
  resolve: (answer: Answer) => void;
  reject: (why: Error) => void;
}

export class Slot {
  /** Version of the engine, once it is up; rejects with the reason why it is not. */
  readonly ready: Promise<string>;
  readonly #host: Host | null = null;
  readonly #running = new Map<number, Running>();
  readonly #lost: (why: EngineError) => void;
  #settleReady!: { resolve: (version: string) => void; reject: (why: Error) => void };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #bug: string | null = null;
  #state: 'starting' | 'up' | 'gone' = 'starting';

  /** `lost` is told once if the engine stops of itself after it was up. */
  constructor(spawn: Spawn, module: Promise<WebAssembly.Module>, lost: (why: EngineError) => void) {
    this.#lost = lost;
    this.ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }));
    this.ready.catch(() => undefined);
    try {
      this.#host = spawn((message) => this.#hear(message));
    } catch (thrown) {
      this.#fail(blocked(reason(thrown)));
      return;
    }
    module.then(
      (compiled) => {
        if (this.#state === 'gone') return;
        this.#host?.post({ type: 'start', module: compiled });
        this.#timer = setTimeout(() => this.#fail(silent()), READY_WITHIN);
      },
      (why: unknown) => this.#fail(why instanceof EngineError ? why : blocked(reason(why))),
    );
  }

  get gone(): boolean {
    return this.#state === 'gone';
  }

  get host(): Host | null {
    return this.#host;
  }

  /** Runs a request. The caller's arrays are copied, never taken. */
  run(request: Request, beside: ArrayBufferView[], hooks: Hooks = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'gone') {
        reject(stopped(null));
        return;
      }
      this.#running.set(request.job, { ...hooks, resolve, reject });
      this.#host?.post({ type: 'request', request, beside });
    });
  }

  runs(job: number): boolean {
    return this.#running.has(job);
  }

  /** Asks a job to end at its next step. */
  cancel(job: number): void {
    if (this.#running.has(job)) this.#host?.post({ type: 'request', request: { kind: 'cancel', job }, beside: [] });
  }

  /** Ends the engine; its jobs reject with `why`. */
  kill(why: Error): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    clearTimeout(this.#timer);
    this.#host?.terminate();
    this.#settleReady.reject(why);
    const running = [...this.#running.values()];
    this.#running.clear();
    for (const { reject } of running) reject(why);
  }

  #fail(why: EngineError): void {
    const wasUp = this.#state === 'up';
    if (this.#state === 'gone') return;
    this.kill(why);
    if (wasUp) this.#lost(why);
  }

  #hear(message: FromWorker): void {
    if (this.#state === 'gone') return;
    if (message.type === 'trapped') {
      this.#fail(message.starting ? blocked(this.#bug ?? message.message) : stopped(this.#bug ?? message.message));
      return;
    }
    const { event, beside } = message;
    if (event.kind === 'ready') {
      clearTimeout(this.#timer);
      this.#state = 'up';
      this.#settleReady.resolve(event.version);
      return;
    }
    // Job 0 is the engine itself: its last words before it traps.
    if (event.job === 0) {
      if (event.kind === 'failed') this.#bug = event.error.message;
      return;
    }
    const running = this.#running.get(event.job);
    if (!running) return;
    switch (event.kind) {
      case 'progress':
        running.onProgress?.(event.done, event.total);
        return;
      case 'partial':
        if (beside[0] instanceof Float32Array) running.onPartial?.(event.shape, beside[0]);
        return;
      case 'done':
        this.#running.delete(event.job);
        running.resolve({ reply: event.reply, beside });
        return;
      case 'failed':
        this.#running.delete(event.job);
        running.reject(new EngineError(event.error));
        return;
      case 'cancelled':
        this.#running.delete(event.job);
        running.reject(abortError());
    }
  }
}

function stopped(why: string | null): EngineError {
  return engineError(
    'engine-stopped',
    why === null ? 'The engine stopped during this job.' : `The engine stopped during this job: ${why}`,
    'It has been started anew; your networks and pictures are kept. Try again, or with a smaller setting.',
  );
}

function blocked(why: string): EngineError {
  return engineError(
    'engine-blocked',
    `The engine could not be started: ${why}`,
    "The page that embeds this one must allow WebAssembly and workers: script-src 'wasm-unsafe-eval' and worker-src blob: in its Content-Security-Policy.",
  );
}

function silent(): EngineError {
  return engineError(
    'engine-silent',
    `The engine did not answer within ${READY_WITHIN / 1000} seconds.`,
    'Reload the page; if it stays silent, the browser or an extension may forbid workers or WebAssembly here.',
  );
}
