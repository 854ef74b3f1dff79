import { readFileSync } from 'node:fs';

import { en, expect, Lucarne, OBJECTS, test } from './support/lucarne';

/** The raw map of a method, as it is saved. */
async function raw(lucarne: Lucarne, method: string): Promise<Buffer> {
  await lucarne.explain(method);
  const card = lucarne.maps.last();
  await card.getByRole('button', { name: en.why.save }).click();
  const [download] = await Promise.all([
    lucarne.page.waitForEvent('download'),
    card.getByRole('button', { name: en.why.exports.raw, exact: true }).click(),
  ]);
  await lucarne.page.keyboard.press('Escape');
  return readFileSync(await download.path());
}

test('three engines give the same bits as one', async ({ lucarne, page, browser, site }) => {
  const cores = (count: number) => `Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => ${count} });
    Object.defineProperty(navigator, 'deviceMemory', { get: () => 8 });`;
  await page.addInitScript(cores(2));
  await lucarne.open('site', OBJECTS);
  await expect(page.getByText(en.status.workers(1))).toBeVisible();
  const context = await browser.newContext({ serviceWorkers: 'block' });
  const other = new Lucarne(await context.newPage(), site);
  await other.page.addInitScript(cores(4));
  await other.open('site', OBJECTS);
  await expect(other.page.getByText(en.status.workers(3))).toBeVisible();
  for (const method of ['RISE', 'Occlusion', 'Integrated gradients']) {
    const [one, three] = [await raw(lucarne, method), await raw(other, method)];
    expect(three.equals(one), method).toBe(true);
    await expect(other.page.getByText(en.status.workers(3))).toBeVisible();
  }
  expect(other.faults).toEqual([]);
  await context.close();
});

test('without a GPU the page says why it runs on the processor', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  await expect(page.getByText(/^Runs on the processor/)).toBeVisible();
  await page.getByRole('combobox', { name: en.status.device }).selectOption('gpu');
  await expect(page.locator('status-line')).toContainText('This page finds no GPU');
  await lucarne.explain('Gradient');
});
