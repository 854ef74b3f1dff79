import { readFileSync } from 'node:fs';

import { en, expect, Lucarne, OBJECTS, test } from './support/lucarne';

/** The values of a `.npy` file of 32-bit floats. */
function values(file: Buffer): Float32Array {
  const start = 10 + file.readUInt16LE(8);
  return new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length));
}

/** The raw map of a method, as it is saved. */
async function raw(lucarne: Lucarne, method: string): Promise<Float32Array> {
  await lucarne.explain(method);
  await lucarne.maps.last().getByRole('button', { name: en.why.save }).click();
  const [download] = await Promise.all([
    lucarne.page.waitForEvent('download'),
    lucarne.why.getByRole('button', { name: en.why.exports.raw, exact: true }).click(),
  ]);
  await lucarne.page.keyboard.press('Escape');
  return values(readFileSync(await download.path()));
}

const largest = (map: Float32Array) => map.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

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

test('where it is let in for a test, its maps agree with the processor', async ({ lucarne, page, browser, site }) => {
  test.setTimeout(300_000);
  await page.addInitScript('globalThis.lucarneTakesSoftwareGpu = true');
  await lucarne.open('site', OBJECTS);
  await expect(page.getByText(/^Runs on the GPU: /)).toBeVisible({ timeout: 60_000 });
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const other = new Lucarne(await context.newPage(), site);
  await other.open('site', OBJECTS);
  await expect(other.page.getByText(/^Runs on the processor/)).toBeVisible();
  for (const method of ['Gradient', 'Input × gradient']) {
    const [gpu, cpu] = [await raw(lucarne, method), await raw(other, method)];
    expect(gpu.length, method).toBe(cpu.length);
    const apart = cpu.reduce((most, v, i) => Math.max(most, Math.abs(v - (gpu[i] ?? Number.NaN))), 0);
    expect(apart, method).toBeGreaterThan(0);
    expect(apart / largest(cpu), method).toBeLessThan(1e-4);
  }
  expect(other.faults).toEqual([]);
  await context.close();
});
