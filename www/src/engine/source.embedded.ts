/** Files from text blocks of the page, gzip in base64. A block is emptied once it was read: the bytes are kept instead. */
import { engineError, reason } from './errors.js';
import { compileStream, gunzip } from './unpack.js';

/** No site, no root. */
export const root = null;

/** Base64 to bytes; `Uint8Array.fromBase64` where there is one, which is thirty times faster than `atob`. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  if ('fromBase64' in Uint8Array) {
    return (Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> }).fromBase64(text);
  }
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export async function unpack(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(gunzip(new Blob([fromBase64(text)]).stream())).arrayBuffer());
}

/** Reads a block, which is emptied once that was done. */
async function taken<T>(name: string, use: (text: string) => Promise<T>): Promise<T> {
  const block = document.getElementById(`asset:${name}`);
  const text = block?.textContent ?? '';
  if (block === null || text === '') {
    throw engineError(
      'asset-missing',
      'A part of this file is missing.',
      'Get the file anew; it may be cut off.',
      name,
    );
  }
  const found = await use(text);
  block.textContent = '';
  return found;
}

export function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return taken(name, (text) =>
    unpack(text).catch((why: unknown) => {
      throw engineError('asset-missing', `A part of this file is damaged: ${reason(why)}`, 'Get the file anew.', name);
    }),
  );
}

/** This file holds one build, the one that runs everywhere. */
export function compile(): Promise<WebAssembly.Module> {
  return taken('lucarne.wasm', (text) =>
    compileStream(gunzip(new Blob([fromBase64(text)]).stream())).catch((why: unknown) => {
      throw engineError(
        'engine-blocked',
        `The engine's code can't be compiled: ${reason(why)}`,
        "The page that embeds this one must allow WebAssembly: script-src 'wasm-unsafe-eval' in its Content-Security-Policy.",
      );
    }),
  );
}
