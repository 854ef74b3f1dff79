/** The bundled networks and their sample pictures. */
import type { BundledModel } from './engine/assets.js';
import type { ModelEntry } from './state.js';

/** What the library needs of `engine/assets.ts`, which keeps every file once it is there. */
export interface Assets {
  asset(name: string): Promise<Uint8Array<ArrayBuffer>>;
  bundledModels(): Promise<BundledModel[]>;
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
