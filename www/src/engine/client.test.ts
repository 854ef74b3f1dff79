import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Client } from './client.js';
import type { Call, CallOptions, EngineState } from './client.js';
import { card, FakeHomes, MODULE } from './fake.js';
import { CANCEL_WITHIN } from './pool.js';
import { READY_WITHIN } from './slot.js';

const TARGET = { class: 0, kind: 'logit' } as const;
const none = { id: 'none', params: {} };

const load = (id: string): Call => ({ kind: 'load-model', card: card(id), labels: [] });
const keep = (picture: string): Call => ({ kind: 'load-picture', picture, width: 1, height: 1 });
const predict: Call = { kind: 'predict', model: 'm', picture: 'p', top: 0 };
/** Runs for ten milliseconds a step, and asks every sibling for one batch of the model `model`. */
const attribute = (steps: number, model = 'm'): Call => ({
  kind: 'attribute',
  model,
  picture: 'p',
  method: { id: model, params: {} },
  removal: none,
  target: TARGET,
  seed: steps,
});
/** Never ends, and hears no cancel. */
const deaf: Call = { kind: 'impute', model: 'm', picture: 'p', removal: none, answer: false, seed: 0 };

let homes: FakeHomes;
let states: EngineState[];

async function start(workers: number, more: Partial<Parameters<typeof Client.start>[1]> = {}): Promise<Client> {
  // An engine of an earlier test may still join: it tells its own test's list.
  const own = states;
  const client = await Client.start(
    { workers, onState: (state) => own.push(state) },
    { module: () => Promise.resolve(MODULE), spawn: homes.spawn, spawnOnPage: undefined, ...more },
  );
  await vi.waitFor(() => expect(client.workers).toBe(workers));
  return client;
}

/** What the coordinator holds. */
async function held(client: Client): Promise<string[]> {
  const { reply } = await client.call(predict);
  if (reply.kind !== 'predicted') throw new Error(reply.kind);
  return reply.classes.map((c) => c.label);
}

beforeEach(() => {
  homes = new FakeHomes();
  states = [];
});
afterEach(() => {
  vi.useRealTimers();
});

describe('calls', () => {
  it('answers with the reply and the arrays beside it, and leaves the caller its own arrays', async () => {
    const client = await start(1);
    const bytes = new Uint8Array([1, 2, 3]);
    const { reply, beside } = await client.call(load('m'), { beside: [bytes] });
    expect(reply.kind).toBe('picture-loaded');
    expect(beside).toEqual([new Uint8Array([1, 2, 3])]);
    expect(bytes.byteLength).toBe(3);
  });

  it('rejects with the code, place and cure that the engine gave', async () => {
    const client = await start(1);
    const failed = client.call({ kind: 'prepare', model: 'm', picture: 'p' });
    await expect(failed).rejects.toMatchObject({
      name: 'EngineError',
      code: 'x',
      message: 'why',
      place: 'node 7',
      hint: 'cure',
    });
  });

  it('runs one request at a time, in order', async () => {
    const client = await start(1);
    const ended: number[] = [];
    await Promise.all([3, 1, 2].map((steps, k) => client.call(attribute(steps)).then(() => ended.push(k))));
    expect(ended).toEqual([0, 1, 2]);
  });

  it('tells progress with the time left, and partial maps', async () => {
    let clock = 0;
    const client = await start(1, { now: () => (clock += 300) });
    const progress: unknown[] = [];
    const maps: number[] = [];
    const options: CallOptions = {
      onProgress: (p) => progress.push(p),
      onPartial: (_, map) => maps.push(map[0] ?? Number.NaN),
    };
    await client.call(attribute(3), options);
    expect(progress).toEqual([
      { done: 1, total: 3, secondsLeft: null },
      { done: 2, total: 3, secondsLeft: 0.3 },
      { done: 3, total: 3, secondsLeft: 0 },
    ]);
    expect(maps).toEqual([0, 1, 2]);
  });
});

