import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Controller } from './controller.js';
import { Library, type Assets } from './library.js';
import { readLink, writeLink } from './link.js';
import type * as picture from './picture.js';
import { Store } from './state.js';
import { FakePort } from './testing/fake-port.js';
import { CARD, CATALOGUE } from './testing/fixtures.js';

vi.mock('./picture.js', async (original) => ({
  ...(await original<typeof picture>()),
  decode: async (file: Blob) => {
    if ((await file.text()).includes('broken')) throw new Error('cannot decode');
    return { width: 2, height: 2, rgba: new Uint8Array(16), reducedFrom: null };
  },
}));

const asset = () => Promise.resolve(new Uint8Array(4));
const assets: Assets = {
  asset,
  bundledModels: () =>
    Promise.resolve([
      { card: CARD, labels: ['class 0', 'class 1'], path: 'models/tiny' },
      {
        card: { ...CARD, id: 'other', sample: CARD.sample.map((s) => ({ ...s, mask: 'samples/mask.png' })) },
        labels: ['a', 'b'],
        path: 'models/other',
      },
    ]),
  bundledExtras: () =>
    Promise.resolve({
      networks: [{ id: 'inpainter', path: 'models/inpainter/inpainter.onnx' }],
      features: [{ model: 'other', path: 'models/other/features.npy' }],
    }),
  preloadAssets: () => Promise.resolve(),
};

let port: FakePort;
let store: Store;
let controller: Controller;

beforeEach(() => {
  port = new FakePort();
  store = new Store({ method: 'gradient' });
  controller = new Controller(store, new Library(assets), () => Promise.resolve(port));
});

const start = (hash = '') => controller.start(readLink(hash));
const notices = () => store.state.notices.map((n) => `${n.place} ${n.error.code} ${n.error.place ?? ''}`.trim());

describe('start', () => {
  it('loads the first network and sample and asks for the answer, with nothing clicked', async () => {
    await start();
    expect(port.kinds()).toEqual([
      'catalogue',
      'load-model',
      'load-picture',
      'prepare',
      'predict',
      'estimate',
      'load-network',
      'choose-device',
    ]);
    expect(store.state).toMatchObject({ engine: 'ready', modelId: 'tiny', target: 1, offline: true, work: null });
    expect(store.state.picture).toMatchObject({ sample: 'samples/a.png', name: 'a' });
  });

  it('looks for a GPU of its own accord, and tells why there is none', async () => {
    await start();
    expect(store.state.device).toEqual({ prefer: 'auto', gpu: null, why: { code: 'gpu-none', message: 'none here' } });
    expect(port.asked.at(-1)).toMatchObject({ kind: 'choose-device', prefer: 'auto', software: false });
    await controller.chooseDevice('cpu');
    expect(store.state.device).toEqual({ prefer: 'cpu', gpu: null, why: null });
  });

  it('restores a link, and writes the same link again', async () => {
    const hash = writeLink({
      model: 'other',
      picture: 'samples/b.png',
      method: 'gradient',
      params: { steps: 7 },
      target: 0,
      kind: 'probability',
      seed: 42,
      language: 'en',
    });
    await start(hash);
    expect(notices()).toEqual([]);
    expect(store.state).toMatchObject({ modelId: 'other', target: 0, seed: 42, targetKind: 'probability' });
    expect(writeLink(controller.link())).toBe(hash);
  });

  it('falls back to defaults for what a link damages or names in vain, and says so', async () => {
    await start('#v=1&model=gone&method=lime&p.steps=n5&seed=x');
    expect(store.state).toMatchObject({ modelId: 'tiny', method: 'gradient', seed: 0, target: 1 });
    expect(notices()).toEqual(['link link-damaged seed, gone, lime, steps']);
  });

  it('refuses a parameter of a link that is out of range', async () => {
    await start('#v=1&method=gradient&p.steps=n1000');
    expect(store.state.params['method/gradient']).toEqual({});
    expect(notices()).toEqual(['link link-damaged steps']);
  });

  it('says where no engine can be started', async () => {
    const refusing = Promise.reject(new Error('workers are forbidden'));
    controller = new Controller(store, new Library(assets), () => refusing);
    await start();
    expect(store.state.engine).toBe('failed');
    expect(store.state.notices[0]?.error.message).toBe('workers are forbidden');
  });
});

