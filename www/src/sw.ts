/**
 * Answers the site's own files from the copy that was kept when it was installed, so that it opens without a network.
 * Anything else is left alone: nothing that a visitor opens or makes passes through here.
 */
export {};
declare const self: ServiceWorkerGlobalScope;
/** Files beside this script with the hash of their content; filled in by the build. */
declare const __PRECACHE__: [file: string, hash: string][];
/** `engine/probe.ts`' module; filled in by the build, since a classic script imports nothing. */
declare const __RELAXED_PROBE__: number[];

const CACHE = 'lucarne';
const all = __PRECACHE__;
const root = new URL('./', self.location.href);
/** The engine's builds; this browser asks for one of them. */
const engines = all.map(([file]) => file).filter((file) => /\/lucarne(_relaxed)?\.wasm-/.test(file));
const relaxed = WebAssembly.validate(new Uint8Array(__RELAXED_PROBE__));
const unused = engines.length > 1 ? engines.find((file) => file.includes('_relaxed') !== relaxed) : undefined;
const files = new Map(all.filter(([file]) => file !== unused).map(([file, hash]) => [new URL(file, root).href, hash]));
const keyOf = (url: string, hash: string) => `${url}?${hash}`;

async function hashOf(response: Response): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  return [...digest.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A file of this version: as the page has just had it, or anew where the browser kept another version. */
async function fetched(url: string, hash: string): Promise<Response> {
  for (const cache of ['default', 'reload'] as const) {
    const response = await fetch(url, { cache, credentials: 'omit' });
    if (response.ok && (await hashOf(response.clone())) === hash) return response;
  }
  throw new Error(`${url} is not of this version`);
}

/** Gets what is new; a file whose hash is kept already is not fetched again. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const [url, hash] of files) {
    const key = keyOf(url, hash);
    if (!(await cache.match(key))) await cache.put(key, await fetched(url, hash));
  }
}

/** Drops what the last version had and this one has not. */
async function clean(): Promise<void> {
  const cache = await caches.open(CACHE);
  const known = new Set([...files].map(([url, hash]) => keyOf(url, hash)));
  for (const request of await cache.keys()) if (!known.has(request.url)) await cache.delete(request);
}

self.addEventListener('install', (event) => event.waitUntil(install()));
// No skipWaiting: a new version takes over when no page of the old one is open, never amid a job.
self.addEventListener('activate', (event) => event.waitUntil(clean()));
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  url.hash = url.search = '';
  if (url.href === root.href) url.pathname += 'index.html';
  const hash = event.request.method === 'GET' ? files.get(url.href) : undefined;
  if (hash === undefined) return;
  const key = keyOf(url.href, hash);
  event.respondWith(caches.open(CACHE).then(async (cache) => (await cache.match(key)) ?? fetch(event.request)));
});
