/** The convolutions of a network, layer by layer, beside the times that they can't be shorter than: `benches/kernels.rs`. */
import { loop } from './roofline.js';

/** One layer; times of its best run. */
export interface Layer {
  layer: string;
  kind: string;
  /** How often the network has it. */
  times: number;
  ms: number;
  /** Milliseconds of its multiply-adds in registers alone. */
  products: number;
  /** Milliseconds of reading input and weights and writing the output once, as fast as a long copy does. */
  memory: number;
}

export interface Layers {
  network: string;
  /** GFLOP/s in registers. */
  peak: number;
  /** GB/s of a long copy. */
  copied: number;
  layers: Layer[];
}

interface Kernels {
  memory: WebAssembly.Memory;
  layers: (index: number) => void;
}

/** Measures the convolutions of the network with this place in the list of `benches/kernels.rs`; `null` beyond its end. */
export async function layers(index: number, now: () => number): Promise<Layers | null> {
  const name = loop(true) ? 'kernels_relaxed.wasm' : 'kernels.wasm';
  const response = await fetch(new URL(name, document.baseURI));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  let said = '';
  const say = (start: number, length: number): void => {
    said = new TextDecoder().decode(new Uint8Array(kernels.memory.buffer, start, length));
  };
  const { instance } = await WebAssembly.instantiateStreaming(response, { host: { now, say } });
  const kernels = instance.exports as unknown as Kernels;
  kernels.layers(index);
  return JSON.parse(said) as Layers | null;
}

/** The layers of one kind together. */
export function kinds(all: readonly Layer[]): Omit<Layer, 'layer'>[] {
  const names = [...new Set(all.map(({ kind }) => kind))];
  return names.map((kind) => {
    const of = all.filter((layer) => layer.kind === kind);
    const sum = (value: (layer: Layer) => number) => of.reduce((total, it) => total + it.times * value(it), 0);
    return {
      kind,
      times: of.reduce((total, { times }) => total + times, 0),
      ms: sum(({ ms }) => ms),
      products: sum(({ products }) => products),
      memory: sum(({ memory }) => memory),
    };
  });
}
