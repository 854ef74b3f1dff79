/**
 * Answers the site's own files from the copy that was kept when it was installed, so that it opens without a network.
 * Anything else is left alone: nothing that a visitor opens or makes passes through here.
 */
export {};
declare const self: ServiceWorkerGlobalScope;
/** Files beside this script with the hash of their content; filled in by the build. */
declare const __PRECACHE__: [file: string, hash: string][];

const CACHE = 'lucarne';
const root = new URL('./', self.location.href);
const keys = new Map(
  __PRECACHE__.map(([file, hash]) => [new URL(file, root).href, new URL(`${file}?${hash}`, root).href]),
);

/** Gets what is new; a file whose hash is kept already is not fetched again. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    [...keys].map(async ([url, key]) => {
      if (await cache.match(key)) return;
      const response = await fetch(url, { cache: 'no-cache', credentials: 'omit' });
      if (!response.ok) throw new Error(`${url}: ${response.status}`);
      await cache.put(key, response);
    }),
  );
}

/** Drops what the last version had and this one has not. */
async function clean(): Promise<void> {
  const cache = await caches.open(CACHE);
  const known = new Set(keys.values());
  for (const request of await cache.keys()) if (!known.has(request.url)) await cache.delete(request);
}

self.addEventListener('install', (event) => event.waitUntil(install()));
// No skipWaiting: a new version takes over when no page of the old one is open, never amid a job.
self.addEventListener('activate', (event) => event.waitUntil(clean()));
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  url.hash = url.search = '';
  if (url.href === root.href) url.pathname += 'index.html';
  const key = event.request.method === 'GET' ? keys.get(url.href) : undefined;
  if (key === undefined) return;
  event.respondWith(caches.open(CACHE).then(async (cache) => (await cache.match(key)) ?? fetch(event.request)));
});
