/** Where an engine can live: in a worker, or, where workers are forbidden, on the page itself. */
import { reason } from './errors.js';
import type { FromWorker, ToWorker } from './messages.js';
import { serve } from './serve.js';
import EngineWorker from './worker.ts?worker&inline';

/** One engine's home. */
export interface Host {
  post(message: ToWorker, transfer?: Transferable[]): void;
  /** Ends the engine whatever it does. */
  terminate(): void;
}

/** Opens a home; `listen` gets all it says. May throw where such homes are forbidden. */
export type Spawn = (listen: (message: FromWorker) => void) => Host;

/** A classic worker from a blob: works over http, on `file://` and in sandboxed frames. */
export const spawnWorker: Spawn = (listen) => {
  const worker = new EngineWorker();
  let started = false;
  const failed = (message: string) => listen({ type: 'trapped', message, starting: !started });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    started = true;
    listen(data);
  };
  worker.onmessageerror = () => failed('a message could not be carried over');
  worker.onerror = (event) => {
    event.preventDefault();
    // A worker that is forbidden, not one that failed, says nothing about why.
    failed(event.message || 'the worker could not be started');
  };
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    terminate: () => worker.terminate(),
  };
};

/** An engine on the page. It gives the page a turn every 30 ms, but can't be ended from outside. */
export const spawnOnPage: Spawn = (listen) => {
  let open = true;
  const say = (message: FromWorker) => {
    if (open) listen(message);
  };
  const server = import('./wasm/lucarne.js').then(({ Engine, default: init }) =>
    serve(async (module, emit) => {
      await init({ module_or_path: module });
      return new Engine(emit);
    }, say),
  );
  // A trap in a continuation surfaces on the window; nothing else of the page throws these.
  const caught = ({ reason: why }: PromiseRejectionEvent) => {
    if (why instanceof WebAssembly.RuntimeError) void server.then((s) => s.trapped(why));
  };
  globalThis.addEventListener('unhandledrejection', caught);
  return {
    post: (message) => {
      server.then(
        (s) => s.take(message),
        (why: unknown) => say({ type: 'trapped', message: reason(why), starting: true }),
      );
    },
    terminate: () => {
      open = false;
      globalThis.removeEventListener('unhandledrejection', caught);
    },
  };
};
