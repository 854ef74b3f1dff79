/**
 * TensorFlow.js on its WebAssembly backend, one thread. Its converter's graphs run as the calls of fused operators made
 * here: convolution with bias and activation, as the converter itself would have fused them.
 */
import { setThreadsCount, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

import { bytes, channelsLast } from '../networks.js';
import type { Peer } from './peer.js';

interface Weights {
  offset: number;
  shape: number[];
}

interface Layer {
  op: 'conv' | 'depthwise' | 'max-pool' | 'mean' | 'dense' | 'add' | 'concat' | 'activation';
  reads: string[];
  out: string;
  act: 'none' | 'relu' | 'relu6';
  weight?: Weights;
  bias?: Weights;
  kernel?: [number, number];
  strides?: [number, number];
  /** Top, left, bottom, right. */
  pads?: [number, number, number, number];
}

interface Layers {
  source: string;
  target: string;
  layers: Layer[];
}

type Values = Map<string, tf.Tensor>;

const ACTIVATION = { none: 'linear', relu: 'relu', relu6: 'relu6' } as const;

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the list of layers lacks ${what}`);
  return value;
}

function activated(value: tf.Tensor, act: Layer['act']): tf.Tensor {
  if (act === 'none') return value;
  return act === 'relu' ? tf.relu(value) : tf.relu6(value);
}

function run(layer: Layer, values: Values, weights: Values): tf.Tensor {
  const reads = layer.reads.map((name) => need(values.get(name), name));
  const x = need(reads[0], 'an input');
  const picture = x as tf.Tensor4D;
  const [top, left, bottom, right] = layer.pads ?? [0, 0, 0, 0];
  const pad: tf.backend_util.ExplicitPadding | 'valid' =
    top + left + bottom + right === 0
      ? 'valid'
      : [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ];
  const strides = layer.strides ?? [1, 1];
  const of = (part: 'weight' | 'bias') => need(weights.get(`${layer.out} ${part}`), part);
  switch (layer.op) {
    case 'conv':
    case 'depthwise': {
      const filter = of('weight') as tf.Tensor4D;
      const options = { x: picture, filter, strides, bias: of('bias'), activation: ACTIVATION[layer.act] };
      if (layer.op === 'conv') return tf.fused.conv2d({ ...options, pad });
      // Its types lack explicit paddings, which its converter's graphs use all the same.
      return tf.fused.depthwiseConv2d({ ...options, pad: pad as 'valid' });
    }
    case 'max-pool':
      return tf.maxPool(picture, need(layer.kernel, 'a window'), strides, pad);
    case 'mean':
      return tf.mean(x, [1, 2]);
    case 'dense':
      return tf.fused.matMul({ a: x, b: of('weight'), bias: of('bias') });
    case 'add':
      return activated(tf.add(x, need(reads[1], 'a second input')), layer.act);
    case 'concat':
      return tf.concat(reads, -1);
    case 'activation':
      return activated(x, layer.act);
  }
}

export const tensorflow: Peer = {
  id: 'tensorflow',
  title: () => `TensorFlow.js ${version_wasm}`,
  async open({ id, side }, n, pictures) {
    setWasmPaths(new URL('peers/tensorflow/', document.baseURI).href);
    setThreadsCount(1);
    await tf.setBackend('wasm');
    await tf.ready();
    const text = new TextDecoder().decode(await bytes(`${id}.layers.json`));
    const { source, target, layers } = JSON.parse(text) as Layers;
    const numbers = new Float32Array((await bytes(`${id}.weights.bin`)).buffer);
    const weights: Values = new Map();
    for (const layer of layers) {
      for (const part of ['weight', 'bias'] as const) {
        const at = layer[part];
        if (!at) continue;
        const size = at.shape.reduce((a, b) => a * b, 1);
        weights.set(`${layer.out} ${part}`, tf.tensor(numbers.slice(at.offset, at.offset + size), at.shape));
      }
    }
    const own = channelsLast(pictures, 3, side * side);
    const readers = new Map<string, number>();
    for (const name of layers.flatMap((layer) => layer.reads)) readers.set(name, (readers.get(name) ?? 0) + 1);
    return {
      forward: () => {
        const left = new Map(readers);
        const values: Values = new Map([[source, tf.tensor4d(own, [n, side, side, 3])]]);
        for (const layer of layers) {
          values.set(layer.out, run(layer, values, weights));
          // What nobody reads any more goes at once, as the converter's executor does.
          for (const name of layer.reads) {
            const more = (left.get(name) ?? 1) - 1;
            left.set(name, more);
            if (more === 0) values.get(name)?.dispose();
          }
        }
        const output = need(values.get(target), target);
        const answer = output.dataSync() as Float32Array;
        output.dispose();
        return answer;
      },
      close: () => {
        for (const tensor of weights.values()) tensor.dispose();
      },
    };
  },
};
