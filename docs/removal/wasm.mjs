/**
 * Measures what a filling costs in the page's engine, in headless Chromium, and writes wasm.csv beside this file.
 *
 *     cargo xtask wasm && node docs/removal/wasm.mjs [ROUNDS]
 *
 * One worker; a picture of 224 x 224; half of it removed, in cells of 8 x 8 drawn with a fixed seed. Every imputer fills once before
 * anything is timed; then all of them fill in turn, ROUNDS times (7), quick ones as often as makes 150 ms, and the median of each is kept.
 * The time is the processor's in the page's process, which other work on the machine does not lengthen; one worker alone takes as long.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../..');
const { chromium } = createRequire(join(ROOT, 'www/package.json'))('@playwright/test');

const SIDE = 224;
const CELL = 8;
const MODEL = 'efficientnet-lite0';
const PICTURE = `models/${MODEL}/samples/panda.jpg`;
const rounds = Number(process.argv[2] ?? 7);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`${process.argv[2]} is no number of rounds`);

/** Runs in the worker: an engine that answers one request at a time. */
const WORKER = `
  let engine;
  const waiting = new Map();
  const ask = (request, beside) => new Promise((resolve) => {
    waiting.set(request.job, resolve);
    engine.handle(request, beside);
  });
  onmessage = async ({ data: { request, beside, url } }) => {
    if (url) {
      const glue = await import(url);
      await glue.default({ module_or_path: new URL('lucarne.wasm', url) });
      engine = new glue.Engine((event) => {
        if (event.kind === 'done' || event.kind === 'failed') waiting.get(event.job)?.(event);
      });
      postMessage({ kind: 'ready' });
      return;
    }
    postMessage(await ask(request, beside));
  };
`;

const FILES = {
  '/': ['text/html', () => '<!doctype html><title>fillings</title>'],
  '/worker.js': ['text/javascript', () => WORKER],
  '/lucarne.js': ['text/javascript', () => readFileSync(join(ROOT, 'www/src/engine/wasm/lucarne.js'))],
  '/lucarne.wasm': ['application/wasm', () => readFileSync(join(ROOT, 'www/src/engine/wasm/lucarne.wasm'))],
  '/model': ['application/octet-stream', () => readFileSync(join(ROOT, `models/${MODEL}/model.onnx`))],
  '/inpainter': ['application/octet-stream', () => readFileSync(join(ROOT, 'models/inpainter/inpainter.onnx'))],
  '/sampler': ['application/octet-stream', () => readFileSync(join(ROOT, 'models/sampler/sampler.onnx'))],
  '/picture': ['image/jpeg', () => readFileSync(join(ROOT, PICTURE))],
};

const server = createServer((request, response) => {
  const found = FILES[request.url];
  if (!found) return response.writeHead(404).end();
  const [type, read] = found;
  return response.writeHead(200, { 'content-type': type }).end(read());
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}/`;

const entries = JSON.parse(readFileSync(join(ROOT, 'models/models.json'), 'utf8'));
const { card } = entries.find((entry) => entry.card.id === MODEL);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage();
  const metrics = await page.context().newCDPSession(page);
  await metrics.send('Performance.enable');
  /** Processor time of the page's process, ms. */
  const spent = async () =>
    1000 * (await metrics.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'ProcessTime').value;
  const timed = async (id, seed, count) => {
    const before = await spent();
    await page.evaluate(([id, seed, count]) => globalThis.fill(id, seed, count), [id, seed, count]);
    return ((await spent()) - before) / count;
  };
  await page.goto(url);
  const ids = await page.evaluate(open, { url, card, model: MODEL, side: SIDE, cell: CELL });
  const times = [];
  for (const id of ids) {
    await timed(id, 0, 1);
    const count = Math.min(64, Math.max(1, Math.ceil(150 / Math.max(0.5, await timed(id, 0, 1)))));
    times.push({ id, count, list: [] });
  }
  for (let round = 1; round <= rounds; round++)
    for (const { id, count, list } of times) list.push(await timed(id, round, count));
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  const processor = cpus()[0]
    .model.replaceAll(/\((R|TM)\)|CPU|@.*|,/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const about = `Chromium ${browser.version().split('.')[0]}, ${processor}, ${SIDE} × ${SIDE}, 50 %, n = ${rounds}`;
  const rows = times.map(({ id, list }) => `${id},${median(list).toFixed(1)}\n`);
  writeFileSync(join(HERE, 'wasm.csv'), `# ${about}\nimputer,ms\n${rows.join('')}`);
  console.log(`${about}\n${rows.join('')}`);
} finally {
  await browser.close();
  server.close();
}

/** In the page: opens the engine, leaves `fill` there, and gives the imputers' ids. */
async function open({ url, card, model, side, cell }) {
  const worker = new Worker(`${url}worker.js`, { type: 'module' });
  let job = 0;
  const send = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) =>
        data.kind === 'failed' ? reject(new Error(JSON.stringify(data.error))) : resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(message);
    });
  const ask = (request, ...beside) => send({ request: { ...request, job: ++job }, beside });
  const bytes = async (name) => new Uint8Array(await (await fetch(url + name)).arrayBuffer());

  await send({ url: `${url}lucarne.js` });
  await ask({ kind: 'load-model', card, labels: [] }, await bytes('model'));
  for (const id of ['inpainter', 'sampler']) await ask({ kind: 'load-network', id }, await bytes(id));
  const bitmap = await createImageBitmap(await (await fetch(`${url}picture`)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  await ask({ kind: 'load-picture', picture: 'p', width, height }, new Uint8Array(data.buffer));

  // Half of the cells, shuffled by a small generator of fixed seed (Numerical Recipes' constants).
  const across = side / cell;
  const cells = Array.from({ length: across * across }, (_, k) => k);
  let state = 1;
  for (let k = cells.length - 1; k > 0; k--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (k + 1));
    [cells[k], cells[other]] = [cells[other], cells[k]];
  }
  const gone = new Set(cells.slice(0, cells.length / 2));
  const mask = Uint8Array.from({ length: side * side }, (_, i) =>
    gone.has(Math.floor(i / side / cell) * across + Math.floor((i % side) / cell)) ? 1 : 0,
  );
  globalThis.fill = async (id, seed, count) => {
    for (let k = 0; k < count; k++)
      await ask(
        { kind: 'impute', model, picture: 'p', removal: { id, params: {} }, answer: false, seed: seed * 64 + k },
        mask.slice(),
      );
  };
  return (await ask({ kind: 'catalogue' })).reply.imputers.map(({ id }) => id);
}
