/** The removal bench: pixels removed by an explanation, by hand, by chance; filled, answered, judged, filmed, scored. */
import { readFileSync } from 'node:fs';

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';

import { fr } from '../../www/src/i18n/fr';
import { BUILDS, en, expect, Lucarne, test } from './support/lucarne';

const t = en.removal;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** The bench on the small network, with three quick fillings. */
const QUICK = '#/removal?v=1&model=objects&lang=en&b.fills=constant+channel-mean+uniform-noise&b.draws=2&b.steps=10';

const benchOf = (page: Page): Locator => page.locator('removal-page');

async function sound(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`);
  expect.soft(found, state).toEqual([]);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(over, `${state}: pixels too wide`).toBeLessThanOrEqual(0);
  await page.screenshot({ path: test.info().outputPath(`${state.replaceAll(/\W+/g, '-')}.png`), fullPage: true });
}

/** Computes the map that the bench asks for. */
async function explain(page: Page, method = 'Grad-CAM'): Promise<void> {
  await benchOf(page)
    .getByRole('button', { name: t.compute(method), exact: true })
    .click();
  await expect(benchOf(page).getByRole('img', { name: new RegExp(`^Heat map of ${method}`) })).toBeVisible();
}

async function fill(page: Page): Promise<void> {
  await benchOf(page)
    .getByRole('button', { name: /^Fill by \d+ imputers$/ })
    .click();
  await expect(benchOf(page).getByRole('button', { name: t.fills.save })).toBeVisible({ timeout: 120_000 });
}

const cards = (page: Page): Locator => benchOf(page).locator('fill-card');
const source = (page: Page, name: keyof typeof t.sources): Locator =>
  benchOf(page).getByRole('radio', { name: t.sources[name] });
const canvas = (page: Page): Locator => benchOf(page).locator('mask-editor canvas');

/** Percent removed, as the bench says it. */
async function share(page: Page): Promise<number> {
  const text = (await canvas(page).getAttribute('aria-label')) ?? '';
  return Number.parseFloat(/([\d.]+) %/.exec(text)?.[1] ?? 'NaN');
}

for (const build of BUILDS) {
  test(`${build}: an explanation’s pixels, every filling with its answer and criteria`, async ({ lucarne, page }) => {
    test.setTimeout(240_000);
    await lucarne.open(build, '#/removal?v=1&model=objects&lang=en&b.share=40&b.draws=2');
    await explain(page);
    expect(await share(page)).toBe(40);
    await fill(page);
    const count = await cards(page).count();
    expect(count).toBeGreaterThanOrEqual(5);
    // Each either filled, with an answer, or said why it cannot.
    for (const card of await cards(page).all()) {
      const failed = await card.getByRole('alert').count();
      if (failed > 0) await expect(card.getByRole('alert')).not.toBeEmpty();
      else {
        await expect(card.getByRole('img').first()).toBeVisible();
        await expect(card.getByText(new RegExp(`${t.fills.same}|${t.fills.changed}`))).toBeVisible();
      }
    }
    // Fillings differ from each other.
    const pixels = await cards(page)
      .locator('canvas')
      .evaluateAll((all) => all.map((c) => (c as HTMLCanvasElement).toDataURL()));
    expect(new Set(pixels).size).toBe(pixels.length);
    const table = benchOf(page).getByRole('table', { name: t.gauges.caption });
    await expect(table.getByRole('row')).not.toHaveCount(1);
    const noise = benchOf(page).getByRole('article', { name: 'Noise', exact: true });
    await noise.getByRole('button', { name: t.fills.more }).click();
    await expect(noise.getByText(t.gauges.over(2))).toBeVisible();
    await expect(noise.getByRole('heading', { name: t.fills.strip(2) })).toBeVisible();
    await expect(noise.getByText(/(lower|higher) is better/).first()).toBeVisible();
    await sound(page, `bench ${build}`);
    await page.setViewportSize({ width: 390, height: 844 });
    await sound(page, `bench ${build} narrow`);
  });
}

test('pixels are painted by keys, rubbed out, inverted and cleared', async ({ lucarne, page }) => {
  await lucarne.open('site', QUICK);
  await source(page, 'brush').check();
  const area = benchOf(page).getByRole('application');
  await area.focus();
  await expect(benchOf(page).getByRole('button', { name: /^Fill by/ })).toBeDisabled();
  await page.keyboard.press('Space');
  await expect.poll(() => share(page)).toBeGreaterThan(0);
  const dot = await share(page);
  await page.keyboard.press('Enter');
  for (let k = 0; k < 12; k++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect.poll(() => share(page)).toBeGreaterThan(1.5 * dot);
  const line = await share(page);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('e');
  await expect(benchOf(page).getByRole('button', { name: t.editor.erase })).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('Space');
  await expect.poll(() => share(page)).toBeLessThan(line);
  const before = await share(page);
  await benchOf(page).getByRole('button', { name: t.editor.invert }).click();
  expect(await share(page)).toBeCloseTo(100 - before, 0);
  await benchOf(page).getByRole('button', { name: t.editor.clear }).click();
  expect(await share(page)).toBe(0);
  await sound(page, 'brush');
});

test('pixels are painted by pointer, and fillings of an earlier removal say so', async ({ lucarne, page }) => {
  test.setTimeout(120_000);
  await lucarne.open('site', QUICK);
  await source(page, 'brush').check();
  // Places in the window, which pressing a button below may have scrolled.
  const at = async (u: number, v: number) => {
    await canvas(page).scrollIntoViewIfNeeded();
    const box = (await canvas(page).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    return [box.x + u * box.width, box.y + v * box.height] as const;
  };
  await page.mouse.move(...(await at(0.3, 0.5)));
  await page.mouse.down();
  await page.mouse.move(...(await at(0.7, 0.5)), { steps: 6 });
  await page.mouse.up();
  const first = await share(page);
  expect(first).toBeGreaterThan(4);
  await fill(page);
  await expect(cards(page)).toHaveCount(3);
  await expect(benchOf(page).getByText(t.fills.stale)).toHaveCount(0);
  await page.mouse.move(...(await at(0.5, 0.2)));
  await page.mouse.down();
  await page.mouse.up();
  expect(await share(page)).toBeGreaterThan(first);
  await expect(benchOf(page).getByText(t.fills.stale)).toBeVisible();
});

test('superpixels are removed by chance and one by one', async ({ lucarne, page }) => {
  await lucarne.open('site', QUICK);
  await source(page, 'segments').check();
  await expect(benchOf(page).getByText(/\d+ of \d+ superpixels are removed/)).toBeVisible();
  expect(Math.abs((await share(page)) - 30)).toBeLessThan(4);
  await benchOf(page).getByRole('button', { name: t.editor.clear }).click();
  await expect.poll(() => share(page)).toBe(0);
  await benchOf(page).getByRole('application').focus();
  await page.keyboard.press('Space');
  await expect(benchOf(page).getByText(/^1 of \d+ superpixels/)).toBeVisible();
  const one = await share(page);
  expect(one).toBeGreaterThan(0.2);
  await page.keyboard.press('Space');
  await expect.poll(() => share(page)).toBe(0);
});

test('the deletion is a film that plays, is scrubbed and draws its curve', async ({ lucarne, page }) => {
  test.setTimeout(120_000);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await lucarne.open('site', `${QUICK}&b.film=constant`);
  await explain(page);
  const film = benchOf(page).locator('film-player');
  await film.getByRole('button', { name: t.film.run }).click();
  const slider = film.getByRole('slider', { name: t.film.scrub });
  await expect(slider).toBeEnabled({ timeout: 60_000 });
  // Nothing moves by itself.
  await expect(film.getByRole('button', { name: t.film.play })).toBeVisible();
  await expect(slider).toHaveAttribute('max', '10');
  await expect(slider).toHaveValue('10');
  await expect(film.getByText(t.film.removed('100 %'))).toBeVisible();
  const screen = film.locator('prepared-view canvas');
  const pixels = () => screen.evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  const last = await pixels();
  await slider.focus();
  await page.keyboard.press('Home');
  await expect(film.getByText(`${t.film.removed('0 %')}.`)).toBeVisible();
  expect(await pixels()).not.toBe(last);
  const path = film.locator('curve-plot svg path.line').first();
  const short = ((await path.getAttribute('d')) ?? '').split('L').length;
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(((await path.getAttribute('d')) ?? '').split('L').length).toBe(short + 2);
  await film.getByRole('button', { name: t.film.play }).click();
  await expect(slider).toHaveValue('3');
  await film.getByRole('button', { name: t.film.pause }).click();
  await sound(page, 'film');
});

test('one map is scored with every filling, in both orders', async ({ lucarne, page }) => {
  test.setTimeout(180_000);
  await lucarne.open('site', QUICK);
  await explain(page);
  const part = benchOf(page).locator('remover-curves');
  await part.getByRole('button', { name: t.removers.run('3') }).click();
  const rows = part.getByRole('region', { name: t.removers.table }).getByRole('row');
  await expect(rows).toHaveCount(4);
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: 120_000 });
  await expect(part.getByText(/with the filling alone/)).toBeVisible();
  // A filling by chance is a mean with its spread; the others are one number.
  await expect(rows.filter({ hasText: 'Noise' })).toContainText('±');
  await expect(rows.filter({ hasText: 'Mean colour' })).not.toContainText('±');
  await expect(part.locator('curve-plot svg path.line')).not.toHaveCount(0);
  await part.getByRole('button', { name: en.trust.asTable }).click();
  await expect(part.getByRole('table')).toHaveCount(3);
  await sound(page, 'removers');
});

test('it is saved as a picture and as everything, and can be ended', async ({ lucarne, page }) => {
  test.setTimeout(120_000);
  await lucarne.open('site', `${QUICK}&b.from=pixels&b.share=50`);
  await fill(page);
  const save = async (name: string) => {
    await benchOf(page).getByRole('button', { name: t.fills.save }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      benchOf(page).getByRole('button', { name, exact: true }).click(),
    ]);
    await page.keyboard.press('Escape');
    return readFileSync(await download.path());
  };
  const png = await save(t.fills.exports.png);
  expect(png.toString('latin1', 1, 4)).toBe('PNG');
  expect(png.readUInt32BE(16)).toBeGreaterThan(900);
  const saved = JSON.parse((await save(t.fills.exports.json)).toString()) as {
    removal: { removed: number; runs: number[] };
    fillings: { imputer: { id: string }; draws: unknown[]; gauges: unknown[]; provenance: { inputSha256: string } }[];
  };
  expect(saved.removal.removed).toBe(2048);
  expect(saved.removal.runs.reduce((sum, n) => sum + n, 0)).toBe(4096);
  expect(saved.fillings.map((f) => f.imputer.id)).toEqual(['constant', 'channel-mean', 'uniform-noise']);
  expect(saved.fillings.map((f) => f.draws.length)).toEqual([1, 1, 2]);
  for (const f of saved.fillings) {
    expect(f.gauges.length).toBeGreaterThan(4);
    expect(f.provenance.inputSha256).toMatch(/^[0-9a-f]{64}$/);
  }
});

test('its link restores the settings, not the picture', async ({ lucarne, page, context }) => {
  await lucarne.open('site', QUICK);
  await source(page, 'pixels').check();
  const slider = benchOf(page).getByRole('slider', { name: /^Share removed/ });
  await slider.fill('65');
  await expect.poll(() => page.url()).toContain('b.share=65');
  expect(page.url()).toContain('#/removal?');
  const mask = () => canvas(page).evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  const first = await mask();
  await context.setOffline(false);
  const other = await context.newPage();
  await other.goto(page.url());
  const again = new Lucarne(other, lucarne.site);
  await again.loaded();
  await expect(source(other, 'pixels')).toBeChecked();
  expect(await share(other)).toBe(65);
  expect(await canvas(other).evaluate((c) => (c as HTMLCanvasElement).toDataURL())).toBe(first);
  await other
    .locator('removal-page input[type=file]')
    .setInputFiles({ name: 'secret.png', mimeType: 'image/png', buffer: DOT });
  await expect(
    benchOf(other).getByRole('list', { name: en.picture.samples }).getByRole('button', { pressed: true }),
  ).toHaveCount(0);
  await expect.poll(() => other.url()).not.toContain('picture=');
  expect(other.url()).not.toContain('secret');
});

/** A picture of one pixel. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

test('one pixel, a very large picture, everything removed: an answer or a reason, each time', async ({
  lucarne,
  page,
}) => {
  test.setTimeout(180_000);
  await lucarne.open('site', '#/removal?v=1&model=objects&lang=en&b.from=brush&b.fills=constant+noisy-linear');
  const open = (name: string, buffer: Buffer) =>
    page.locator('removal-page input[type=file]').setInputFiles({ name, mimeType: 'image/png', buffer });
  const large = await page.evaluate(() => {
    const big = document.createElement('canvas');
    [big.width, big.height] = [6000, 4500];
    const context = big.getContext('2d');
    context?.fillRect(1000, 1000, 2500, 2500);
    return big.toDataURL('image/png').split(',')[1] ?? '';
  });
  for (const [name, buffer] of [
    ['dot.png', DOT],
    ['large.png', Buffer.from(large, 'base64')],
  ] as const) {
    await open(name, buffer);
    await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: 60_000 });
    await expect(cards(page)).toHaveCount(0);
    await benchOf(page).getByRole('button', { name: t.editor.invert }).click();
    expect(await share(page), name).toBe(100);
    await fill(page);
    await expect(cards(page).filter({ hasText: 'Constant' }).getByRole('img').first()).toBeVisible();
    await expect(cards(page).filter({ hasText: 'Noisy linear' }).getByRole('alert')).toContainText(/every pixel/);
  }
});

test('the study’s report: its tables and figures, from the bench and back', async ({ lucarne, page }) => {
  await lucarne.open('single', QUICK);
  await benchOf(page).getByRole('link', { name: t.study }).click();
  expect(page.url()).toMatch(/#\/study$/);
  const sheet = page.locator('study-page');
  await expect(sheet.getByRole('heading', { level: 2 })).toBeFocused();
  await expect(sheet.getByRole('table').first()).toBeVisible();
  const figures = sheet.locator('figure svg');
  expect(await figures.count()).toBeGreaterThan(0);
  for (const figure of await figures.all()) expect((await figure.boundingBox())?.height).toBeGreaterThan(100);
  await sound(page, 'study');
  await page.setViewportSize({ width: 390, height: 844 });
  await sound(page, 'study narrow');
  await sheet.getByRole('link', { name: t.tryBench }).click();
  await expect(benchOf(page).getByRole('heading', { level: 2, name: t.title })).toBeFocused();
});

test('the study’s report in French', async ({ lucarne, page }) => {
  await lucarne.open('single', '#/removal?v=1&model=objects&lang=fr');
  await benchOf(page).getByRole('link', { name: fr.removal.study }).click();
  const sheet = page.locator('study-page');
  await expect(sheet.getByRole('heading', { level: 2 })).toHaveText('Retirer des pixels : à quel remplissage se fier');
  await expect(sheet.getByRole('columnheader', { name: 'ms en wasm' }).first()).toBeVisible();
  await expect(sheet.locator('[lang="en"]')).toHaveCount(0);
  await sound(page, 'study in French');
});

test('in French, on a phone, from the header', async ({ lucarne, page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await lucarne.open('single', '#v=1&model=objects&lang=fr');
  await page.getByRole('link', { name: fr.removal.title }).click();
  await expect(benchOf(page).getByRole('heading', { level: 2, name: fr.removal.title })).toBeFocused();
  await benchOf(page).getByRole('radio', { name: fr.removal.sources.segments }).check();
  await expect(benchOf(page).getByText(/superpixels sur \d+ sont retirés/)).toBeVisible();
  await sound(page, 'bench in French');
  await page.goBack();
  await expect(lucarne.why).toBeVisible();
});
