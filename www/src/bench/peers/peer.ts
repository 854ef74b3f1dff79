/** What every engine that is compared looks like. */
import type { NetworkEntry } from '../networks.js';

/** One network at one batch size, ready to run. */
export interface Session {
  /** The logits `[n, classes]` of the pictures that the session was opened with. */
  forward(): Promise<Float32Array> | Float32Array;
  close(): void | Promise<void>;
}

export interface Peer {
  id: string;
  /** With its version. */
  title(): string;
  /** Opens `network` for `n` pictures `[n, 3, side, side]`. Throws `Unavailable` where it can't run here. */
  open(network: NetworkEntry, n: number, pictures: Float32Array): Promise<Session>;
}

/** This engine can't run on this machine; the message says why. */
export class Unavailable extends Error {}

/** Throws `Unavailable` unless there is a graphics processor; emulations are slower than WebAssembly and show nothing. */
export async function needGpu(): Promise<void> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<Adapter | null> } }).gpu;
  if (!gpu) throw new Unavailable('no WebGPU in this browser');
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Unavailable('no WebGPU adapter on this machine');
  const { isFallbackAdapter = false, architecture } = adapter.info;
  if (isFallbackAdapter || /swiftshader|llvmpipe/i.test(architecture)) {
    throw new Unavailable('only an emulated WebGPU adapter on this machine');
  }
}

/** As much of the WebGPU types as is looked at. */
interface Adapter {
  info: { isFallbackAdapter?: boolean; architecture: string };
}
