/** The engines: worker 0 coordinates and answers, its siblings do batches for it. Results don't depend on their number. */
import type { Request } from '../protocol.gen.js';
import { abortError, engineError, EngineError } from './errors.js';
import type { Spawn } from './hosts.js';
import { Memory } from './memory.js';
import { Slot } from './slot.js';
import type { Answer, Hooks } from './slot.js';

/** An engine that has not ended a cancelled job within this time, milliseconds, is replaced. */
export const CANCEL_WITHIN = 500;
/** Attempts to bring an engine back before it is given up. */
const ATTEMPTS = 3;

export interface PoolOptions {
  /** Workers start while it is compiled. */
  module: Promise<WebAssembly.Module>;
  /** Engines wanted. */
  size: number;
  spawn: Spawn;
  /** Where an engine goes if workers are forbidden. */
  spawnOnPage?: Spawn | undefined;
  nextJob: () => number;
  /** Told whenever `phase` or `workers` change. */
  onChange?: (() => void) | undefined;
}

interface Sibling {
  lane: number;
  slot: Slot;
  /** Settles when it holds every model it was sent; a sibling that fails here is retired. */
  loads: Promise<void>;
  has: Set<Request>;
  attached: boolean;
}

export class Pool {
  readonly #options: PoolOptions;
  readonly #memory = new Memory();
  readonly #siblings = new Set<Sibling>();
  #coordinator: Slot;
  #healthy: Promise<void> = Promise.resolve();
  #broken: EngineError | null = null;
  #closed = false;
  #lanes = 0;
  #respawns = ATTEMPTS;
  phase: 'ready' | 'restarting' | 'stopped' = 'ready';
  onPage = false;
  version = '';

  private constructor(options: PoolOptions) {
    this.#options = options;
    this.#coordinator = this.#slot(options.spawn);
  }

  /** Resolves when the coordinator is up; siblings join as they come. */
  static async open(options: PoolOptions): Promise<Pool> {
    const pool = new Pool(options);
    try {
      pool.version = await pool.#coordinator.ready;
    } catch (why) {
      if (!options.spawnOnPage) throw why;
      pool.#coordinator = pool.#slot(options.spawnOnPage);
      pool.version = await pool.#coordinator.ready;
      pool.onPage = true;
    }
    if (!pool.onPage) for (let k = 1; k < options.size; k++) pool.#join();
    return pool;
  }

