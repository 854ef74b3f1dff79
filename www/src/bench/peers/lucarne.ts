/** This engine, on the thread that calls it. */
import { compiledEngine } from '../../engine/assets.js';
import { EngineError } from '../../engine/errors.js';
import { FORWARD, type Engine as Engines, type LaneBatch } from '../../engine/messages.js';
import init, { Engine } from '../../engine/wasm/lucarne.js';
import type { Event, ModelCard, Reply, Request } from '../../protocol.gen.js';
import { bytes, type NetworkEntry } from '../networks.js';
import type { Peer } from './peer.js';

/** A card for a network of the benchmark: pictures of its own size, values from -1 to 1. */
export function benchCard(suggested: ModelCard, { id, name, source, target }: NetworkEntry, side: number): ModelCard {
  return {
    ...suggested,
    id,
    name,
    labels: '',
    input: { name: source, shape: [1, 3, side, side], layout: 'nchw' },
    output: { name: target, head: 'logits' },
    preprocessing: {
      resize: 'shorter-side',
      size: side,
      crop: side,
      interpolation: 'bilinear',
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
  };
}

type Ask = (request: Request, beside: ArrayBufferView[]) => Promise<Reply>;

/** An engine and how to ask it. */
async function local(): Promise<{ engine: Engines; ask: Ask }> {
  await init({ module_or_path: await compiledEngine() });
  const waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (why: EngineError) => void }>();
  const engine: Engines = new Engine((event: Event) => {
    if (event.kind === 'done') waiting.get(event.job)?.resolve(event.reply);
    if (event.kind === 'failed') waiting.get(event.job)?.reject(new EngineError(event.error));
  });
  const ask: Ask = (request, beside) =>
    new Promise((resolve, reject) => {
      waiting.set(request.job, { resolve, reject });
      engine.handle(request, beside);
    });
  return { engine, ask };
}

export const lucarne: Peer = {
  id: 'lucarne',
  title: () => 'Lucarne',
  async open(network, n, pictures) {
    const { engine, ask } = await local();
    const onnx = await bytes(`${network.id}.onnx`);
    const inspected = await ask({ kind: 'inspect', job: 1, name: `${network.id}.onnx` }, [onnx]);
    if (inspected.kind !== 'inspected') throw new Error(`unexpected ${inspected.kind}`);
    const card = benchCard(inspected.card, network, network.side);
    await ask({ kind: 'load-model', job: 2, card, labels: [] }, [onnx]);
    const values = pictures.slice();
    const batch: LaneBatch = {
      model: card.id,
      program: FORWARD,
      shapes: [[n, 3, network.side, network.side]],
      arrays: [values],
    };
    return {
      forward: () => {
        const { arrays, error } = engine.run_lane(batch);
        if (error) throw new EngineError(error);
        // A picture that was just run would not be computed again; the next call gets others, different everywhere.
        values.forEach((v, i) => (values[i] = v * 1.001));
        return arrays[0] ?? new Float32Array();
      },
      close: () => undefined,
    };
  },
};
