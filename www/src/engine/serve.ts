/** The worker's side: an engine behind messages. Independent of the scope it runs in, so that it can be tested. */
import type { Event } from '../protocol.gen.js';
import { reason } from './errors.js';
import { buffers } from './messages.js';
import type {
  Engine,
  EngineFactory,
  FromWorker,
  LaneAnswer,
  LaneBatch,
  LaneCall,
  LaneResult,
  ToWorker,
} from './messages.js';

/** The end of a lane at the coordinator: turns batches into promised results. */
class Lane {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, { resolve: (result: LaneResult) => void; reject: (why: Error) => void }>();
  #next = 1;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<LaneAnswer>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('result' in data) waiting?.resolve(data.result);
      else waiting?.reject(new Error(data.why));
    };
  }

  readonly call = (batch: LaneBatch): Promise<LaneResult> =>
    new Promise((resolve, reject) => {
      const call: LaneCall = { id: this.#next++, batch };
      this.#waiting.set(call.id, { resolve, reject });
      this.#port.postMessage(call, buffers(batch.arrays));
    });

  close(): void {
    this.#port.close();
    for (const { reject } of this.#waiting.values()) reject(new Error('the engine has left the pool'));
    this.#waiting.clear();
  }
}

/** Serves messages with the engine that `make` makes. `post` carries answers; returns the taker of messages. */
export function serve(
  make: EngineFactory,
  post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
): { take: (message: ToWorker) => void; trapped: (thrown: unknown) => void } {
  let engine: Engine | null = null;
  const lanes = new Map<number, Lane>();
  let dead = false;

  const trapped = (thrown: unknown): void => {
    if (dead) return;
    dead = true;
    post({ type: 'trapped', message: reason(thrown), starting: engine === null }, []);
  };
  /** After a trap the instance's memory is in no known state: it is never entered again. */
  const guarded = <T>(act: (engine: Engine) => T): T | undefined => {
    if (dead || engine === null) return undefined;
    try {
      return act(engine);
    } catch (thrown) {
      trapped(thrown);
      return undefined;
    }
  };
  /** Nothing else is asked of the engine before it has said `ready`, which `make` does last. */
  const start = async (module: WebAssembly.Module): Promise<void> => {
    const early: FromWorker[] = [];
    const emit = (event: Event, beside: ArrayBufferView[]): void => {
      const message: FromWorker = { type: 'event', event, beside };
      if (engine === null) early.push(message);
      else post(message, buffers(beside));
    };
    try {
      engine = await make(module, emit);
      for (const message of early) post(message, []);
    } catch (thrown) {
      trapped(thrown);
    }
  };
  const serveLane = (port: MessagePort): void => {
    port.onmessage = ({ data }: MessageEvent<LaneCall>) => {
      const result = guarded((e) => e.run_lane(data.batch));
      const answer: LaneAnswer = result ? { id: data.id, result } : { id: data.id, why: 'the engine has stopped' };
      port.postMessage(answer, result ? buffers(result.arrays) : []);
    };
  };

  const take = (message: ToWorker): void => {
    switch (message.type) {
      case 'start':
        void start(message.module);
        break;
      case 'request':
        guarded((e) => e.handle(message.request, message.beside));
        break;
      case 'add-lane': {
        const lane = new Lane(message.port);
        lanes.set(message.lane, lane);
        guarded((e) => e.add_lane(lane.call));
        break;
      }
      case 'drop-lane':
        lanes.get(message.lane)?.close();
        lanes.delete(message.lane);
        guarded((e) => {
          e.clear_lanes();
          for (const lane of lanes.values()) e.add_lane(lane.call);
        });
        break;
      case 'serve-lane':
        serveLane(message.port);
        break;
    }
  };
  return { take, trapped };
}