describe('pictures', () => {
  it('keeps the picture before where a file cannot be read', async () => {
    await start();
    const { answer } = store.state;
    await controller.openPicture(new Blob(['broken']), 'notes.txt');
    expect(notices()).toEqual(['picture picture-unreadable notes.txt']);
    expect(store.state.picture?.sample).toBe('samples/a.png');
    expect(store.state.answer).toEqual(answer);
  });

  it('keeps the visitor’s own picture when the network changes, and leaves it out of the link', async () => {
    await start();
    await controller.openPicture(new Blob(['fine']), 'dog.png');
    await controller.chooseModel('other');
    expect(store.state).toMatchObject({ modelId: 'other', picture: { name: 'dog.png', sample: null } });
    expect(store.state.answer).not.toBeNull();
    expect(controller.link().picture).toBeUndefined();
  });

  it('a second choice ends the first', async () => {
    await start();
    port.held.add('predict');
    const first = controller.chooseSample('samples/b.png');
    await vi.waitFor(() => expect(store.state.work?.task).toBe('picture'));
    port.held.clear();
    await controller.chooseSample('samples/a.png');
    await first;
    expect(store.state).toMatchObject({ picture: { sample: 'samples/a.png' }, work: null, target: 1 });
  });
});

describe('own networks', () => {
  const file = () => new File(['onnx'], 'net.onnx');

  it('opens a form from what the file says, then loads what the visitor made of it', async () => {
    await start();
    await controller.openNetwork(file());
    const { draft } = store.state;
    expect(draft?.card).toMatchObject({ id: 'own-1', name: 'net' });
    await controller.openLabels(new File(['cat\r\ndog\n\n'], 'labels.txt'));
    expect(store.state.draft?.labels).toEqual(['cat', 'dog']);
    if (store.state.draft) await controller.loadDraft(store.state.draft);
    expect(store.state).toMatchObject({ draft: null, modelId: 'own-1', model: { labels: ['cat', 'dog'] }, target: 1 });
    expect(controller.link().model).toBeUndefined();
  });

  it('loses nothing when loading fails: form, network, picture and answer stay', async () => {
    await start();
    await controller.openNetwork(file());
    const before = store.state;
    port.failing.set('load-model', Object.assign(new Error('no Loop'), { code: 'model-operator', place: 'loop_3' }));
    if (before.draft) await controller.loadDraft(before.draft);
    expect(notices()).toEqual(['model model-operator loop_3']);
    expect(store.state).toMatchObject({ draft: before.draft, modelId: 'tiny', picture: before.picture });
    expect(store.state.answer).toBe(before.answer);
  });
});

describe('explain', () => {
  it('asks with the visitor’s parameters, shows the partial map, then the result', async () => {
    await start();
    store.dispatch({ type: 'param', id: 'method/gradient', name: 'steps', value: 3 });
    const seen: boolean[] = [];
    store.subscribe(() => store.state.explained[0]?.map && seen.push(store.state.explained[0].result !== null));
    await controller.explain();
    expect(seen).toContain(false);
    expect(store.state.explained).toHaveLength(1);
    expect(store.state.explained[0]?.result?.provenance.of).toEqual({ id: 'gradient', params: { steps: 3 } });
  });

  it('shows two methods side by side, and the same run only once', async () => {
    await start();
    await controller.explain();
    store.dispatch({ type: 'set', settings: { method: 'occlusion' } });
    await controller.explain();
    await controller.explain();
    expect(store.state.explained.map((e) => e.method.id)).toEqual(['gradient', 'occlusion']);
  });

  it('leaves nothing behind when cancelled, and no error', async () => {
    await start();
    port.held.add('attribute');
    const running = controller.explain();
    await vi.waitFor(() => expect(store.state.explained).toHaveLength(1));
    controller.cancel();
    await running;
    expect(store.state).toMatchObject({ explained: [], work: null, notices: [] });
  });

  it('keeps the map before when repeating it fails', async () => {
    await start();
    await controller.explain();
    const [before] = store.state.explained;
    port.failing.set('attribute', new Error('trapped'));
    await controller.explain();
    expect(store.state.explained).toEqual([before]);
    expect(notices()).toEqual(['explain other']);
  });
});

