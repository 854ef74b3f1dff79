/** The way through the page: picture, answer, why, trust. In both builds, without a network after loading. */
import { readFileSync } from 'node:fs';

import { readNpy } from './support/arrays';
import { BUILDS, en, expect, Lucarne, OBJECTS, test } from './support/lucarne';

for (const build of BUILDS) {
  test(`${build}: a real network, a real photograph, a result in two clicks`, async ({ lucarne, page }) => {
    await lucarne.open(build);
    await expect(lucarne.sentence).toContainText('cat');
    await lucarne.picture.getByRole('button', { name: 'giant panda' }).click();
    await expect(lucarne.sentence).toContainText('giant panda');
    await lucarne.explain();
    await expect(lucarne.maps.getByRole('img')).toHaveAccessibleName(/giant panda/);
    await page.screenshot({ path: test.info().outputPath('photograph.png'), fullPage: true });
  });

  test(`${build}: from a picture to scores, curves and their table`, async ({ lucarne, page }) => {
    await lucarne.open(build, OBJECTS);
    await expect(lucarne.sentence).toBeVisible();
    await lucarne.explain();
    await lucarne.explain('Gradient');
    await lucarne.score();
    const table = lucarne.trust.getByRole('table').first();
    await expect(table.getByRole('row', { name: /^Grad-CAM/ })).toBeVisible();
    // Every number is there, and the controls stand beside the explanations.
    await expect(table.getByText(en.trust.control, { exact: true }).first()).toBeVisible();
    await expect(table.getByLabel(en.trust.pending)).toHaveCount(0);
    await expect(lucarne.trust.getByRole('heading', { name: en.trust.curves })).toBeVisible();
    const curves = lucarne.trust.locator('curves-panel');
    await expect(curves.getByRole('table')).toHaveCount(0);
    await curves.getByRole('button', { name: en.trust.asTable }).click();
    await expect(curves.getByRole('table')).toHaveCount(1);
    await page.screenshot({ path: test.info().outputPath('scores.png'), fullPage: true });
  });
}

test('the score table sorts by each metric, in the good direction first', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.explain();
  await lucarne.score();
  const table = lucarne.trust.getByRole('table').first();
  for (const [metric, direction] of [
    ['Insertion', 'descending'],
    ['Deletion', 'ascending'],
  ] as const) {
    const head = table.getByRole('columnheader', { name: new RegExp(`^${metric}`) });
    await head.getByTitle(`Sort by ${metric}`).click();
    await expect(head).toHaveAttribute('aria-sort', direction);
    const column = await head.evaluate((cell) => (cell as HTMLTableCellElement).cellIndex);
    const texts = await table
      .locator('tbody tr')
      .evaluateAll((rows, k) => rows.map((row) => row.children[k]?.textContent ?? ''), column);
    const numbers = texts
      .map((text) => Number.parseFloat(text.trim().replace('−', '-')))
      .filter((n) => !Number.isNaN(n));
    expect(numbers.length).toBeGreaterThan(2);
    const sorted = [...numbers].sort((a, b) => (direction === 'ascending' ? a - b : b - a));
    expect(numbers).toEqual(sorted);
  }
});

test('any class can be explained, found by its name', async ({ lucarne }) => {
  await lucarne.open('site');
  await lucarne.answer.getByText(en.answer.search).click();
  await lucarne.answer.getByRole('searchbox', { name: en.answer.explainClass }).fill('teapot');
  await lucarne.answer
    .getByRole('button', { name: /^teapot/ })
    .first()
    .click();
  await lucarne.explain();
  await expect(lucarne.maps.getByRole('img')).toHaveAccessibleName(/teapot/);
});

test('display settings redraw the map and compute nothing', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.explain('Gradient');
  const canvas = lucarne.maps.locator('canvas');
  const pixels = () => canvas.evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  const first = await pixels();
  await lucarne.why
    .getByRole('combobox', { name: en.why.colours })
    .selectOption({ label: en.why.colormaps['purple-green'] });
  await expect.poll(pixels).not.toBe(first);
  const second = await pixels();
  await lucarne.why.getByRole('combobox', { name: en.why.signed }).selectOption({ label: en.why.reductions.absolute });
  await expect.poll(pixels).not.toBe(second);
  await expect(lucarne.page.getByRole('progressbar')).toHaveCount(0);
});

test('exports: two pictures, the raw map, and how it came about', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.explain('Occlusion');
  const save = async (name: string) => {
    await lucarne.maps.getByRole('button', { name: en.why.save }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      lucarne.maps.getByRole('button', { name, exact: true }).click(),
    ]);
    await page.keyboard.press('Escape');
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  for (const name of [en.why.exports.map, en.why.exports.overlay]) {
    const { bytes } = await save(name);
    expect(bytes.toString('latin1', 1, 4)).toBe('PNG');
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([64, 64]);
  }
  const raw = await save(en.why.exports.raw);
  expect(raw.name).toMatch(/occlusion.*\.npy$/);
  const { shape, values } = readNpy(raw.bytes);
  expect(shape.slice(-2)).toEqual([64, 64]);
  expect(values.every(Number.isFinite)).toBe(true);
  expect(new Set(values).size).toBeGreaterThan(20);
  const provenance = JSON.parse((await save(en.why.exports.provenance)).bytes.toString()) as Record<string, unknown>;
  expect(JSON.stringify(provenance)).toContain('"occlusion"');
  expect(JSON.stringify(provenance)).toMatch(/[0-9a-f]{64}/);
});

test('the same link gives the same map, bit for bit', async ({ lucarne, page, context }) => {
  const hash = `${OBJECTS}&method=smooth-grad&p.samples=n4&seed=7&lang=en`;
  const map = async () => {
    await lucarne.explain();
    return lucarne.maps.locator('canvas').evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  };
  await lucarne.open('site', hash);
  await lucarne.picture.getByRole('list', { name: en.picture.samples }).getByRole('button').nth(3).click();
  await expect(
    lucarne.picture.getByRole('list', { name: en.picture.samples }).getByRole('button').nth(3),
  ).toHaveAttribute('aria-pressed', 'true');
  await expect(lucarne.why.getByRole('spinbutton', { name: en.why.seed })).toHaveValue('7');
  const first = await map();
  const address = page.url();
  await context.setOffline(false);
  const other = await context.newPage();
  await other.goto(address);
  const again = new Lucarne(other, lucarne.site);
  await again.loaded();
  await expect(again.method('SmoothGrad')).toBeChecked();
  await again.explain();
  expect(await again.maps.locator('canvas').evaluate((c) => (c as HTMLCanvasElement).toDataURL())).toBe(first);
});

test('a damaged link is used as far as it goes, and says so', async ({ lucarne }) => {
  await lucarne.open('site', `${OBJECTS}&method=no-such-method&seed=x`);
  const alert = lucarne.page.getByRole('alert').filter({ hasText: en.errors.title['link-damaged'] });
  await expect(alert).toContainText('no-such-method');
  await expect(lucarne.sentence).toBeVisible();
});
