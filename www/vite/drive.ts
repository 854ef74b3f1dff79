/**
 * Drives the built benchmark, `dist/bench`, in headless Chromium: reads one measurement a line from standard input, as
 * JSON, and answers with a line each: what was found, or `{ "failed": why }`. `CHROMIUM` names the browser.
 */
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium } from '@playwright/test';

const FOLDER = join(import.meta.dirname, '../../dist/bench');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

const server = createServer((request, response) => {
  const path = normalize(decodeURIComponent((request.url ?? '/').split(/[?#]/)[0] ?? '/'));
  const file = join(FOLDER, path);
  try {
    if (!file.startsWith(FOLDER) || !statSync(file).isFile()) throw new Error('no such file');
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'],
});
const say = (answer: unknown) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ ready: `Chromium ${browser.version()}` });
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  // A new page each time: what one measurement leaves behind can't slow the next.
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  try {
    await page.goto(`http://127.0.0.1:${port}/bench.html`);
    await page.waitForFunction(() => 'lucarneBench' in globalThis);
    const bench = (spec: unknown) =>
      (globalThis as unknown as { lucarneBench: (spec: unknown) => Promise<unknown> }).lucarneBench(spec);
    say(await page.evaluate(bench, JSON.parse(line) as unknown));
  } catch (why) {
    const message = why instanceof Error ? why.message : String(why);
    say({ failed: [message, ...faults].join('\n') });
  } finally {
    await page.close();
  }
}
await browser.close();
server.close();
