/** The worker: one engine. Built as one classic script, because module workers from blobs fail on `file://`. */
import type { ToWorker } from './messages.js';
import { serve } from './serve.js';
import { Engine, initSync } from './wasm/lucarne.js';

declare const self: DedicatedWorkerGlobalScope;

const { take, trapped } = serve(
  (module, emit) => {
    initSync({ module });
    return new Engine(emit);
  },
  (message, transfer) => self.postMessage(message, transfer),
);
self.onmessage = ({ data }: MessageEvent<ToWorker>) => take(data);
// A trap in a continuation surfaces here and nowhere else.
self.addEventListener('error', ({ error, message }) => trapped(error ?? message));
self.addEventListener('unhandledrejection', ({ reason }) => trapped(reason));