describe('costs', () => {
  const cost = () => store.state.costs['method/gradient'];

  it('knows the passes of every method before it starts, and asks again only where something changed', async () => {
    await start();
    expect(Object.keys(store.state.costs)).toEqual(['method/gradient', 'method/occlusion', 'method/random']);
    expect(cost()).toEqual({ forward: 10, backward: 0, refusal: null });
    controller.check('method/gradient');
    store.dispatch({ type: 'param', id: 'method/gradient', name: 'steps', value: 0 });
    controller.check('method/gradient');
    controller.check('method/gradient');
    await vi.waitFor(() => expect(cost()?.refusal?.place).toBe('steps'));
    expect(port.kinds().filter((k) => k === 'estimate')).toHaveLength(2);
  });

  it('asks nothing of what is not in a registry', async () => {
    await start();
    const before = port.kinds().length;
    for (const key of ['', 'method', 'method/none', 'toString/x']) controller.check(key);
    expect(port.kinds()).toHaveLength(before);
  });

  it('an engine that does not answer costs nothing but the estimate, and is asked again', async () => {
    port.failing.set('estimate', new Error('trapped'));
    await start();
    expect(store.state).toMatchObject({ costs: {}, notices: [], target: 1 });
    port.failing.clear();
    controller.check('method/gradient');
    await vi.waitFor(() => expect(cost()).toBeDefined());
  });

  it('learns the pace from what ran, and forgets it with the network', async () => {
    await start();
    expect(store.state.pace).toBeGreaterThanOrEqual(0);
    store.dispatch({ type: 'choose-model', id: 'other' });
    expect(store.state).toMatchObject({ pace: null, costs: {} });
  });
});

