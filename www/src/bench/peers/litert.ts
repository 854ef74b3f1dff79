/** LiteRT.js: XNNPACK in one thread of WebAssembly, with relaxed SIMD where the browser has it; or WebGPU. */
import { loadAndCompile, loadLiteRt, Tensor, type CompiledModel } from '@litertjs/core';
import about from '@litertjs/core/package.json';

import { channelsLast, file, type NetworkEntry } from '../networks.js';
import { needGpu, type Peer } from './peer.js';

type Device = 'wasm' | 'webgpu';

let loaded: Promise<unknown> | null = null;

/** A network for `n` pictures at a time, in its own layout `[n, h, w, 3]`. */
export class LiteRt {
  private constructor(
    readonly model: CompiledModel,
    readonly shape: number[],
  ) {}

  static async open({ id, side }: NetworkEntry, n: number, device: Device): Promise<LiteRt> {
    loaded ??= loadLiteRt(new URL('peers/litert/', document.baseURI).href, { threads: false });
    await loaded;
    const options =
      device === 'wasm' ? { cpuOptions: { numThreads: 1 } } : { gpuOptions: { precision: 'fp32' as const } };
    const model = await loadAndCompile(file(`${id}.b${n}.tflite`), { accelerator: device, ...options });
    return new LiteRt(model, [n, side, side, 3]);
  }

  /** `[n, classes]`. */
  async run(pictures: Float32Array): Promise<Float32Array> {
    const input = new Tensor(pictures, this.shape);
    const outputs = await this.model.run(input);
    const [output] = outputs;
    if (!output) throw new Error('the network gave no output');
    const values = await output.data();
    for (const tensor of [input, ...outputs]) if (!tensor.deleted) tensor.delete();
    return values as Float32Array;
  }

  close(): void {
    this.model.delete();
  }
}

function peer(id: string, device: Device): Peer {
  return {
    id,
    title: () => `LiteRT.js ${about.version}`,
    async open(network, n, pictures) {
      if (device === 'webgpu') await needGpu();
      const session = await LiteRt.open(network, n, device);
      const own = channelsLast(pictures, 3, network.side ** 2);
      return { forward: () => session.run(own), close: () => session.close() };
    },
  };
}

export const litert = peer('litert', 'wasm');
export const litertGpu = peer('litert-webgpu', 'webgpu');
