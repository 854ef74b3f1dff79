/** Files from the folder that this code lies in, whatever page loads it. */
import { engineError, reason } from './errors.js';
import type { EngineBuild } from './features.js';
import { compileStream, unpacked } from './unpack.js';
import plain from './wasm/lucarne.wasm.zst?url';
import relaxed from './wasm/lucarne_relaxed.wasm.zst?url';

/** The site's root. */
export const root = new URL(__SITE_ROOT__, import.meta.url);

async function get(url: URL): Promise<Response> {
  const missing = (why: string) =>
    engineError(
      'asset-missing',
      `A file of this page can't be had: ${why}`,
      'Check the connection and reload.',
      url.pathname,
    );
  const response = await fetch(url, { credentials: 'omit' }).catch((why: unknown) => {
    throw missing(reason(why));
  });
  if (!response.ok) throw missing(`${response.status} ${response.statusText}`);
  return response;
}

export async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await get(new URL(name, root))).arrayBuffer());
}

/** The engine is packed in its file, since many plain hosts send files as they are. */
export async function compile(build: EngineBuild): Promise<WebAssembly.Module> {
  const response = await get(new URL(build === 'lucarne' ? plain : relaxed, import.meta.url));
  try {
    return await compileStream(await unpacked(response.body ?? new Blob().stream()));
  } catch (why) {
    throw engineError('engine-blocked', `The engine's code can't be compiled: ${reason(why)}`, BLOCKED);
  }
}

const BLOCKED =
  "The page that embeds this one must allow WebAssembly: script-src 'wasm-unsafe-eval' in its Content-Security-Policy.";
