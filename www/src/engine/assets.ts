/**
 * The bytes of the page's own files, by name: `models.json`, `extras.json` and `models/<id>/…`. They come from the site's folder, or
 * from the page itself in the single file. Once `preloadAssets` has resolved, nothing more is ever fetched.
 */
import type { ModelCard } from '../protocol.gen.js';
import { compile, read } from '#asset-source';
import { engineBuild } from './features.js';
import { reached } from './marks.js';
import { registerOffline } from './offline.js';

/** A bundled model, as `models.json` lists it. */
export interface BundledModel {
  card: ModelCard;
  /** One a class. */
  labels: string[];
  /** Folder of the files that the card names. */
  path: string;
}

/** What comes beside the models, as far as this build has it; `extras.json`. */
export interface Extras {
  /** Networks that imputers and criteria run. */
  networks: { id: string; path: string }[];
  /** What the features of a model are like on ordinary pictures. */
  features: { model: string; path: string }[];
}

const kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
let engine: Promise<WebAssembly.Module> | null = null;
let loaded: () => void;
const allLoaded = new Promise<void>((resolve) => (loaded = resolve));

/** The bytes of a file; had once, then kept. Rejects with an `EngineError` of code `asset-missing`. */
export function asset(name: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = kept.get(name);
  if (!bytes) {
    bytes = read(name);
    kept.set(name, bytes);
    // A failure is not kept: a later call tries again.
    bytes.catch(() => kept.delete(name));
  }
  return bytes;
}

/** The bundled models, in the order shown. */
export async function bundledModels(): Promise<BundledModel[]> {
  return JSON.parse(new TextDecoder().decode(await asset('models.json'))) as BundledModel[];
}

export async function bundledExtras(): Promise<Extras> {
  return JSON.parse(new TextDecoder().decode(await asset('extras.json'))) as Extras;
}

/** The engine's code, compiled once a page. */
export function compiledEngine(): Promise<WebAssembly.Module> {
  engine ??= compile(engineBuild()).then((module) => {
    reached('compiled');
    return module;
  });
  engine.catch(() => (engine = null));
  return engine;
}

/** Gets every file of every bundled model, one after the other, so that the page needs no network from here on. */
export async function preloadAssets(): Promise<void> {
  for (const { card, path } of await bundledModels()) {
    const samples = card.sample.flatMap((s) => (s.mask === null ? [s.file] : [s.file, s.mask]));
    for (const file of [card.file, ...samples]) await asset(`${path}/${file}`);
  }
  const { networks, features } = await bundledExtras();
  for (const { path } of [...networks, ...features]) await asset(path);
  loaded();
}

/**
 * Keeps the site for use without a network, where it may; tells whether it does. Waits for `preloadAssets`, so that it
 * does not compete with the page for the first visit's connection.
 */
export async function keepOffline(): Promise<boolean> {
  await allLoaded;
  return registerOffline();
}