  /** Engines running. */
  get workers(): number {
    return 1 + [...this.#siblings].filter((s) => s.attached).length;
  }

  /** Runs a request on the coordinator. Only one at a time: the client queues. */
  async run(request: Request, beside: ArrayBufferView[], hooks: Hooks, signal?: AbortSignal): Promise<Answer> {
    await this.#healthy;
    if (request.kind === 'attribute' || request.kind === 'evaluate') {
      await Promise.all([...this.#siblings].filter((s) => s.attached).map((s) => s.loads));
    }
    if (signal?.aborted) throw abortError();
    if (this.#broken) throw this.#broken;
    const answer = await this.#coordinator.run(request, beside, hooks);
    this.#memory.note(request, beside);
    if (request.kind === 'load-model') for (const s of this.#siblings) this.#send(s, request, beside);
    return answer;
  }

  /** Asks a job to end; replaces the coordinator if it doesn't in time. */
  cancel(job: number): void {
    const slot = this.#coordinator;
    slot.cancel(job);
    if (this.onPage) return;
    setTimeout(() => {
      if (slot.runs(job)) {
        slot.kill(abortError());
        this.#recover();
      }
    }, CANCEL_WITHIN);
  }

  /** Ends every engine. */
  close(): void {
    this.#closed = true;
    this.phase = 'stopped';
    const why = engineError('engine-stopped', 'The engine was closed.');
    this.#broken = why;
    this.#coordinator.kill(why);
    for (const s of this.#siblings) s.slot.kill(why);
    this.#siblings.clear();
  }

  #slot(spawn: Spawn): Slot {
    return new Slot(spawn, this.#options.module, () => this.#recover());
  }

  #change(phase = this.phase): void {
    this.phase = phase;
    this.#options.onChange?.();
  }

  #recover(): void {
    if (this.#closed || this.phase !== 'ready') return;
    this.#change('restarting');
    this.#healthy = this.#rebuild().then(
      () => this.#change('ready'),
      (why: unknown) => {
        this.#broken = why instanceof EngineError ? why : engineError('engine-stopped', String(why));
        if (!this.#closed) this.#change('stopped');
      },
    );
  }

  async #rebuild(): Promise<void> {
    if (this.onPage) {
      // The glue holds one instance a page.
      throw engineError('engine-stopped', 'The engine stopped and runs on the page itself.', 'Reload the page.');
    }
    let why: unknown;
    for (let attempt = 0; attempt < ATTEMPTS && !this.#closed; attempt++) {
      this.#coordinator = this.#slot(this.#options.spawn);
      try {
        await this.#restore(this.#coordinator);
        for (const s of this.#siblings) if (s.attached) this.#attach(s);
        return;
      } catch (thrown) {
        why = thrown;
        this.#coordinator.kill(engineError('engine-stopped', 'The engine could not be brought back.'));
      }
    }
    throw why;
  }

  /** Gives an engine all that the last one held. A model or network that a fresh engine can't take is forgotten. */
  async #restore(slot: Slot): Promise<void> {
    await slot.ready;
    const again = (request: Request) => ({ ...request, job: this.#options.nextJob() });
    for (const { request, beside } of this.#memory.pictures) await slot.run(again(request), beside);
    for (const { request, beside } of [...this.#memory.models, ...this.#memory.extras]) {
      try {
        await slot.run(again(request), beside);
      } catch (why) {
        if (request.kind === 'load-model') this.#memory.dropModel(request.card.id);
        if (request.kind === 'load-network') this.#memory.dropNetwork(request.id);
        if (slot.gone) throw why;
      }
    }
  }

  #join(): void {
    const slot: Slot = new Slot(this.#options.spawn, this.#options.module, () => {
      this.#retire(sibling);
      if (this.#respawns-- > 0 && !this.#closed) this.#join();
    });
    const sibling: Sibling = { lane: ++this.#lanes, slot, loads: Promise.resolve(), has: new Set(), attached: false };
    this.#siblings.add(sibling);
    const opened = slot.ready.then(() => undefined);
    sibling.loads = opened;
    for (const { request, beside } of this.#memory.models) this.#send(sibling, request, beside);
    void this.#welcome(sibling);
  }

  /** Attaches a sibling as soon as it holds what it was sent so far. */
  async #welcome(sibling: Sibling): Promise<void> {
    try {
      await sibling.loads;
      await this.#healthy;
    } catch {
      this.#retire(sibling);
      return;
    }
    if (!this.#siblings.has(sibling) || this.#broken) return;
    sibling.attached = true;
    this.#attach(sibling);
    this.#change();
  }

  #send(sibling: Sibling, request: Request, beside: ArrayBufferView[]): void {
    if (sibling.has.has(request)) return;
    sibling.has.add(request);
    const before = sibling.loads;
    sibling.loads = before
      .then(() => sibling.slot.run({ ...request, job: this.#options.nextJob() }, beside))
      .then(
        () => undefined,
        () => this.#retire(sibling),
      );
  }

  #attach({ lane, slot }: Sibling): void {
    const { port1, port2 } = new MessageChannel();
    slot.host?.post({ type: 'serve-lane', port: port2 }, [port2]);
    this.#coordinator.host?.post({ type: 'add-lane', lane, port: port1 }, [port1]);
  }

  #retire(sibling: Sibling): void {
    if (!this.#siblings.delete(sibling)) return;
    sibling.slot.kill(engineError('engine-stopped', 'The engine has left the pool.'));
    if (!sibling.attached) return;
    sibling.attached = false;
    this.#coordinator.host?.post({ type: 'drop-lane', lane: sibling.lane });
    if (!this.#closed) this.#change();
  }
}
