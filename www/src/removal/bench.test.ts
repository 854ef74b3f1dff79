import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Controller } from '../controller.js';
import { Library, type Assets } from '../library.js';
import { readLink, writeLink } from '../link.js';
import type * as picture from '../picture.js';
import { Store } from '../state.js';
import { FakePort } from '../testing/fake-port.js';
import { CARD, CATALOGUE } from '../testing/fixtures.js';
import { benchJson } from './bench-files.js';
import { BENCH, fresh, mapOf, maskOf, spreadOf, type Bench } from './bench.js';
import { available, compared } from './bench-work.js';
import { removed } from './masks.js';

vi.mock('../picture.js', async (original) => ({
  ...(await original<typeof picture>()),
  decode: () => Promise.resolve({ width: 2, height: 2, rgba: new Uint8Array(16), reducedFrom: null }),
}));

const assets: Assets = {
  asset: () => Promise.resolve(new Uint8Array(4)),
  bundledModels: () => Promise.resolve([{ card: CARD, labels: ['class 0', 'class 1'], path: 'models/tiny' }]),
  bundledExtras: () =>
    Promise.resolve({
      networks: [{ id: 'sampler', path: 'models/sampler/sampler.onnx' }],
      features: [{ model: 'tiny', path: 'models/tiny/features.npy' }],
    }),
  preloadAssets: () => Promise.resolve(),
};

const imputer = (id: string, more: object = {}) => ({
  id,
  name: id.toUpperCase(),
  summary: '',
  reference: '',
  stochastic: false,
  needsKept: false,
  params: [],
  ...more,
});
const IMPUTERS = [
  imputer('constant'),
  imputer('noise', { stochastic: true }),
  imputer('linear', { needsKept: true }),
  imputer('sampler', { network: 'sampler', stochastic: true }),
  imputer('inpainter', { network: 'inpainter' }),
];

let port: FakePort;
let store: Store;
let controller: Controller;

beforeEach(async () => {
  port = new FakePort();
  store = new Store({ method: 'gradient' });
  controller = new Controller(store, new Library(assets), () => Promise.resolve(port));
  await controller.start(readLink(''));
  store.dispatch({ type: 'catalogue', catalogue: { ...CATALOGUE, imputers: IMPUTERS } });
  bench({ method: 'gradient', share: 50 });
});

const bench = (settings: Partial<Bench>) => store.dispatch({ type: 'bench', bench: settings });
const asked = (kind: string) => port.asked.filter((r) => r.kind === kind);

describe('what is removed', () => {
  it('by an explanation needs its map', async () => {
    expect(maskOf(store.state)).toBeNull();
    await controller.explainAll(['gradient']);
    expect(mapOf(store.state)?.method.id).toBe('gradient');
    // The fake's map is 1, 0, -1, 0.
    bench({ share: 25 });
    expect([...(maskOf(store.state) ?? [])]).toEqual([1, 0, 0, 0]);
    bench({ first: 'least' });
    expect([...(maskOf(store.state) ?? [])]).toEqual([0, 0, 1, 0]);
  });

  it('by chance and by superpixels follows the share and the seed', async () => {
    bench({ source: 'pixels' });
    const first = maskOf(store.state);
    expect(first && removed(first)).toBe(2);
    bench({ source: 'segments' });
    expect(maskOf(store.state)).toBeNull();
    await controller.bench.segment();
    const mask = [...(maskOf(store.state) ?? [])];
    expect([
      [1, 1, 0, 0],
      [0, 0, 1, 1],
    ]).toContainEqual(mask);
    bench({ picked: new Set([1]) });
    expect([...(maskOf(store.state) ?? [])]).toEqual([0, 0, 1, 1]);
  });

  it('goes with the picture; the settings stay', async () => {
    bench({ source: 'brush', painted: Uint8Array.of(1, 0, 0, 0), draws: 2 });
    await controller.bench.fill();
    expect(store.state.bench.filled.length).toBeGreaterThan(0);
    await controller.chooseSample('samples/b.png');
    expect(store.state.bench).toMatchObject({ painted: null, filled: [], film: null, draws: 2, source: 'brush' });
  });
});

