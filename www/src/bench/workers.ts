/** Engines in workers as on the page, which can also be asked how much memory they have. */
import type { Client } from '../engine/client.js';
import type { Spawn } from '../engine/hosts.js';
import type { FromWorker } from '../engine/messages.js';
import BenchWorker from './worker.ts?worker&inline';

/** What such a worker says besides. */
export interface MemoryNote {
  type: 'memory';
  bytes: number;
}

export class Workers {
  readonly #workers = new Set<Worker>();

  readonly spawn: Spawn = (listen) => {
    const worker = new BenchWorker();
    this.#workers.add(worker);
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker | MemoryNote>) => {
      if (data.type !== 'memory') listen(data);
    });
    worker.addEventListener('error', ({ message }) => listen({ type: 'trapped', message, starting: true }));
    return {
      post: (message, transfer = []) => worker.postMessage(message, transfer),
      terminate: () => {
        this.#workers.delete(worker);
        worker.terminate();
      },
    };
  };

  /** Resolves when all `wanted` engines have joined; they come by and by. */
  async ready(client: Client, wanted: number): Promise<void> {
    for (let waited = 0; client.workers < wanted; waited++) {
      if (waited > 600) throw new Error(`only ${client.workers} of ${wanted} engines have started`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Bytes of the largest engine's memory. */
  async memory(): Promise<number> {
    const asked = [...this.#workers].map(
      (worker) =>
        new Promise<number>((resolve) => {
          worker.addEventListener('message', ({ data }: MessageEvent<FromWorker | MemoryNote>) => {
            if (data.type === 'memory') resolve(data.bytes);
          });
          worker.postMessage({ type: 'memory' });
        }),
    );
    return Math.max(...(await Promise.all(asked)));
  }
}
