import { readFileSync } from 'node:fs';

import type { Browser, Page } from '@playwright/test';

import { en, expect, Lucarne, OBJECTS, test } from './support/lucarne';
import type { Served } from './support/server';

/** The values of a `.npy` file of 32-bit floats. */
function values(file: Buffer): Float32Array {
  const start = 10 + file.readUInt16LE(8);
  return new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length));
}

/** Explains with a method; a GPU that is a program takes its time. */
async function explain(lucarne: Lucarne, method: string): Promise<void> {
  const before = await lucarne.maps.count();
  await lucarne.choose(method);
  await lucarne.why.getByRole('button', { name: en.why.explain, exact: true }).click();
  await expect(lucarne.maps).toHaveCount(before + 1);
  const save = lucarne.maps.last().getByRole('button', { name: en.why.save });
  await expect(save).toBeVisible({ timeout: 120_000 });
}

/** The raw map of a method, as it is saved. */
async function raw(lucarne: Lucarne, method: string): Promise<Float32Array> {
  await explain(lucarne, method);
  await lucarne.maps.last().getByRole('button', { name: en.why.save }).click();
  const [download] = await Promise.all([
    lucarne.page.waitForEvent('download'),
    lucarne.why.getByRole('button', { name: en.why.exports.raw, exact: true }).click(),
  ]);
  await lucarne.page.keyboard.press('Escape');
  return values(readFileSync(await download.path()));
}

const largest = (map: Float32Array) => map.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** Opens the page on the software adapter, which stands for a GPU. */
async function onGpu(lucarne: Lucarne): Promise<void> {
  await lucarne.page.addInitScript('globalThis.lucarneTakesSoftwareGpu = true');
  await lucarne.open('site', OBJECTS);
  await expect(lucarne.page.getByText(/^Runs on the GPU: /)).toBeVisible({
    timeout: 60_000,
  });
}

/** The same page without a GPU. */
async function onProcessor(browser: Browser, site: Served): Promise<Lucarne> {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const lucarne = new Lucarne(await context.newPage(), site);
  await lucarne.open('site', OBJECTS);
  await expect(lucarne.page.getByText(/^Runs on the processor/)).toBeVisible();
  return lucarne;
}

async function close(lucarne: Lucarne): Promise<void> {
  expect(lucarne.faults).toEqual([]);
  await lucarne.page.context().close();
}

/** Runs a script in every engine, as a driver's fault would come about: from below the page and what it ships. */
async function inEngines(page: Page, script: string): Promise<void> {
  expect(page.workers().length).toBeGreaterThan(0);
  for (const worker of page.workers()) await worker.evaluate(script);
}

/** The device, and what it has to say, of the last map. */
async function device(lucarne: Lucarne): Promise<string> {
  const list = lucarne.maps.last().locator('provenance-list dl');
  return ((await list.textContent()) ?? '').replaceAll(/\s+/g, ' ');
}

/** Largest difference of two maps, of the largest value of the second. */
function apart(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  return expected.reduce((most, v, i) => Math.max(most, Math.abs(v - (found[i] ?? Number.NaN))), 0) / largest(expected);
}

interface Report {
  readonly rows: readonly {
    readonly key: string;
    readonly cells: Readonly<
      Record<
        string,
        {
          readonly state: string;
          readonly result?: {
            readonly score: number | null;
            readonly provenance: { readonly device: string };
          };
        }
      >
    >;
  }[];
}

/** The report of the maps that there are: deletion and insertion among others, and how far they move with the picture, which
 * explains again. */
async function report(lucarne: Lucarne): Promise<Report> {
  const { trust } = lucarne;
  const category = trust.locator('details.category').filter({ hasText: 'Max sensitivity' });
  await category.locator('> summary').click();
  await category.getByRole('checkbox', { name: /Max sensitivity/ }).check();
  await trust.getByRole('button', { name: en.trust.score, exact: true }).click();
  await expect(trust.getByText(en.trust.reading)).toBeVisible({
    timeout: 240_000,
  });
  await trust.getByRole('button', { name: en.report.export }).click();
  const [download] = await Promise.all([
    lucarne.page.waitForEvent('download'),
    trust.getByRole('button', { name: en.report.exports.json, exact: true }).click(),
  ]);
  return JSON.parse(readFileSync(await download.path(), 'utf8')) as Report;
}

