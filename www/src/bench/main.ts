/** The page's benchmark: this engine beside its peers. Nothing of it is in the site. `cargo xtask bench` drives it. */
import { reason } from '../engine/errors.js';
import type { JobId } from './jobs.js';
import { kinds, type Layer } from './layers.js';
import { networks, type NetworkEntry } from './networks.js';
import { median, quantile, ratios, type Plan } from './rounds.js';
import type { ForwardCell, Found, measure, Spec } from './stage.js';

declare global {
  /** In a frame: runs one measurement there. */
  var lucarneStage: typeof measure | undefined;
  /** On the page: runs one measurement in a new frame. */
  var lucarneBench: ((spec: Spec) => Promise<Found>) | undefined;
}

const BATCHES = [1, 16];
const JOBS: readonly JobId[] = ['deletion', 'integrated-gradients', 'occlusion', 'rise'];

const cell = (tag: 'th' | 'td' | 'caption', text: string, scope?: string): HTMLElement => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (scope) made.setAttribute('scope', scope);
  return made;
};

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** A table with its heading row, appended to the page with its first row; the others are added as they come. */
function table(caption: string, titles: readonly string[]): (row: readonly string[]) => void {
  const made = document.createElement('table');
  made.append(cell('caption', caption));
  made
    .createTHead()
    .insertRow()
    .append(...titles.map((title) => cell('th', title, 'col')));
  const body = made.createTBody();
  return ([first = '', ...rest]) => {
    if (!made.isConnected) document.querySelector('#results')?.append(made);
    body.insertRow().append(cell('th', first, 'row'), ...rest.map((text) => cell('td', text)));
  };
}

