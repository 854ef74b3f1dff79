/** Files from text blocks of the page, gzip in base64. A block is emptied once it was read: the bytes are kept instead. */
import { engineError, reason } from './errors.js';

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
  const stream = new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
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
  const bytes = await unpack(text).catch((why: unknown) => {
    throw engineError('asset-missing', `A part of this file is damaged: ${reason(why)}`, 'Get the file anew.', name);
  });
  block.textContent = '';
  return bytes;
}

export async function compile(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await read('lucarne.wasm'));
  } catch (why) {
    throw engineError(
      'engine-blocked',
      `The engine's code can't be compiled: ${reason(why)}`,
      "The page that embeds this one must allow WebAssembly: script-src 'wasm-unsafe-eval' in its Content-Security-Policy.",
    );
  }
}
