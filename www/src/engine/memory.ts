/** What engines were given: enough to bring a new one to where the last one was. */
import type { Request } from '../protocol.gen.js';

type Kept = Extract<
  Request,
  { kind: 'load-model' | 'load-features' | 'load-network' | 'load-picture' | 'choose-device' }
>;

/** An engine keeps as many pictures. */
const PICTURES = 8;

export class Memory {
  readonly #models = new Map<string, { request: Kept; beside: ArrayBufferView[] }>();
  readonly #features = new Map<string, { request: Kept; beside: ArrayBufferView[] }>();
  readonly #networks = new Map<string, { request: Kept; beside: ArrayBufferView[] }>();
  readonly #pictures = new Map<string, { request: Kept; beside: ArrayBufferView[] }>();

  #device: { request: Kept; beside: ArrayBufferView[] } | null = null;

  /** Keeps what a successful request loaded or chose; others are nothing to keep. */
  note(request: Request, beside: ArrayBufferView[]): void {
    if (request.kind === 'load-model') {
      this.#models.set(request.card.id, { request, beside });
      // What was known of the features of another model of that id goes with it.
      this.#features.delete(request.card.id);
    } else if (request.kind === 'load-features') {
      this.#features.set(request.model, { request, beside });
    } else if (request.kind === 'load-network') {
      this.#networks.set(request.id, { request, beside });
    } else if (request.kind === 'choose-device') {
      this.#device = { request, beside };
    } else if (request.kind === 'load-picture') {
      this.#pictures.delete(request.picture);
      this.#pictures.set(request.picture, { request, beside });
      const [oldest] = this.#pictures.keys();
      if (this.#pictures.size > PICTURES && oldest !== undefined) this.#pictures.delete(oldest);
    }
  }

  /** Forgets a model that can't be brought back. */
  dropModel(id: string): void {
    this.#models.delete(id);
    this.#features.delete(id);
  }

  get models(): { request: Kept; beside: ArrayBufferView[] }[] {
    return [...this.#models.values()];
  }

  /** Forgets a network that can't be brought back. */
  dropNetwork(id: string): void {
    this.#networks.delete(id);
  }

  /** Networks that imputers run, what is known of models' features, and the device: the coordinator's only. */
  get extras(): { request: Kept; beside: ArrayBufferView[] }[] {
    return [...this.#networks.values(), ...this.#features.values(), ...(this.#device ? [this.#device] : [])];
  }

  get pictures(): { request: Kept; beside: ArrayBufferView[] }[] {
    return [...this.#pictures.values()];
  }
}
