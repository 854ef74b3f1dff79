/** onnxruntime-web: one thread of WebAssembly, or WebGPU. */
import * as ort from 'onnxruntime-web/wasm';

import { bytes } from '../networks.js';
import { needGpu, type Peer } from './peer.js';

type Runtime = Pick<typeof ort, 'env' | 'InferenceSession' | 'Tensor'>;

function peer(id: string, device: 'wasm' | 'webgpu', runtime: () => Promise<Runtime>): Peer {
  return {
    id,
    title: () => `onnxruntime-web ${ort.env.versions.web ?? ''}`,
    async open(network, n, pictures) {
      if (device === 'webgpu') await needGpu();
      const { env, InferenceSession, Tensor } = await runtime();
      env.wasm.numThreads = 1;
      const onnx = await bytes(`${network.id}.onnx`);
      const session = await InferenceSession.create(onnx, { executionProviders: [device] });
      const input = new Tensor('float32', pictures, [n, 3, network.side, network.side]);
      return {
        forward: async () => {
          const output = (await session.run({ [network.source]: input }))[network.target];
          return (await output?.getData()) as Float32Array;
        },
        close: () => session.release(),
      };
    },
  };
}

export const onnxruntime = peer('onnxruntime', 'wasm', () => Promise.resolve(ort));
export const onnxruntimeGpu = peer('onnxruntime-webgpu', 'webgpu', () => import('onnxruntime-web/webgpu'));
