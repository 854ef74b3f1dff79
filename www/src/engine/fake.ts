/** Engines for tests: real messages, ports and lanes, no WebAssembly. A job does what its picture's key says. */
import type { Event, ModelCard, Reply, Request } from '../protocol.gen.js';
import type { Host, Spawn } from './hosts.js';
import {
  FORWARD,
  type Engine,
  type EngineFactory,
  type FromWorker,
  type LaneBatch,
  type LaneResult,
  type ToWorker,
} from './messages.js';
import { serve } from './serve.js';

export const MODULE = {} as WebAssembly.Module;

const DONE: Reply = { kind: 'picture-loaded' };

/** One fake engine. Predict's `top` counts models and pictures held; attribute asks each sibling once. */
export class FakeEngine implements Engine {
  readonly models = new Set<string>();
  readonly pictures = new Set<string>();
  readonly lanes: ((batch: LaneBatch) => Promise<LaneResult>)[] = [];
  readonly jobs: Request[] = [];
  readonly cancelled = new Set<number>();

  constructor(private readonly emit: (event: Event, beside: ArrayBufferView[]) => void) {
    emit({ kind: 'ready', version: '0.0.0' }, []);
  }

  handle(request: Request, beside: ArrayBufferView[]): void {
    if (request.kind === 'cancel') {
      this.cancelled.add(request.job);
      return;
    }
    this.jobs.push(request);
    void this.#work(request, beside);
  }

  add_lane(call: (batch: LaneBatch) => Promise<LaneResult>): void {
    this.lanes.push(call);
  }

  clear_lanes(): void {
    this.lanes.length = 0;
  }

  run_lane(batch: LaneBatch): LaneResult {
    if (batch.model === 'trap-lane') throw new WebAssembly.RuntimeError('unreachable');
    if (!this.models.has(batch.model)) throw new Error('model not loaded');
    return { shapes: batch.shapes, arrays: batch.arrays.map((a) => a.map((v) => v * 2)) };
  }

  async #work(request: Request, beside: ArrayBufferView[]): Promise<void> {
    const { job } = request;
    const done = (reply: Reply, with_: ArrayBufferView[] = []) => this.emit({ kind: 'done', job, reply }, with_);
    const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
    switch (request.kind) {
      case 'load-model':
        this.models.add(request.card.id);
        done(DONE, beside);
        return;
      case 'load-picture':
        this.pictures.add(request.picture);
        done(DONE);
        return;
      case 'prepare':
        this.emit({ kind: 'failed', job, error: { code: 'x', message: 'why', place: 'node 7', hint: 'cure' } }, []);
        return;
      case 'predict':
        done({
          kind: 'predicted',
          classes: [...this.models, ...this.pictures].map((label, k) => ({
            class: k,
            label,
            logit: 0,
            probability: 0,
          })),
        });
        return;
      case 'impute':
        // Deaf to cancel.
        return;
      case 'attribute': {
        const batch = (model: string): LaneBatch => {
          const arrays = [new Float32Array([1, 2])];
          return { model, program: FORWARD, shapes: [[2]], arrays };
        };
        const answers = await Promise.allSettled(this.lanes.map((call) => call(batch(request.method.id))));
        const sum = answers.reduce((t, a) => t + (a.status === 'fulfilled' ? (a.value.arrays[0]?.[1] ?? 0) : 0), 0);
        for (let k = 0; k < request.seed; k++) {
          await pause();
          if (this.cancelled.has(job)) {
            this.emit({ kind: 'cancelled', job }, []);
            return;
          }
          this.emit({ kind: 'progress', job, done: k + 1, total: request.seed }, []);
          this.emit({ kind: 'partial', job, shape: [1] }, [new Float32Array([k])]);
        }
        done(DONE, [new Float32Array([sum, this.lanes.length])]);
        return;
      }
      default:
        throw new Error(`the fake knows no ${request.kind}`);
    }
  }
}

/** Homes for fakes; `mode` changes how the next ones behave. */
export class FakeHomes {
  readonly engines: FakeEngine[] = [];
  terminated = 0;
  mode: 'well' | 'silent' | 'forbidden' | 'broken' = 'well';
  readonly #listeners: ((message: FromWorker) => void)[] = [];

  readonly spawn: Spawn = (listen) => {
    const mode = this.mode;
    if (mode === 'forbidden') throw new DOMException('no workers here', 'SecurityError');
    let alive = true;
    const make: EngineFactory = (_, emit) => {
      if (mode === 'broken') throw new Error('no wasm here');
      const engine = new FakeEngine(emit);
      this.engines.push(engine);
      return engine;
    };
    this.#listeners.push((message) => {
      if (alive) listen(message);
    });
    const server = serve(make, (message, transfer) => {
      const copy = structuredClone(message, { transfer });
      setTimeout(() => {
        if (alive) listen(copy);
      });
    });
    return {
      post: (message: ToWorker, transfer: Transferable[] = []) => {
        // A compiled module and ports are carried over as they are.
        const copy = message.type === 'request' ? structuredClone(message, { transfer }) : message;
        setTimeout(() => {
          if (alive && mode !== 'silent') server.take(copy);
        });
      },
      terminate: () => {
        alive = false;
        this.terminated++;
      },
    } satisfies Host;
  };

  /** The `n`-th home made traps, as an engine that panics amid a job. */
  trap(n: number, bug = 'index out of bounds'): void {
    const error = { code: 'bug', message: bug, place: null, hint: '' };
    this.#listeners[n]?.({ type: 'event', event: { kind: 'failed', job: 0, error }, beside: [] });
    this.#listeners[n]?.({ type: 'trapped', message: 'unreachable', starting: false });
  }
}

/** A card of which only the id matters. */
export const card = (id: string): ModelCard => ({ id }) as ModelCard;