/** Opens a new frame, runs `spec` there, and takes the frame away. */
async function inFrame(spec: Spec): Promise<Found> {
  const frame = document.querySelector<HTMLIFrameElement>('#stage');
  if (!frame) throw new Error('the page has no frame to measure in');
  const loaded = new Promise<void>((resolve) => frame.addEventListener('load', () => resolve(), { once: true }));
  const url = new URL(location.href);
  url.search = `?stage=${Math.round(performance.now())}`;
  frame.src = url.href;
  await loaded;
  const inside = frame.contentWindow as (Window & Pick<typeof globalThis, 'lucarneStage'>) | null;
  for (let waited = 0; !inside?.lucarneStage; waited++) {
    if (waited > 600) throw new Error('the frame did not load');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  try {
    return await inside.lucarneStage(spec);
  } finally {
    frame.removeAttribute('src');
  }
}

function forwardRow(network: NetworkEntry, batch: number, peak: number, it: ForwardCell, own: ForwardCell): string[] {
  if (it.why !== undefined) return [network.name, String(batch), it.title, it.why, '', '', '', ''];
  const ms = median(it.times);
  const speed = (network.operations * batch) / (ms * 1e6);
  const compared = ratios(own.times, it.times);
  return [
    network.name,
    String(batch),
    it.title,
    `${ms.toFixed(1)} (${quantile(it.times, 0.25).toFixed(1)} – ${quantile(it.times, 0.75).toFixed(1)})`,
    median(compared).toFixed(2),
    `${speed.toFixed(1)} (${((100 * speed) / peak).toFixed(0)} %)`,
    mebibytes(it.memory),
    it.difference.toExponential(1),
  ];
}

/** A table for each network: its convolutions, and those of each kind together. */
async function layerTables(all: readonly NetworkEntry[], say: (text: string) => void): Promise<void> {
  for (let index = 0; ; index++) {
    say('Measuring convolutions, layer by layer…');
    const found = await inFrame({ kind: 'layers', index });
    if (found.kind !== 'layers') throw new Error(`unexpected ${found.kind}`);
    if (!found.of) return;
    const { network, peak, copied, layers } = found.of;
    const entry = all.find(({ id }) => id === network);
    if (!entry) continue;
    const row = table(
      `${entry.name}: each convolution’s best time, and what it can’t be shorter than: its multiply-adds at ` +
        `${peak.toFixed(0)} GFLOP/s, its bytes at ${copied.toFixed(0)} GB/s.`,
      ['Layer', 'Times', 'ms', 'Multiply-adds, ms', 'Memory, ms', 'Of the longer limit'],
    );
    const cells = ({ times, ms, products, memory }: Omit<Layer, 'layer' | 'kind'>): string[] => [
      String(times),
      ...[ms, products, memory].map((value) => value.toFixed(3)),
      `${((100 * Math.max(products, memory)) / ms).toFixed(0)} %`,
    ];
    for (const layer of layers) row([layer.layer, ...cells(layer)]);
    for (const kind of kinds(layers)) row([`all ${kind.kind}`, ...cells(kind)]);
  }
}

/** What the visitor wants measured. */
interface Wish {
  networks: readonly NetworkEntry[];
  forward: boolean;
  layers: boolean;
  jobs: readonly JobId[];
  plan: Plan;
}

async function run(
  { networks: all, forward: passes, layers, jobs, plan }: Wish,
  say: (text: string) => void,
): Promise<void> {
  document.querySelector('#results')?.replaceChildren();
  say('Measuring what the processor can give…');
  const roof = await inFrame({ kind: 'roofline', rounds: plan.rounds });
  const rates = roof.kind === 'roofline' ? [median(roof.simd), roof.relaxed.length > 0 ? median(roof.relaxed) : 0] : [];
  const peak = Math.max(...rates);
  const forward = table(
    `Forward passes: milliseconds a call, median (middle half of the rounds). One thread gives ${peak.toFixed(0)} GFLOP/s at most.`,
    ['Network', 'Pictures', 'Engine', 'Time', 'Times Lucarne’s', 'GFLOP/s', 'Memory', 'Difference'],
  );
  for (const network of passes ? all : []) {
    for (const batch of BATCHES) {
      say(`Measuring ${network.name}, ${batch} at a time…`);
      const found = await inFrame({ kind: 'forward', network: network.id, batch, plan });
      if (found.kind !== 'forward') throw new Error(`unexpected ${found.kind}`);
      const [own] = found.cells;
      if (own) for (const it of found.cells) forward(forwardRow(network, batch, peak, it, own));
    }
  }
  if (layers) await layerTables(all, say);
  const whole = table('Whole jobs, one engine.', ['Network', 'Job', 'Engine', 'Seconds', 'Passes', 'Memory']);
  const [first] = all;
  for (const job of first ? jobs : []) {
    for (const engine of ['lucarne', 'lucarne-webgpu', 'litert'] as const) {
      say(`Measuring ${job}…`);
      const network = first as NetworkEntry;
      const found = await inFrame({ kind: 'job', network: network.id, job, engine });
      const start = [
        network.name,
        job,
        { lucarne: 'Lucarne', 'lucarne-webgpu': 'Lucarne, WebGPU', litert: 'LiteRT.js' }[engine],
      ];
      if (found.kind === 'job') {
        whole([...start, found.seconds.toFixed(2), String(found.passes), mebibytes(found.memory)]);
      } else if (found.kind === 'unavailable') whole([...start, found.why, '', '']);
    }
  }
}

/** `#quick` shows that everything runs, not how fast. */
function wish(form: HTMLFormElement, all: readonly NetworkEntry[]): Wish {
  const data = new FormData(form);
  const quick = location.hash === '#quick';
  const what = data.getAll('what');
  const jobs = quick ? JOBS.slice(0, 1) : JOBS;
  return {
    networks: all.filter(({ id }) => data.getAll('network').includes(id)),
    forward: what.includes('forward'),
    layers: what.includes('layers'),
    jobs: what.includes('jobs') ? jobs : [],
    plan: quick ? { rounds: 1, passes: 1 } : { rounds: Number(data.get('rounds')), passes: 2 },
  };
}

async function page(): Promise<void> {
  globalThis.lucarneBench = inFrame;
  const form = document.querySelector<HTMLFormElement>('#choice');
  const button = document.querySelector<HTMLButtonElement>('#run');
  const status = document.querySelector('#status');
  if (!form || !button || !status) return;
  const say = (text: string) => void (status.textContent = text);
  const all = await networks().catch((why: unknown) => {
    say(`The networks can't be read: ${reason(why)}`);
    return null;
  });
  if (!all) return;
  for (const { id, name } of all) {
    const box = Object.assign(document.createElement('input'), {
      type: 'checkbox',
      name: 'network',
      value: id,
      checked: true,
    });
    const label = document.createElement('label');
    label.append(box, ` ${name}`);
    document.querySelector('#networks')?.append(label);
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const wanted = wish(form, all);
    if (wanted.networks.length === 0 || !(wanted.forward || wanted.layers || wanted.jobs.length > 0)) {
      say('Nothing is chosen: tick a network and what to measure.');
      return;
    }
    button.disabled = true;
    run(wanted, say)
      .then(() => say(`Done: ${navigator.userAgent}`))
      .catch((why: unknown) => say(`Failed: ${reason(why)}`))
      .finally(() => (button.disabled = false));
  });
  button.disabled = false;
  say('Ready. Close other tabs; the machine should be idle.');
}

if (window.parent === window) await page();
else globalThis.lucarneStage = (await import('./stage.js')).measure;
