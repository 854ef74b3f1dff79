/** The page's benchmark: every bundled network, this engine beside onnxruntime-web. Nothing of it is in the page. */
import * as ort from 'onnxruntime-web/wasm';

import { asset, bundledModels, compiledEngine } from '../engine/assets.js';
import type { BundledModel } from '../engine/assets.js';
import { Client } from '../engine/client.js';
import { EngineError, reason } from '../engine/errors.js';
import { FORWARD, type Engine as Engines, type LaneBatch } from '../engine/messages.js';
import type { Event, Request } from '../protocol.gen.js';
import init, { Engine } from '../engine/wasm/lucarne.js';
import { inTurns } from './rounds.js';
import type { Plan, Timing } from './rounds.js';

/** What a run found, for people and for scripts. */
export interface Result {
  model: string;
  lucarne: Timing;
  onnxruntime: Timing;
  /** Largest difference of the two answers, over the largest logit. */
  difference: number;
  /** Passes a second of occlusion over all engines, and their number. */
  pool: { rate: number; engines: number };
}

declare global {
  var lucarneBench: Result[] | undefined;
}

const now = () => performance.now();
const breathe = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

/** An engine on this thread, for raw passes. */
class Local {
  readonly #engine: Engines;
  readonly #waiting = new Map<number, { resolve: () => void; reject: (why: EngineError) => void }>();
  #job = 0;

  private constructor() {
    this.#engine = new Engine((event: Event) => {
      if (event.kind === 'done') this.#waiting.get(event.job)?.resolve();
      if (event.kind === 'failed') this.#waiting.get(event.job)?.reject(new EngineError(event.error));
    });
  }

  static async open(): Promise<Local> {
    await init({ module_or_path: await compiledEngine() });
    return new Local();
  }

  load({ card, labels }: BundledModel, bytes: Uint8Array): Promise<void> {
    const request: Request = { kind: 'load-model', job: ++this.#job, card, labels };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.job, { resolve, reject });
      this.#engine.handle(request, [bytes]);
    });
  }

  forward(model: string, shape: number[], values: Float32Array): Float32Array {
    const batch: LaneBatch = { model, program: FORWARD, shapes: [shape], arrays: [values] };
    const { arrays, error } = this.#engine.run_lane(batch);
    if (error) throw new EngineError(error);
    return arrays[0] ?? new Float32Array();
  }
}

/** The same smooth values in every run. */
function input(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011));
}

/** Passes a second of occlusion, from its own count of passes. */
async function pool(client: Client, { card, labels, path }: BundledModel): Promise<number> {
  await client.call({ kind: 'load-model', card, labels }, { beside: [await asset(`${path}/${card.file}`)] });
  const side = card.input.shape[2] ?? 64;
  const pixels = Uint8ClampedArray.from({ length: side * side * 4 }, (_, i) => (i * 31) % 256);
  await client.call({ kind: 'load-picture', picture: 'p', width: side, height: side }, { beside: [pixels] });
  const window = Math.round(side / 8);
  const from = now();
  const { reply } = await client.call({
    kind: 'attribute',
    model: card.id,
    picture: 'p',
    method: { id: 'occlusion', params: { window, stride: window } },
    removal: { id: 'constant', params: {} },
    target: { class: 0, kind: 'logit' },
    seed: 0,
  });
  if (reply.kind !== 'attributed') throw new Error(`unexpected ${reply.kind}`);
  return reply.provenance.forward / ((now() - from) / 1000);
}

async function measure(local: Local, client: Client, model: BundledModel, plan: Plan): Promise<Result> {
  const { card, path } = model;
  const bytes = await asset(`${path}/${card.file}`);
  await local.load(model, bytes);
  const session = await ort.InferenceSession.create(bytes.slice(), { executionProviders: ['wasm'] });
  const shape = [1, ...card.input.shape.slice(1)];
  const values = input(shape.reduce((a, b) => a * b, 1));
  const name = session.inputNames[0] ?? '';
  const output = card.output.name || (session.outputNames[0] ?? '');
  const peer = async () => (await session.run({ [name]: new ort.Tensor('float32', values, shape) }))[output]?.data;
  const own = () => local.forward(card.id, shape, values);
  const [ours, theirs] = [own(), (await peer()) as Float32Array];
  const largest = theirs.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const difference = ours.reduce((most, v, k) => Math.max(most, Math.abs(v - (theirs[k] ?? Number.NaN))), 0) / largest;
  const timings = await inTurns({ lucarne: own, onnxruntime: peer }, plan, now, breathe);
  await session.release();
  const rate = await pool(client, model);
  return { model: card.name, ...timings, difference, pool: { rate, engines: client.workers } };
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text: string,
  scope?: string,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.textContent = text;
  if (scope) made.setAttribute('scope', scope);
  return made;
}

function table(results: readonly Result[]): HTMLTableElement {
  const rate = ({ median, fastest, slowest }: Timing) =>
    `${(1000 / median).toFixed(1)} (${(1000 / slowest).toFixed(1)} – ${(1000 / fastest).toFixed(1)})`;
  const made = document.createElement('table');
  made.append(element('caption', 'Passes per second: median (slowest – fastest round). More is better.'));
  const head = made.createTHead().insertRow();
  const titles = [
    'Network',
    'Lucarne',
    `onnxruntime-web ${ort.env.versions.web ?? ''}`,
    'Ratio',
    'Difference',
    'Lucarne, pool',
  ];
  for (const title of titles) head.append(element('th', title, 'col'));
  const body = made.createTBody();
  for (const { model, lucarne, onnxruntime, difference, pool } of results) {
    const row = body.insertRow();
    row.append(
      element('th', model, 'row'),
      element('td', rate(lucarne)),
      element('td', rate(onnxruntime)),
      element('td', (onnxruntime.median / lucarne.median).toFixed(2)),
      element('td', difference.toExponential(1)),
      element('td', `${pool.rate.toFixed(1)} (${pool.engines} engines)`),
    );
  }
  return made;
}

async function run(plan: Plan, say: (text: string) => void): Promise<Result[]> {
  ort.env.wasm.numThreads = 1;
  const local = await Local.open();
  const client = await Client.start();
  const results: Result[] = [];
  for (const model of await bundledModels()) {
    say(`Measuring ${model.card.name}…`);
    results.push(await measure(local, client, model, plan));
    document.querySelector('#results')?.replaceChildren(table(results));
  }
  client.close();
  return results;
}

const button = document.querySelector<HTMLButtonElement>('#run');
const status = document.querySelector('#status');
const say = (text: string) => {
  if (status) status.textContent = text;
};
button?.addEventListener('click', () => {
  button.disabled = true;
  // `#quick` is for tests: it shows that everything runs, not how fast.
  const plan = location.hash === '#quick' ? { rounds: 1, passes: 1 } : { rounds: 12, passes: 8 };
  run(plan, say)
    .then((results) => {
      globalThis.lucarneBench = results;
      say(`Done: ${navigator.userAgent}`);
    })
    .catch((why: unknown) => say(`Failed: ${reason(why)}`))
    .finally(() => (button.disabled = false));
});
if (button) button.disabled = false;
say('Ready. Close other tabs; the machine should be idle.');