// Chromium's own software adapter stands for a GPU.
test.use({
  launchOptions: {
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--enable-unsafe-webgpu', '--no-first-run', '--disable-background-networking'],
  },
});

test('it is told and not taken', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  await expect(page.getByText(/^Runs on the processor/)).toBeVisible();
  await page.getByRole('combobox', { name: en.status.device }).selectOption('gpu');
  await expect(page.locator('status-line')).toContainText('The GPU here is only imitated');
  await expect(page.getByText(/^Runs on the processor/)).toBeVisible();
});

test('where it is let in for a test, maps and scores agree with the processor', async ({ lucarne, browser, site }) => {
  test.setTimeout(600_000);
  await onGpu(lucarne);
  const other = await onProcessor(browser, site);
  const compare = async (method: string) => {
    const [gpu, cpu] = [await raw(lucarne, method), await raw(other, method)];
    const difference = apart(gpu, cpu);
    expect(difference, method).toBeGreaterThan(0);
    expect(difference, method).toBeLessThan(1e-4);
  };
  await compare('Gradient');
  const [gpu, cpu] = [await report(lucarne), await report(other)];
  let compared = 0;
  for (const row of cpu.rows) {
    const mine = gpu.rows.find(({ key }) => key === row.key);
    for (const [column, { result: expected }] of Object.entries(row.cells)) {
      const found = mine?.cells[column]?.result;
      expect(found?.score === null, `${row.key}, ${column}`).toBe(expected?.score === null);
      if (typeof expected?.score !== 'number' || typeof found?.score !== 'number') continue;
      expect(found.provenance.device, column).toMatch(/^gpu /);
      expect(expected.provenance.device, column).toMatch(/^cpu /);
      // Pixels of nearly the same relevance may change places in a ranking.
      const bound = 1e-3 * Math.max(0.1, Math.abs(expected.score));
      expect(Math.abs(found.score - expected.score), `${row.key}, ${column}`).toBeLessThan(bound);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(6);
  await compare('Input × gradient');
  await compare('Occlusion');
  await close(other);
});

test('a device that dies in a job loses nothing', async ({ lucarne, page, browser, site }) => {
  test.setTimeout(300_000);
  await onGpu(lucarne);
  const other = await onProcessor(browser, site);
  const expected = await raw(other, 'Occlusion');
  await close(other);
  await inEngines(
    page,
    `(() => {
      let left = 4;
      const encode = GPUDevice.prototype.createCommandEncoder;
      GPUDevice.prototype.createCommandEncoder = function (...given) {
        left -= 1;
        if (left === 0) this.destroy();
        return encode.apply(this, given);
      };
    })()`,
  );
  const found = await raw(lucarne, 'Occlusion');
  expect(apart(found, expected)).toBeLessThan(1e-4);
  const told = await device(lucarne);
  expect(told).toContain('The GPU went away, and the processor went on');
  // The next job tells it too, and needs no GPU.
  await explain(lucarne, 'Gradient');
  expect(await device(lucarne)).toMatch(/cpu x\d.*The GPU went away/);
});

test('a device without memory leaves the job to the processor', async ({ lucarne, page }) => {
  test.setTimeout(300_000);
  await onGpu(lucarne);
  await inEngines(
    page,
    `(() => {
      const create = GPUDevice.prototype.createBuffer;
      const pop = GPUDevice.prototype.popErrorScope;
      let short = false;
      GPUDevice.prototype.createBuffer = function (...given) {
        short = true;
        return create.apply(this, given);
      };
      GPUDevice.prototype.popErrorScope = async function () {
        const found = await pop.call(this);
        return short ? new GPUOutOfMemoryError('none left') : found;
      };
    })()`,
  );
  await explain(lucarne, 'Gradient');
  expect(await device(lucarne)).toMatch(/cpu x\d.*the GPU has too little memory/);
});

test('16 bits are used where they are asked for, and told', async ({ lucarne, page }) => {
  test.setTimeout(300_000);
  await onGpu(lucarne);
  await explain(lucarne, 'Input × gradient');
  expect(await device(lucarne)).not.toContain('16 bits');
  await page.getByRole('combobox', { name: en.status.device }).selectOption('gpu-f16');
  await expect(page.getByText(/^Runs on the GPU: /)).toBeVisible({
    timeout: 60_000,
  });
  await explain(lucarne, 'Gradient');
  expect(await device(lucarne)).toMatch(
    /16 bits on the GPU: (on the first picture its results are off by [\d.]+ %|not used)/,
  );
});