describe('filling', () => {
  beforeEach(() => bench({ source: 'brush', painted: Uint8Array.of(1, 0, 0, 0), draws: 3 }));

  it('leaves out an imputer whose network is not there', () => {
    expect(asked('load-network')).toHaveLength(1);
    expect(asked('load-features')).toHaveLength(1);
    expect(available(store.state).map((i) => i.id)).toEqual(['constant', 'noise', 'linear', 'sampler']);
    bench({ fills: ['inpainter', 'linear'] });
    expect(compared(store.state).map((i) => i.id)).toEqual(['linear']);
  });

  it('fills by each imputer, several times where chance decides, then asks the criteria', async () => {
    await controller.bench.fill();
    const { filled } = store.state.bench;
    expect(filled.map((f) => [f.imputer, f.state, f.draws.length])).toEqual([
      ['constant', 'done', 1],
      ['noise', 'done', 3],
      ['linear', 'done', 1],
      ['sampler', 'done', 3],
    ]);
    expect(asked('impute')).toHaveLength(8);
    expect(asked('gauge').map((r) => r.kind === 'gauge' && r.draws)).toEqual([1, 3, 1, 3]);
    expect(filled[1]?.draws.map((d) => d.seed)).toEqual([0, 1, 2]);
    expect(filled[0]?.gauges.map((g) => g.id)).toEqual(['psnr', 'diversity']);
    expect(fresh(filled, maskOf(store.state), store.state.target)).toBe(true);
    bench({ painted: Uint8Array.of(0, 1, 0, 0) });
    expect(fresh(filled, maskOf(store.state), store.state.target)).toBe(false);
  });

  it('one that fails does not cost the others', async () => {
    port.failing.set('gauge', new Error('no criteria here'));
    await controller.bench.fill();
    expect(store.state.bench.filled.map((f) => f.state)).toEqual(['done', 'done', 'done', 'done']);
    expect(store.state.bench.filled[0]?.error?.message).toBe('no criteria here');
    port.failing.set('impute', new Error('cannot fill'));
    await controller.bench.fill();
    expect(store.state.bench.filled.map((f) => f.state)).toEqual(['failed', 'failed', 'failed', 'failed']);
    expect(store.state.work).toBeNull();
  });

  it('keeps what is there when it is cancelled', async () => {
    port.held.add('impute');
    port.free = 2;
    const running = controller.bench.fill();
    await vi.waitFor(() => expect(asked('impute')).toHaveLength(3));
    controller.cancel();
    await running;
    expect(store.state.bench.filled.map((f) => [f.state, f.draws.length])).toEqual([
      ['done', 1],
      ['done', 1],
      ['left', 0],
      ['left', 0],
    ]);
    expect(store.state.notices).toEqual([]);
  });

  it('one imputer again leaves the others as they are', async () => {
    await controller.bench.fill();
    const before = store.state.bench.filled;
    await controller.bench.fill('linear');
    const after = store.state.bench.filled;
    expect(after.map((f, k) => f === before[k])).toEqual([true, true, false, true]);
  });

  it('is saved without the picture, with everything else', async () => {
    await controller.bench.fill();
    const saved = JSON.parse(benchJson(store.state)) as Record<string, unknown>;
    expect(saved).toMatchObject({
      format: 'lucarne-removal',
      model: 'tiny',
      removal: { from: 'brush', removed: 1, runs: [0, 1, 3] },
      fillings: [{ imputer: { id: 'constant' }, gauges: [{ id: 'psnr', value: 20 }, { id: 'diversity' }] }, {}, {}, {}],
    });
    expect(JSON.stringify(saved)).not.toContain('rgba');
  });
});

describe('the film', () => {
  beforeEach(() => controller.explainAll(['gradient']));

  it('goes from none to all, step by step', async () => {
    bench({ filmBy: 'constant', steps: 10 });
    await controller.bench.film();
    const { film } = store.state.bench;
    expect(film?.frames.map((f) => f.share)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(film?.short).toBe(false);
  });

  it('ends before the last pixel where the filling needs one', async () => {
    bench({ filmBy: 'linear', steps: 10 });
    await controller.bench.film();
    // Four pixels: at 90 % all of them would go.
    expect(store.state.bench.film).toMatchObject({ short: true });
    expect(store.state.bench.film?.frames.at(-1)?.share).toBeLessThan(0.9);
  });

  it('keeps the steps made when it is cancelled, and is gone where there are none', async () => {
    bench({ filmBy: 'constant', steps: 10 });
    port.held.add('impute');
    const running = controller.bench.film();
    await vi.waitFor(() => expect(asked('impute')).toHaveLength(1));
    controller.cancel();
    await running;
    expect(store.state.bench.film).toBeNull();
  });
});

it('scores one map in both orders with each filling', async () => {
  await controller.explainAll(['gradient']);
  bench({ fills: ['constant', 'noise'], draws: 5 });
  await controller.bench.removers();
  expect(store.state.bench.removers?.rows.map((r) => [r.imputer, r.morf?.score, r.lerf?.score])).toEqual([
    ['constant', 0.5, 0.5],
    ['noise', 0.5, 0.5],
  ]);
  const runs = asked('evaluate').map((r) =>
    r.kind === 'evaluate' ? [r.removal.id, r.metric.params['order'], r.draws] : [],
  );
  expect(runs).toEqual([
    ['constant', 'morf', 1],
    ['constant', 'lerf', 1],
    ['noise', 'morf', 5],
    ['noise', 'lerf', 5],
  ]);
});

it('a link holds the settings that differ, and restores them', async () => {
  store.dispatch({ type: 'set', settings: { page: { registry: 'removal' } } });
  bench({ ...BENCH, method: 'occlusion', share: 65, fills: ['constant', 'gaussian-blur'], metric: 'road' });
  const hash = writeLink(controller.link());
  expect(hash).not.toContain('b.first');
  const other = new Store({ method: 'gradient' });
  const again = new Controller(other, new Library(assets), () => Promise.resolve(new FakePort()));
  await again.start(readLink(hash));
  expect(other.state.notices).toEqual([]);
  expect(other.state.bench).toEqual({
    ...BENCH,
    method: 'occlusion',
    share: 65,
    fills: ['constant', 'gaussian-blur'],
    metric: 'road',
  });
});

it('a link’s damaged settings are named', async () => {
  const read = readLink('#v=1&b.share=99&b.from=cloud&b.draws=3&b.film=..%2Fx');
  expect(read).toEqual({ link: { bench: { draws: 3 } }, damaged: ['b.share', 'b.from', 'b.film'] });
  const again = new Controller(store, new Library(assets), () => Promise.resolve(new FakePort()));
  await again.start(readLink('#v=1&b.film=gone&b.map=nobody&b.fills=constant+gone'));
  expect(store.state.notices[0]?.error.place).toBe('gone, nobody, gone');
  expect(store.state.bench.fills).toEqual(['constant']);
});

it('spreads by one less than the count', () => {
  expect(spreadOf([1, 3])).toEqual({ mean: 2, deviation: Math.SQRT2 });
  expect(spreadOf([4])).toEqual({ mean: 4, deviation: 0 });
});