describe('cancel', () => {
  it('rejects at once, though the engine is deaf', async () => {
    const client = await start(1);
    const stop = new AbortController();
    const call = client.call(deaf, { signal: stop.signal });
    await vi.waitFor(() => expect(homes.engines[0]?.jobs).toHaveLength(1));
    const before = performance.now();
    stop.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(performance.now() - before).toBeLessThan(100);
  });

  it('keeps the engine where the job ends in time', async () => {
    const client = await start(1);
    const stop = new AbortController();
    const call = client.call(attribute(1000), { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await client.call(predict);
    await new Promise((resolve) => setTimeout(resolve, CANCEL_WITHIN + 50));
    expect(homes.terminated).toBe(0);
  });

  it('replaces an engine that does not end the job, and brings back models and pictures', async () => {
    const client = await start(1);
    await client.call(load('m'));
    await client.call(keep('p'));
    const stop = new AbortController();
    const call = client.call(deaf, { signal: stop.signal });
    const next = held(client);
    setTimeout(() => stop.abort(), 10);
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(await next).toEqual(['m', 'p']);
    expect(homes.terminated).toBe(1);
    expect(homes.engines).toHaveLength(2);
    expect(states.map((s) => s.phase)).toEqual(['ready', 'restarting', 'ready']);
  });

  it('drops a call that still waits, and never sends one that was aborted before', async () => {
    const client = await start(1);
    const stop = new AbortController();
    const first = client.call(attribute(5));
    const second = client.call(predict, { signal: stop.signal });
    stop.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    await expect(client.call(predict, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
    await first;
    expect(homes.engines[0]?.jobs.map((j) => j.kind)).toEqual(['attribute']);
  });

  it('tells nothing more of an aborted job', async () => {
    const client = await start(1);
    const stop = new AbortController();
    let told = 0;
    const onProgress = () => {
      told++;
      stop.abort();
    };
    await expect(client.call(attribute(50), { signal: stop.signal, onProgress })).rejects.toThrow();
    await client.call(predict);
    expect(told).toBe(1);
  });
});

describe('an engine that traps', () => {
  it('fails its job with the bug, and the next call finds everything again', async () => {
    const client = await start(1);
    await client.call(load('a'));
    await client.call(load('b'));
    await client.call(keep('p'));
    const call = client.call(deaf);
    await vi.waitFor(() => expect(homes.engines[0]?.jobs).toHaveLength(4));
    homes.trap(0);
    await expect(call).rejects.toMatchObject({ code: 'engine-stopped' });
    await expect(call).rejects.toThrow('index out of bounds');
    expect(await held(client)).toEqual(['a', 'b', 'p']);
  });

  it('is given up after several attempts, and says so', async () => {
    const client = await start(1);
    homes.mode = 'broken';
    homes.trap(0);
    await vi.waitFor(() => expect(client.state.phase).toBe('stopped'));
    await expect(client.call(predict)).rejects.toMatchObject({ code: 'engine-blocked' });
  });

  it('keeps the newest version of a model and the last eight pictures', async () => {
    const client = await start(1);
    await client.call(load('m'), { beside: [new Uint8Array([1])] });
    await client.call(load('m'), { beside: [new Uint8Array([2])] });
    for (let k = 0; k < 10; k++) await client.call(keep(`p${k}`));
    homes.trap(0);
    expect(await held(client)).toEqual(['m', ...Array.from({ length: 8 }, (_, k) => `p${k + 2}`)]);
    expect(homes.engines[1]?.jobs.filter((j) => j.kind === 'load-model')).toHaveLength(1);
  });
});

describe('siblings', () => {
  /** Sum of doubled answers and number of lanes, as the fake's attribute gives them. */
  const shared = async (client: Client, model = 'm') => {
    const { beside } = await client.call(attribute(0, model));
    return [...(beside[0] as Float32Array)];
  };

  it('hold every model before a job is shared, and answer the coordinator directly', async () => {
    const client = await start(3);
    await client.call(load('m'));
    expect(await shared(client)).toEqual([8, 2]);
    expect(homes.engines.map((e) => e.models.has('m'))).toEqual([true, true, true]);
  });

  it('get the models when they come late', async () => {
    const client = await Client.start(
      { workers: 3 },
      { module: () => Promise.resolve(MODULE), spawn: homes.spawn, spawnOnPage: undefined },
    );
    await client.call(load('m'));
    await vi.waitFor(() => expect(client.workers).toBe(3));
    expect(await shared(client)).toEqual([8, 2]);
    for (const engine of homes.engines) expect(engine.jobs.filter((j) => j.kind === 'load-model')).toHaveLength(1);
  });

  it('are replaced when they trap, and the coordinator is told', async () => {
    const client = await start(3);
    await client.call(load('m'));
    homes.trap(2);
    await vi.waitFor(() => expect(homes.engines).toHaveLength(4));
    await vi.waitFor(() => expect(client.workers).toBe(3));
    expect(await shared(client)).toEqual([8, 2]);
    expect(homes.engines[0]?.jobs.filter((j) => j.kind === 'load-model')).toHaveLength(1);
  });

  it('that trap in a batch fail that batch, not the job', async () => {
    const client = await start(2);
    await client.call(load('trap-lane'));
    expect(await shared(client, 'trap-lane')).toEqual([0, 1]);
    await vi.waitFor(() => expect(homes.engines).toHaveLength(3));
  });

  it('stay when the coordinator is replaced', async () => {
    const client = await start(3);
    await client.call(load('m'));
    homes.trap(0);
    expect(await shared(client)).toEqual([8, 2]);
    expect(homes.engines).toHaveLength(4);
  });
});

describe('starting', () => {
  it('falls back to the page where workers are forbidden', async () => {
    homes.mode = 'forbidden';
    const page = new FakeHomes();
    const client = await start(1, { spawnOnPage: page.spawn });
    expect(client.state).toMatchObject({ onPage: true, workers: 1 });
    await client.call(load('m'));
    expect(await held(client)).toEqual(['m']);
  });

  it('says what to allow where WebAssembly is forbidden', async () => {
    homes.mode = 'broken';
    const failed = start(1);
    await expect(failed).rejects.toMatchObject({ code: 'engine-blocked' });
    await expect(failed).rejects.toThrow('no wasm here');
  });

  it('gives up an engine that says nothing', async () => {
    vi.useFakeTimers();
    homes.mode = 'silent';
    const failed = expect(start(1)).rejects.toMatchObject({ code: 'engine-silent' });
    await vi.advanceTimersByTimeAsync(READY_WITHIN + 10);
    await failed;
  });

  it('rejects calls once it is closed', async () => {
    const client = await start(2);
    const call = client.call(deaf);
    await vi.waitFor(() => expect(homes.engines[0]?.jobs).toHaveLength(1));
    client.close();
    await expect(call).rejects.toMatchObject({ code: 'engine-stopped' });
    await expect(client.call(predict)).rejects.toMatchObject({ code: 'engine-stopped' });
    expect(homes.terminated).toBe(2);
  });
});
