/** The engine as WebAssembly, without the page: the same goldens as the native one, through a sibling's batches. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readNpy, readToml } from './support/arrays';
import { BUILDS, expect, test, type Batch } from './support/bare';
import { ROOT } from './support/lucarne';
import { RELAXED_PROBE } from '../../www/src/engine/probe';
import { FORWARD, GRADIENT } from '../../www/src/engine/messages';
import type { Event, ModelInfo, Request } from '../../www/src/protocol.gen';

const GOLDEN = join(ROOT, 'tests/golden');

const net = (name: string) => readFileSync(join(ROOT, 'tests/nets', `${name}.onnx`));

/** Goldens of a kind that a batch can answer: raw logits, and gradients of a logit. */
const cases = readdirSync(GOLDEN)
  .filter((name) => existsSync(join(GOLDEN, name, 'case.toml')))
  .map((name) => ({ name, toml: readToml(join(GOLDEN, name, 'case.toml')) }))
  .filter(({ toml }) => existsSync(join(ROOT, 'tests/nets', `${toml['']?.['model']}.onnx`)));

function worst(found: readonly number[], wanted: Float32Array): number {
  const largest = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return wanted.reduce((most, v, k) => Math.max(most, Math.abs(v - (found[k] ?? Number.NaN))), 0) / largest;
}

for (const build of BUILDS) {
  test.describe(build, () => {
    test.use({ build });

    for (const kind of ['logits', 'gradient'] as const) {
      test(`${kind} equal the goldens`, async ({ bare }) => {
        const wanted = cases.filter(
          ({ toml }) =>
            toml['']?.['kind'] === kind &&
            typeof toml['tolerance']?.['relative'] === 'number' &&
            // The suggested card takes the first output.
            toml['target']?.['output'] === undefined &&
            toml['target']?.['kind'] === (kind === 'logits' ? 'output' : 'logit'),
        );
        const loaded = new Map<string, ModelInfo>();
        const off: string[] = [];
        let compared = 0;
        for (const { name, toml } of wanted) {
          const model = String(toml['']?.['model']);
          if (!loaded.has(model)) {
            const end = await bare.load(model, net(model));
            if (end.kind !== 'done' || end.reply.kind !== 'model-loaded')
              throw new Error(`${model}: ${JSON.stringify(end)}`);
            loaded.set(model, end.reply);
          }
          const { head = '', classes = 0 } = loaded.get(model) ?? {};
          // A batch gives what stands before a final softmax or sigmoid.
          if (kind === 'logits' && head !== 'logits') continue;
          const input = readNpy(join(GOLDEN, name, String(toml['']?.['input'])));
          const expected = readNpy(join(GOLDEN, name, String(toml['']?.['expected'])));
          const cotangent = Array.from({ length: classes }, (_, k) => (k === toml['target']?.['class'] ? 1 : 0));
          const batch: Batch = {
            program: kind === 'logits' ? FORWARD : GRADIENT,
            shapes:
              kind === 'logits'
                ? [[1, ...input.shape]]
                : [
                    [1, ...input.shape],
                    [1, classes],
                  ],
            arrays: kind === 'logits' ? [[...input.values]] : [[...input.values], cotangent],
          };
          const { error, arrays } = await bare.run(model, batch);
          const difference = error ? Number.NaN : worst(arrays.at(-1) ?? [], expected.values);
          compared++;
          if (!(difference <= Number(toml['tolerance']?.['relative'])))
            off.push(`${name}: ${error?.message ?? difference}`);
        }
        expect(off).toEqual([]);
        expect(compared).toBeGreaterThanOrEqual(15);
      });
    }

    test('what is not a number stays so through a clamp', async ({ bare }) => {
      expect(await bare.load('residual', net('residual'))).toMatchObject({ kind: 'done' });
      const { shape, values } = readNpy(join(GOLDEN, 'inputs/residual-0.npy'));
      const { arrays } = await bare.run('residual', {
        program: FORWARD,
        shapes: [[1, ...shape]],
        arrays: [[...values].map(() => Number.NaN)],
      });
      expect(arrays[0]?.map(Number.isNaN)).toEqual(arrays[0]?.map(() => true));
      expect(arrays[0]?.length).toBeGreaterThan(1);
    });
  });
}

test('one glue serves both builds, and the probe tells where the second runs', async ({ page, glue }) => {
  await page.goto(glue.url);
  const border = (name: string) =>
    page.evaluate(async (url) => {
      const module = await WebAssembly.compileStreaming(fetch(url));
      // Called by name: their order means nothing.
      const sorted = (all: { name: string; kind: string }[]) => all.map(({ name, kind }) => `${kind} ${name}`).sort();
      return {
        exports: sorted(WebAssembly.Module.exports(module)),
        imports: sorted(WebAssembly.Module.imports(module)),
      };
    }, `${glue.url}${name}.wasm`);
  expect(await border('lucarne_relaxed')).toEqual(await border('lucarne'));
  const valid = (bytes: number[]) => page.evaluate((b) => WebAssembly.validate(new Uint8Array(b)), bytes);
  expect(await valid(RELAXED_PROBE)).toBe(true);
  // The instruction before the last byte, replaced by one that is not.
  expect(await valid([...RELAXED_PROBE.slice(0, -4), 0xfd, 0xff, 0x7f, 0x0b])).toBe(false);
});

test('pictures of a batch do not touch each other', async ({ bare }) => {
  expect(await bare.load('residual', net('residual'))).toMatchObject({
    kind: 'done',
  });
  const { shape, values } = readNpy(join(GOLDEN, 'inputs/residual-0.npy'));
  const other = [...values].reverse();
  const run = async (n: number, array: number[]) => {
    const { arrays } = await bare.run('residual', {
      program: FORWARD,
      shapes: [[n, ...shape]],
      arrays: [array],
    });
    return arrays[0] ?? [];
  };
  expect(await run(2, [...values, ...other])).toEqual([...(await run(1, [...values])), ...(await run(1, other))]);
});

const code = (event: Event) => (event.kind === 'failed' ? event.error.code : event.kind);

test('a file that is no network is refused by name, and the engine lives on', async ({ bare }) => {
  const end = await bare.load('noise', Buffer.from('this is not a network'));
  expect(code(end)).toMatch(/^model-/);
  const cut = net('residual').subarray(0, 9000);
  expect(code(await bare.load('cut', cut))).toMatch(/^model-/);
  expect(await bare.load('residual', net('residual'))).toMatchObject({
    kind: 'done',
  });
});

test('a malformed request is answered, not trapped', async ({ bare }) => {
  const answers = await bare.page.evaluate(async () => [
    await globalThis.ask({ kind: 'predict', job: 7, model: 'none', picture: 'none', top: 1 }, []),
    await globalThis.ask({ kind: 'no-such-thing', job: 8 } as unknown as Request, []),
    await globalThis.ask({ kind: 'load-picture', job: 9, picture: 'p', width: 4, height: 4 }, [new Uint8Array(3)]),
  ]);
  expect(answers.map((a) => a.kind)).toEqual(['failed', 'failed', 'failed']);
});
