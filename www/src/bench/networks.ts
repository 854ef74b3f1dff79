/** The networks that are compared, as `benches/python/networks.py` made them. */

export interface NetworkEntry {
  id: string;
  name: string;
  /** Names of the input and the output in the ONNX file. */
  source: string;
  target: string;
  /** Pixels a side. */
  side: number;
  /** Multiplications and additions of one picture. */
  operations: number;
  bytes: number;
  sha256: string;
}

const ROOT = new URL('networks/', document.baseURI);

/** The address of a file of the folder. */
export const file = (name: string): string => new URL(name, ROOT).href;

export async function bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(file(name));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

export async function networks(): Promise<NetworkEntry[]> {
  return JSON.parse(new TextDecoder().decode(await bytes('networks.json'))) as NetworkEntry[];
}

export async function network(id: string): Promise<NetworkEntry> {
  const found = (await networks()).find((entry) => entry.id === id);
  if (!found) throw new Error(`there is no network ${id}`);
  return found;
}

/** `[n, 3, side, side]` of smooth values, the same in every run. */
export function pictures(n: number, side: number): Float32Array {
  return Float32Array.from({ length: n * 3 * side * side }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011));
}

/** From `[n, channels, plane]` to `[n, plane, channels]`. */
export function channelsLast(values: Float32Array, channels: number, plane: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += channels * plane) {
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < plane; p++) out[from + p * channels + c] = values[from + c * plane + p] ?? 0;
    }
  }
  return out;
}
