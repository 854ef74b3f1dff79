/** The engine as WebAssembly, in a page that holds nothing else. */
import { join } from 'node:path';

import { expect, test as base, type Page } from '@playwright/test';

import { ROOT } from './lucarne';
import { serve } from './server';
import type { EngineBuild } from '../../../www/src/engine/features';
import type { Engine, EngineFactory, Program } from '../../../www/src/engine/messages';
import type { Event, Request, WireError } from '../../../www/src/protocol.gen';

export { expect };

/** Both are tested wherever the tests' browser has relaxed SIMD, which Chromium has had since version 114. */
export const BUILDS: readonly EngineBuild[] = ['lucarne', 'lucarne_relaxed'];

declare global {
  /** Set in the page. */
  var engine: Engine;
  var ask: (request: Request, beside: ArrayBufferView[]) => Promise<Event>;
  var memory: WebAssembly.Memory;
}

/** The glue's exports. */
interface Glue {
  Engine: new (...args: [Parameters<EngineFactory>[1]]) => Engine;
  default(options: { module_or_path: URL }): Promise<{ memory: WebAssembly.Memory }>;
}

export interface Batch {
  program: Program;
  shapes: number[][];
  arrays: number[][];
}

/** An engine in a page that holds nothing else. */
export class Bare {
  constructor(readonly page: Page) {}

  static async open(page: Page, url: string, build: EngineBuild): Promise<Bare> {
    await page.goto(url);
    await page.evaluate(
      async ([url, build]) => {
        const glue = (await import(`${url}lucarne.js`)) as Glue;
        globalThis.memory = (await glue.default({ module_or_path: new URL(`${build}.wasm`, url) })).memory;
        const waiting = new Map<number, (event: Event) => void>();
        globalThis.engine = new glue.Engine((event) => {
          if (/^(done|failed|cancelled)$/.test(event.kind) && 'job' in event) waiting.get(event.job)?.(event);
        });
        globalThis.ask = (request, beside) =>
          new Promise((resolve) => {
            waiting.set(request.job, resolve);
            globalThis.engine.handle(request, beside);
          });
      },
      [url, build] as const,
    );
    return new Bare(page);
  }

  /** Loads an ONNX file with the card that the engine suggests; gives the event that ends it. */
  load(id: string, file: Buffer): Promise<Event> {
    return this.page.evaluate(
      async ([id, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const seen = await globalThis.ask({ kind: 'inspect', job: 1, name: id }, [bytes]);
        if (seen.kind !== 'done' || seen.reply.kind !== 'inspected') return seen;
        const card = { ...seen.reply.card, id };
        return globalThis.ask({ kind: 'load-model', job: 2, card, labels: [] }, [bytes]);
      },
      [id, file.toString('base64')] as const,
    );
  }

  run(model: string, batch: Batch): Promise<{ error: WireError | null; arrays: number[][] }> {
    return this.page.evaluate(
      ([model, batch]) => {
        const arrays = batch.arrays.map((a) => Float32Array.from(a));
        const result = globalThis.engine.run_lane({ ...batch, model, arrays });
        return {
          error: result.error ?? null,
          arrays: result.arrays.map((a) => [...a]),
        };
      },
      [model, batch] as const,
    );
  }
}

interface Own {
  build: EngineBuild;
  bare: Bare;
}

/** A test with an engine, of the build that `test.use({ build })` names. */
export const test = base.extend<Own, { glue: { url: string } }>({
  build: ['lucarne', { option: true }],
  glue: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixtures' names from here.
    async ({}, use) => {
      const served = await serve(join(ROOT, 'www/src/engine/wasm'));
      await use(served);
      await served.close();
    },
    { scope: 'worker' },
  ],
  bare: async ({ page, glue, build }, use) => {
    await use(await Bare.open(page, glue.url, build));
  },
});
