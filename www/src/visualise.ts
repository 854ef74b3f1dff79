/** Climbs to the picture that a class, a channel or a neuron answers to, and keeps what is reached on the way. */
import type { EngineWork } from './engine-work.js';
import type { Params, Prepared, Store } from './state.js';

/** Settings of feature visualisation are kept under this key. */
export const VISUALISATION = 'tool/visualisation';

export type Seen = Pick<Prepared, 'width' | 'height' | 'rgba'>;

/** Pixel values `[C, H, W]` in `[0, 1]`, one or three channels, as RGBA. */
export function shown(shape: readonly number[], values: Float32Array): Seen {
  const [channels = 1, height = 0, width = 0] = shape;
  const size = height * width;
  const rgba = new Uint8ClampedArray(size * 4);
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = 255 * (values[(c % channels) * size + i] ?? 0);
    rgba[4 * i + 3] = 255;
  }
  return { width, height, rgba };
}

export async function visualise(store: Store, work: EngineWork): Promise<void> {
  const { modelId, target, seed, params, answer } = store.state;
  const own: Params = params[VISUALISATION] ?? {};
  const choice = target ?? 0;
  const label = answer?.find((c) => c.class === choice)?.label ?? String(choice);
  const before = store.state.visualised;
  const done = await work.run('visualise', 'visualise', async (signal) => {
    const { reply, beside } = await work.call(
      { kind: 'visualise', model: modelId, class: choice, params: own, seed },
      {
        signal,
        onProgress: ({ done, total, secondsLeft }) => work.progress('visualise', done, total, secondsLeft),
        onPartial: (shape, values) => {
          if (signal.aborted) return;
          store.dispatch({ type: 'visualised', visualised: { label, seen: shown(shape, values), result: null } });
        },
      },
    );
    const bytes = beside[0];
    if (reply.kind !== 'visualised' || !(bytes instanceof Uint8Array)) {
      throw new Error(`the engine answered ${reply.kind}`);
    }
    const seen = { width: reply.width, height: reply.height, rgba: new Uint8ClampedArray(bytes) };
    store.dispatch({ type: 'visualised', visualised: { label, seen, result: reply } });
    return true;
  });
  // A half-climbed picture is not an answer.
  if (!done && store.state.visualised?.result === null) store.dispatch({ type: 'visualised', visualised: before });
}
