/** What metrics need besides a picture and its map: the sample's mask, and the network's other samples. */
import type { EngineWork } from './engine-work.js';
import type { Library } from './library.js';
import { decode } from './picture.js';
import type { MetricEntry, WireExhibit } from './protocol.gen.js';
import { entryOf, type State } from './state.js';

/** With the picture and its mask, an engine keeps eight. */
const EXHIBITS = 5;
const MASK_KEY = 'mask';

/** Brighter than mid-grey, which also fills a letterbox. */
const RELEVANT = 128;

export interface Around {
  /** One byte a pixel of the prepared picture, not 0 where it matters; null where that is not known. */
  readonly truth: Uint8Array<ArrayBuffer> | null;
  readonly set: readonly WireExhibit[];
}

export class Circumstances {
  readonly #work: EngineWork;
  readonly #library: Library;

  constructor(work: EngineWork, library: Library) {
    this.#work = work;
    this.#library = library;
  }

  /** What `metrics` need of it, as far as it is there. */
  async around(state: State, metrics: readonly MetricEntry[], signal: AbortSignal): Promise<Around> {
    const needed = (need: string) => metrics.some((m) => m.needs.includes(need));
    return {
      truth: needed('truth') ? await this.#truth(state, signal) : null,
      set: needed('set') ? await this.#set(state, signal) : [],
    };
  }

  async #load(state: State, key: string, file: string, signal: AbortSignal): Promise<void> {
    const { width, height, rgba } = await decode(await this.#library.sample(state.modelId, file));
    signal.throwIfAborted();
    await this.#work.call({ kind: 'load-picture', picture: key, width, height }, { beside: [rgba], signal });
  }

  /** The mask goes the way of its picture: resized and cut as the network's card says. */
  async #truth(state: State, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
    const sample = entryOf(state)?.card.sample.find((s) => s.file === state.picture?.sample);
    if (!sample?.mask) return null;
    await this.#load(state, MASK_KEY, sample.mask, signal);
    const { beside } = await this.#work.call({ kind: 'prepare', model: state.modelId, picture: MASK_KEY }, { signal });
    const rgba = beside[0];
    if (!(rgba instanceof Uint8Array)) return null;
    return Uint8Array.from({ length: rgba.length / 4 }, (_, k) => Number((rgba[4 * k] ?? 0) > RELEVANT));
  }

  /** Other samples of the network with their labels' classes. */
  async #set(state: State, signal: AbortSignal): Promise<WireExhibit[]> {
    const entry = entryOf(state);
    if (!entry || entry.own) return [];
    const found: WireExhibit[] = [];
    for (const { file, label } of entry.card.sample) {
      const known = entry.labels.indexOf(label);
      if (file === state.picture?.sample || known === -1 || found.length === EXHIBITS) continue;
      const picture = `set-${found.length}`;
      await this.#load(state, picture, file, signal);
      found.push({ picture, class: known });
    }
    return found;
  }
}
