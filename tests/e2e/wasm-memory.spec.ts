/** What an engine's memory grows to at work on a picture of 224 × 224. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { BUILDS, expect, test } from './support/bare';
import { ROOT } from './support/lucarne';
import type { ModelCard, Request } from '../../www/src/protocol.gen';

/** Bytes of WebAssembly memory, which grows and never shrinks. */
const LIMIT = 300e6;
const MODEL = 'efficientnet-lite0';

const WORK = [
  { id: 'rise', params: { samples: 96 } },
  { id: 'occlusion', params: { window: 64, stride: 40 } },
  { id: 'integrated-gradients', params: { steps: 12 } },
];

const entries = JSON.parse(readFileSync(join(ROOT, 'models/models.json'), 'utf8')) as {
  card: ModelCard;
  labels: string[];
}[];

/** A picture of noise: what is in it costs nothing. */
const side = 320;

for (const build of BUILDS) {
  test.describe(build, () => {
    test.use({ build });

    test('RISE, occlusion and integrated gradients stay within the memory of an engine', async ({ bare }, info) => {
      test.setTimeout(240_000);
      const entry = entries.find(({ card }) => card.id === MODEL);
      if (!entry) throw new Error(`models.json has no ${MODEL}`);
      const file = readFileSync(join(ROOT, 'models', MODEL, entry.card.file));
      const common = {
        model: MODEL,
        picture: 'p',
        target: { class: 0, kind: 'logit' },
        seed: 1,
      } as const;
      const removal = { id: 'constant', params: {} };
      const requests: Request[] = [
        { kind: 'load-model', job: 1, card: entry.card, labels: entry.labels },
        {
          kind: 'load-picture',
          job: 2,
          picture: 'p',
          width: side,
          height: side,
        },
        { kind: 'predict', job: 3, model: MODEL, picture: 'p', top: 5 },
        ...WORK.map((method, k): Request => ({
          kind: 'attribute',
          job: 4 + k,
          ...common,
          method,
          removal,
        })),
      ];
      const grown = await bare.page.evaluate(
        async ([requests, base64, side]) => {
          const model = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
          const picture = Uint8Array.from({ length: side * side * 4 }, (_, k) => (k % 4 === 3 ? 255 : (k * k) % 251));
          const grown: Record<string, number> = {};
          for (const request of requests) {
            const beside = { 'load-model': [model], 'load-picture': [picture] }[request.kind as string] ?? [];
            const end = await globalThis.ask(request, beside);
            if (end.kind !== 'done') throw new Error(`${request.kind}: ${JSON.stringify(end)}`);
            const name = request.kind === 'attribute' ? request.method.id : request.kind;
            grown[name] = globalThis.memory.buffer.byteLength;
          }
          return grown;
        },
        [requests, file.toString('base64'), side] as const,
      );
      const told = Object.entries(grown).map(([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(0)} MB`);
      info.annotations.push({ type: 'memory', description: told.join(', ') });
      process.stdout.write(`${build}: ${told.join(', ')}\n`);
      expect(Math.max(...Object.values(grown))).toBeLessThan(LIMIT);
    });
  });
}
