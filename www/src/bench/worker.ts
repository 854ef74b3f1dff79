/** The page's own worker, which also tells how much memory its engine has. */
import { memoriesNow, memoryOf } from './memories.js';
import '../engine/worker.js';

declare const self: DedicatedWorkerGlobalScope;

const before = memoriesNow();
self.addEventListener('message', ({ data }: MessageEvent<{ type: string }>) => {
  // The engine's own listener ignores this message.
  if (data.type === 'memory') self.postMessage({ type: 'memory', bytes: memoryOf(before) });
});