describe('comparing', () => {
  it('shows nine maps and no tenth, until one is removed', async () => {
    await start();
    for (let seed = 0; seed < 11; seed++) {
      store.dispatch({ type: 'set', settings: { seed } });
      await controller.explain();
    }
    expect(store.state.explained.map((e) => e.seed)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    store.dispatch({ type: 'remove-explained', id: store.state.explained[0]?.id ?? 0 });
    await controller.explain();
    expect(store.state.explained.at(-1)?.seed).toBe(10);
  });

  it('adds several methods in turn, and stops where one fails', async () => {
    await start();
    await controller.explainAll(['occlusion', 'random']);
    expect(store.state.explained.map((e) => e.method.id)).toEqual(['occlusion', 'random']);
    expect(store.state.method).toBe('gradient');
    port.failing.set('attribute', new Error('trapped'));
    await controller.explainAll(['gradient', 'occlusion']);
    expect(store.state.explained).toHaveLength(2);
  });
});

describe('score', () => {
  const cells = () =>
    store.state.scores?.rows.map(
      (r) =>
        `${r.key} ${Object.values(r.cells)
          .map((c) => c.state)
          .join(' ')}`,
    );

  it('scores the explanations and the missing controls by every metric, each with its paper’s removal', async () => {
    await start();
    await controller.explain();
    await controller.score();
    expect(cells()).toEqual(['map-1 done done', 'method-random done done']);
    const removals = port.asked.flatMap((r) => (r.kind === 'evaluate' ? [`${r.metric.id} ${r.removal.id}`] : []));
    expect([...new Set(removals)]).toEqual(['insertion gaussian-blur', 'deletion constant']);
    expect(port.asked.flatMap((r) => (r.kind === 'evaluate' ? [r.target.kind] : []))).not.toContain('logit');
  });

  it('computes a control once a picture', async () => {
    await start();
    await controller.explain();
    await controller.score();
    await controller.score();
    const controls = port.asked.filter((r) => r.kind === 'attribute' && r.method.id === 'random');
    expect(controls).toHaveLength(1);
  });

  it('scores only maps of the class to be explained', async () => {
    await start();
    await controller.explain();
    store.dispatch({ type: 'target', target: 0 });
    await controller.score();
    expect(store.state.scores).toBeNull();
  });

  it('a cell that fails costs no other', async () => {
    await start();
    await controller.explain();
    port.failing.set('evaluate', Object.assign(new Error('cannot fill'), { code: 'cannot-impute' }));
    await controller.score();
    expect(cells()).toEqual(['map-1 failed failed', 'method-random failed failed']);
    expect(notices()).toEqual([]);
  });

  it('keeps nothing where nothing was reached when cancelled', async () => {
    await start();
    await controller.explain();
    port.held.add('evaluate');
    const running = controller.score();
    await vi.waitFor(() => expect(port.kinds()).toContain('evaluate'));
    controller.cancel();
    await running;
    expect(store.state).toMatchObject({ scores: null, work: null, notices: [] });
  });

  it('keeps what was reached when cancelled, and goes on from there', async () => {
    await start();
    await controller.explain();
    port.held.add('evaluate');
    port.free = 1;
    const running = controller.score();
    await vi.waitFor(() => expect(port.kinds().filter((k) => k === 'evaluate')).toHaveLength(2));
    controller.cancel();
    await running;
    expect(cells()).toEqual(['map-1 done unreached', 'method-random unreached unreached']);
    expect(store.state.scores?.stopped).toBe('cancelled');
    port.held.clear();
    await controller.score();
    expect(cells()).toEqual(['map-1 done done', 'method-random done done']);
    expect(store.state.scores?.stopped).toBeNull();
    // Two that were asked before the end, and the three that were missing.
    expect(port.kinds().filter((k) => k === 'evaluate')).toHaveLength(5);
  });

  it('ends when the budget is used, and says what was not reached', async () => {
    await start();
    await controller.explain();
    port.held.add('evaluate');
    port.free = 3;
    store.dispatch({ type: 'plan', plan: { budget: 7 } });
    vi.useFakeTimers();
    const running = controller.score();
    await vi.advanceTimersByTimeAsync(6_999);
    expect(store.state.work?.task).toBe('score');
    await vi.advanceTimersByTimeAsync(1);
    await running;
    vi.useRealTimers();
    expect(store.state).toMatchObject({ work: null, notices: [], scores: { stopped: 'budget' } });
    expect(cells()).toEqual(['map-1 done done', 'method-random done unreached']);
  });

  it('without a budget it never ends by itself', async () => {
    await start();
    await controller.explain();
    port.held.add('evaluate');
    store.dispatch({ type: 'plan', plan: { budget: 0 } });
    vi.useFakeTimers();
    const running = controller.score();
    await vi.advanceTimersByTimeAsync(10_000_000);
    expect(store.state.work?.task).toBe('score');
    vi.useRealTimers();
    controller.cancel();
    await running;
  });

  it('explains the methods added to the report, and a failing one costs no other', async () => {
    await start();
    await controller.explain();
    store.dispatch({ type: 'plan', plan: { methods: ['occlusion', 'gradient'] } });
    await controller.score();
    expect(cells()).toEqual(['map-1 done done', 'method-occlusion done done', 'method-random done done']);
    port.failing.set('attribute', Object.assign(new Error('no'), { code: 'x' }));
    store.dispatch({ type: 'set', settings: { seed: 9 } });
    await controller.score();
    expect(cells()).toEqual(['map-1 done done', 'method-occlusion failed failed', 'method-random failed failed']);
  });

  it('sends the method, the mask, the second map and the other samples to metrics that need them', async () => {
    await start('#v=1&model=other');
    const needs = { insertion: ['truth', 'set', 'explainer'], deletion: ['other'] } as Record<string, string[]>;
    const metrics = CATALOGUE.metrics.map((m) => ({ ...m, needs: needs[m.id] ?? [] }));
    store.dispatch({ type: 'catalogue', catalogue: { ...CATALOGUE, metrics } });
    await controller.explain();
    store.dispatch({ type: 'plan', plan: { methods: ['occlusion'] } });
    await controller.score();
    const asked = port.asked.filter((r) => r.kind === 'evaluate');
    const [first] = asked.filter((r) => r.metric.id === 'insertion');
    expect(first).toMatchObject({
      truth: true,
      other: null,
      method: { id: 'gradient' },
      set: [{ picture: 'set-0', class: 1 }],
    });
    const others = asked.filter((r) => r.metric.id === 'deletion').map((r) => [r.truth, r.other, r.set.length]);
    expect(others).toEqual([
      [false, [1, 2, 2], 0],
      [false, [1, 2, 2], 0],
      [false, [1, 2, 2], 0],
    ]);
    const loaded = port.asked.flatMap((r) => (r.kind === 'load-picture' ? [r.picture] : []));
    expect(loaded).toEqual(['picture', 'mask', 'set-0']);
  });
});
