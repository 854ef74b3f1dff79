import { describe, expect, it } from 'vitest';
import type { EnginePort } from './engine-work.js';
import { EngineWork } from './engine-work.js';
import type { Reply } from './protocol.gen.js';
import { Store } from './state.js';
import { CATALOGUE, PROVENANCE } from './testing/fixtures.js';
import { shown, visualise, VISUALISATION } from './visualise.js';

describe('pictures of pixel values', () => {
  it('are opaque, and one channel is grey', () => {
    expect([...shown([1, 1, 2], Float32Array.of(0, 1)).rgba]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  });
  it('take each pixel from its three planes', () => {
    const { width, height, rgba } = shown([3, 2, 1], Float32Array.of(0, 0.2, 0.4, 0.6, 0.8, 1));
    expect([width, height]).toEqual([1, 2]);
    expect([...rgba]).toEqual([0, 102, 204, 255, 51, 153, 255, 255]);
  });
});

describe('climbing', () => {
  const reply: Reply = { kind: 'visualised', width: 1, height: 1, objective: [0, 2], provenance: PROVENANCE };

  function port(end: () => Promise<void>): EnginePort {
    return {
      workers: 1,
      call: async (request, options) => {
        if (request.kind === 'catalogue') return { reply: { kind: 'catalogue', ...CATALOGUE }, beside: [] };
        expect(request).toMatchObject({ kind: 'visualise', params: { steps: 3 }, seed: 4, class: 0 });
        options?.onPartial?.([1, 1, 1], Float32Array.of(1));
        await end();
        return { reply, beside: [Uint8Array.of(1, 2, 3, 255)] };
      },
    };
  }

  async function climb(end: (store: Store, work: EngineWork) => Promise<void>) {
    const store = new Store({ params: { [VISUALISATION]: { steps: 3 } }, seed: 4 });
    const work: EngineWork = new EngineWork(store, () => Promise.resolve(port(() => end(store, work))));
    await work.start();
    await visualise(store, work);
    return store;
  }

  it('shows what is reached on the way, then the answer', async () => {
    const store = await climb((during) => {
      expect(during.state.visualised).toMatchObject({ result: null, seen: { width: 1 } });
      return Promise.resolve();
    });
    expect(store.state.visualised).toMatchObject({ result: { objective: [0, 2] } });
    expect([...(store.state.visualised?.seen.rgba ?? [])]).toEqual([1, 2, 3, 255]);
    expect(store.state.work).toBeNull();
  });

  it('leaves nothing half-climbed where it fails, and says why in its place', async () => {
    const store = await climb(() => Promise.reject(new Error('no gradient')));
    expect(store.state.visualised).toBeNull();
    expect(store.state.notices.map((n) => n.place)).toEqual(['visualise']);
  });
});
