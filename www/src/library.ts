/** The bundled networks and their sample pictures. */
import type { BundledModel, Extras } from './engine/assets.js';
import type { ModelEntry } from './state.js';

/** What the library needs of `engine/assets.ts`, which keeps every file once it is there. */
export interface Assets {
  asset(name: string): Promise<Uint8Array<ArrayBuffer>>;
  bundledModels(): Promise<BundledModel[]>;
  bundledExtras(): Promise<Extras>;
  preloadAssets(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
};

export class Library {
  readonly #assets: Assets;
  readonly #paths = new Map<string, string>();
  #loaded: Promise<readonly string[]> | null = null;
  readonly #urls = new Map<string, Promise<string>>();

  constructor(assets: Assets) {
    this.#assets = assets;
  }

  async models(): Promise<ModelEntry[]> {
    const listed = await this.#assets.bundledModels();
    return listed.map(({ card, labels, path }) => {
      this.#paths.set(card.id, path);
      return { card, labels, own: false };
    });
  }

  /** A file beside a bundled model's card. */
  file(model: string, file: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#assets.asset(`${this.#paths.get(model) ?? `models/${model}`}/${file}`);
  }

  /** Hands the networks that imputers run to `load`, once; their ids. One that the engine refuses is left out. */
  networks(load: (id: string, bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>): Promise<readonly string[]> {
    this.#loaded ??= this.#load(load);
    // A failure is not kept: a later call tries again.
    this.#loaded.catch(() => (this.#loaded = null));
    return this.#loaded;
  }

  async #load(load: (id: string, bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>): Promise<readonly string[]> {
    const ids: string[] = [];
    for (const { id, path } of (await this.#assets.bundledExtras()).networks) {
      const bytes = await this.#assets.asset(path);
      const taken = await load(id, bytes).then(
        () => true,
        () => false,
      );
      if (taken) ids.push(id);
    }
    return ids;
  }

  /** What the features of a bundled model are like on ordinary pictures; null where that was not measured. */
  async features(model: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const found = (await this.#assets.bundledExtras()).features.find((f) => f.model === model);
    return found ? this.#assets.asset(found.path) : null;
  }

  /** A sample picture as a file. */
  async sample(model: string, file: string): Promise<Blob> {
    const type = TYPES[file.split('.').pop() ?? ''] ?? 'application/octet-stream';
    return new Blob([await this.file(model, file)], { type });
  }

  /** An address of a sample picture for an `<img>`; it needs no network. */
  sampleUrl(model: string, file: string): Promise<string> {
    const key = `${model}/${file}`;
    let url = this.#urls.get(key);
    if (!url) {
      url = this.sample(model, file).then((blob) => URL.createObjectURL(blob));
      this.#urls.set(key, url);
      url.catch(() => this.#urls.delete(key));
    }
    return url;
  }

  /** Gets everything, so that the page never needs the network again. */
  everything(): Promise<void> {
    return this.#assets.preloadAssets();
  }
}
