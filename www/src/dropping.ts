/** Files that are dropped on the playground or pasted into its page. */
import type { App } from './elements/base.js';
import { isLabels, isNetwork } from './picture.js';

function isField(target: EventTarget | undefined): boolean {
  return target instanceof HTMLInputElement && ['text', 'search', 'number'].includes(target.type);
}

export class Dropping {
  readonly #host: HTMLElement;
  readonly #app: App;
  readonly #over: (over: boolean) => void;
  #stopped: AbortController | null = null;

  constructor(host: HTMLElement, app: App, over: (over: boolean) => void) {
    this.#host = host;
    this.#app = app;
    this.#over = over;
  }

  listen(): void {
    this.stop();
    const { signal } = (this.#stopped = new AbortController());
    this.#host.addEventListener('dragover', (event) => this.#drag(event), { signal });
    this.#host.addEventListener('dragleave', () => this.#over(false), { signal });
    this.#host.addEventListener('drop', (event) => this.#drop(event), { signal });
    document.addEventListener('paste', (event) => this.#paste(event), { signal });
  }

  stop(): void {
    this.#stopped?.abort();
    this.#stopped = null;
  }

  #drag(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    this.#over(true);
  }

  #drop(event: DragEvent): void {
    this.#over(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    void this.#take(files);
  }

  #paste(event: ClipboardEvent): void {
    const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith('image/'));
    if (!file || isField(event.composedPath()[0])) return;
    event.preventDefault();
    void this.#take([file]);
  }

  /** A network first, so that labels dropped beside it find it. */
  async #take(files: readonly File[]): Promise<void> {
    const { controller, store } = this.#app;
    const network = files.find(isNetwork);
    const labels = files.find(isLabels);
    if (network) await controller.openNetwork(network);
    if (labels && store.state.draft) await controller.openLabels(labels);
    const picture = files.find((f) => f !== network && f !== labels);
    if (picture && !network) await controller.openPicture(picture, picture.name);
  }
}
