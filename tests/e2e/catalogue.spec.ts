/** Finding methods, comparing maps, picking layers, and the page of each method. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';

import { fr } from '../../www/src/i18n/fr';
import { BUILDS, en, expect, OBJECTS, test } from './support/lucarne';

const g = en.guide;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** Accessible, and no wider than the window. */
async function sound(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`);
  expect.soft(found, state).toEqual([]);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(over, `${state}: pixels too wide`).toBeLessThanOrEqual(0);
  await page.screenshot({ path: test.info().outputPath(`${state.replaceAll(/\W+/g, '-')}.png`), fullPage: true });
}

test('methods stand in their families, and are found by name, id and what they need', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  const { why, methodSearch } = lucarne;
  for (const family of ['gradient', 'cam', 'perturbation', 'control']) {
    const { name = '', about = '' } = g.families[family] ?? {};
    const group = why.getByRole('group', { name });
    await expect(group).toContainText(about);
    await expect(group.getByRole('radio').first()).toBeVisible();
  }
  const all = await why.getByRole('radio').count();
  await methodSearch.fill('gradcam');
  await expect(lucarne.method('Grad-CAM')).toBeVisible();
  expect(await why.getByRole('radio').count()).toBeLessThan(all);
  await methodSearch.fill('smooth-grad');
  await expect(lucarne.method('SmoothGrad')).toBeVisible();
  await expect(lucarne.method('Occlusion')).toHaveCount(0);
  await methodSearch.fill('fill removed pixels');
  await expect(lucarne.method('Occlusion')).toBeVisible();
  await expect(lucarne.method('Gradient')).toHaveCount(0);
  await methodSearch.fill('no such thing');
  await expect(why.getByText(g.found(0))).toBeVisible();
  await methodSearch.fill('');
  await expect(why.getByRole('radio')).toHaveCount(all);
});

test('a search, its method and its run by keyboard alone', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.methodSearch.focus();
  await page.keyboard.type('sobel');
  await expect(lucarne.why.getByText(g.found(1))).toBeVisible();
  for (let k = 0; k < 5 && !(await lucarne.method('Edges').evaluate((e) => e.matches(':focus'))); k++)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await expect(lucarne.method('Edges')).toBeChecked();
  await lucarne.why.getByRole('button', { name: en.why.explain, exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(lucarne.maps).toHaveCount(1);
});

/** Where each map's canvas is drawn, and where its mark lies in it. */
async function marks(maps: Locator): Promise<{ zoom: string; mark: string }[]> {
  return maps.locator('heatmap-view').evaluateAll((views) =>
    views.map((view) => {
      const canvas = view.shadowRoot?.querySelector('canvas');
      const cross = view.shadowRoot?.querySelector<HTMLElement>('.cross');
      const style = canvas?.style;
      return {
        zoom: ['--zoom', '--x', '--y'].map((name) => style?.getPropertyValue(name)).join(' '),
        mark: cross?.hidden === false ? `${cross.style.left} ${cross.style.top}` : 'none',
      };
    }),
  );
}

const same = (all: readonly { zoom: string; mark: string }[]) => new Set(all.map((m) => JSON.stringify(m))).size === 1;

test('nine maps, controls among them, share zoom and cursor', async ({ lucarne, page }) => {
  test.setTimeout(120_000);
  await lucarne.open('site', OBJECTS);
  for (const name of ['Gradient', 'Input × gradient', 'Grad-CAM']) await lucarne.explain(name);
  await lucarne.why.getByRole('button', { name: g.addControls }).click();
  await expect(lucarne.maps.getByRole('button', { name: en.why.save })).not.toHaveCount(3);
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await lucarne.choose('SmoothGrad');
  const seed = lucarne.why.getByRole('spinbutton', { name: en.why.seed });
  const explain = lucarne.why.getByRole('button', { name: en.why.explain, exact: true });
  for (let k = 1; (await lucarne.maps.count()) < 9; k++) {
    await seed.fill(String(k));
    await seed.blur();
    await lucarne.explain();
  }
  await seed.fill('99');
  await seed.blur();
  await expect(explain).toBeDisabled();
  await expect(lucarne.why.getByText(g.full('9'))).toBeVisible();

  const first = lucarne.maps.first().getByRole('img');
  await first.scrollIntoViewIfNeeded();
  await first.hover({ position: { x: 30, y: 40 } });
  await expect.poll(async () => (await marks(lucarne.maps)).map((m) => m.mark)).not.toContain('none');
  let now = await marks(lucarne.maps);
  expect(now).toHaveLength(9);
  expect(same(now)).toBe(true);
  // Each reads its own value there.
  await expect(lucarne.maps.getByText(/%\s*of its full colour/)).toHaveCount(9);

  await first.click({ position: { x: 30, y: 40 } });
  await page.mouse.wheel(0, -600);
  await expect.poll(async () => (await marks(lucarne.maps))[8]?.zoom).not.toMatch(/^1 /);
  now = await marks(lucarne.maps);
  expect(same(now)).toBe(true);
  await sound(page, 'nine maps');
  const before = now[0]?.zoom ?? '';
  await first.focus();
  await page.keyboard.press('+');
  await expect.poll(async () => (await marks(lucarne.maps))[4]?.zoom).not.toBe(before);
  for (let k = 0; k < 12; k++) await page.keyboard.press('Shift+ArrowRight');
  await expect(lucarne.maps.first().getByRole('img')).toBeFocused();
  now = await marks(lucarne.maps);
  expect(same(now)).toBe(true);
  // The mark went to the right edge and the view followed it.
  expect(Number.parseFloat(now[0]?.mark ?? '0')).toBeLessThanOrEqual(100);
  expect(now[0]?.mark).not.toBe('none');
  await lucarne.why.getByRole('button', { name: g.zoomReset }).click();
  expect((await marks(lucarne.maps)).every((m) => m.zoom === '1 0% 0%')).toBe(true);

  const pixels = () =>
    lucarne.maps
      .nth(1)
      .locator('canvas')
      .evaluate((c) => (c as HTMLCanvasElement).toDataURL());
  const own = await pixels();
  await lucarne.why.getByRole('combobox', { name: g.scaling }).selectOption({ label: g.scalings.shared });
  await expect.poll(pixels).not.toBe(own);

  await lucarne.maps
    .first()
    .getByRole('button', { name: new RegExp(`^${en.remove}`) })
    .click();
  await expect(lucarne.maps).toHaveCount(8);
  await expect(explain).toBeEnabled();
  await page.setViewportSize({ width: 360, height: 740 });
  await sound(page, 'eight maps on a phone');
  await lucarne.why.getByRole('button', { name: g.removeAll }).click();
  await expect(lucarne.maps).toHaveCount(0);
});

test('two fingers zoom, one drags', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.explain('Gradient');
  await lucarne.explain('Input × gradient');
  const canvas = lucarne.maps.first().locator('canvas');
  await canvas.scrollIntoViewIfNeeded();
  const box = (await canvas.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const at = (pointerId: number, u: number, v: number) => ({
    pointerId,
    pointerType: 'touch',
    clientX: box.x + u * box.width,
    clientY: box.y + v * box.height,
    bubbles: true,
  });
  // Pointers that no hand holds can't be captured.
  await canvas.evaluate((c) => (c.setPointerCapture = () => undefined));
  await canvas.dispatchEvent('pointerdown', at(1, 0.4, 0.5));
  await canvas.dispatchEvent('pointerdown', at(2, 0.6, 0.5));
  await canvas.dispatchEvent('pointermove', at(2, 0.8, 0.5));
  await canvas.dispatchEvent('pointermove', at(1, 0.2, 0.5));
  const [a, b] = await marks(lucarne.maps);
  const zoom = Number.parseFloat(a?.zoom ?? '');
  expect(zoom).toBeGreaterThan(2.5);
  expect(b?.zoom).toBe(a?.zoom);
  await canvas.dispatchEvent('pointerup', at(1, 0.2, 0.5));
  await canvas.dispatchEvent('pointermove', at(2, 0.6, 0.5));
  await canvas.dispatchEvent('pointerup', at(2, 0.6, 0.5));
  const [moved, other] = await marks(lucarne.maps);
  expect(Number.parseFloat(moved?.zoom ?? '')).toBeCloseTo(zoom, 6);
  expect(moved?.zoom).not.toBe(a?.zoom);
  expect(other?.zoom).toBe(moved?.zoom);
});

test('a layer is picked from the outline by keyboard, and the map is made on it', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.choose('Grad-CAM');
  const picker = lucarne.why.locator('layer-picker').first();
  await picker.locator('summary').focus();
  await page.keyboard.press('Enter');
  const list = picker.getByRole('listbox', { name: g.layer.outline });
  await expect(list.getByRole('option', { selected: true })).toContainText(g.layer.normal('').split(':')[0] ?? '');
  await expect(list.getByRole('option', { name: new RegExp(g.layer.recommended) })).not.toHaveCount(0);
  await list.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const chosen = list.getByRole('option', { selected: true });
  const name = (await chosen.getAttribute('title')) ?? '';
  expect(name).not.toBe('');
  await expect(list).toHaveAttribute('aria-activedescendant', (await chosen.getAttribute('id')) ?? '');
  await expect(picker.locator('summary')).toContainText(name);
  // The outline joins branches: some row has more than one line ending in it, or the network is a chain.
  expect(await list.locator('svg path').count()).toBeGreaterThan(5);
  await sound(page, 'layer picker');
  await lucarne.explain();
  await expect(lucarne.maps.first()).toContainText(en.why.layer(name));

  const search = picker.getByRole('searchbox', { name: g.layer.search });
  await search.fill('conv');
  for (const option of await list.getByRole('option').all())
    await expect(option).toHaveAttribute('aria-label', /conv/i);
  await search.fill('nothing at all');
  await expect(picker.getByText(g.layer.none)).toBeVisible();
  await search.fill('');
  await list.focus();
  await page.keyboard.press('Home');
  await expect(list.getByRole('option').first()).toHaveAttribute('aria-selected', 'true');
});

test('passes are told before the run, and a bad value is refused beside its field', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.choose('RISE');
  const samples = lucarne.why.getByRole('spinbutton', { name: 'Samples' });
  await samples.fill('250');
  await samples.blur();
  await expect(lucarne.why.getByText(new RegExp(g.cost('250', '').replace(/\s/g, '\\s')))).toBeVisible();
  await samples.fill('0');
  await samples.blur();
  await expect(lucarne.why.getByText(/0 is not between 1 and 100000/)).toBeVisible();
  await expect(samples).toHaveAttribute('aria-invalid', 'true');
  const explain = lucarne.why.getByRole('button', { name: en.why.explain, exact: true });
  await expect(explain).toBeDisabled();
  await samples.fill('8');
  await samples.blur();
  await expect(explain).toBeEnabled();
  await expect(samples).toHaveAttribute('aria-invalid', 'false');
});

for (const build of BUILDS) {
  test(`${build}: a method has a page with its formula, its parameters and an example that runs`, async ({
    lucarne,
    page,
  }) => {
    await lucarne.open(build, OBJECTS);
    await lucarne.choose('Grad-CAM');
    await lucarne.why.getByRole('link', { name: g.about('Grad-CAM') }).click();
    expect(page.url()).toMatch(/#\/method\/grad-cam$/);
    const entry = page.locator('entry-page');
    await expect(entry.getByRole('heading', { level: 2, name: 'Grad-CAM' })).toBeFocused();
    for (const heading of [
      g.pages.formula,
      g.pages.shapes,
      g.pages.parameters,
      g.pages.misleads,
      g.pages.reference,
      g.pages.parity,
    ])
      await expect(entry.getByRole('heading', { name: heading, exact: true })).toBeVisible();
    await expect(entry.locator('doc-text[formula] code').first()).toContainText('max(0');
    await expect(entry.getByRole('link', { name: /arXiv:1610.02391/ }).first()).toHaveAttribute('href', /arxiv\.org/);
    await expect(entry.getByRole('table')).toContainText('layer');
    // The example runs of itself, and again on another picture.
    const card = entry.getByRole('article', { name: /^Grad-CAM, for/ });
    await expect(card.getByRole('button', { name: en.why.save })).toBeVisible();
    const canvas = card.locator('canvas');
    const pixels = () => canvas.evaluate((c) => (c as HTMLCanvasElement).toDataURL());
    const first = await pixels();
    await entry.getByRole('list', { name: en.picture.samples }).getByRole('button').nth(2).click();
    await expect(card.getByRole('button', { name: en.why.save })).toBeVisible();
    await expect.poll(pixels).not.toBe(first);
    await sound(page, `page ${build}`);
    await page.setViewportSize({ width: 320, height: 640 });
    await sound(page, `page ${build} narrow`);
    await page.goBack();
    await expect(lucarne.sentence).toBeVisible();
    await expect(entry).toHaveCount(0);
    await page.goForward();
    await entry.getByRole('button', { name: g.pages.use }).click();
    await expect(lucarne.why).toBeVisible();
  });
}

test('the list of everything leads to each page; metrics and fillings run too', async ({ lucarne, page }) => {
  test.setTimeout(120_000);
  await lucarne.open('site', OBJECTS);
  await page.getByRole('link', { name: g.pages.all }).click();
  expect(page.url()).toMatch(/#\/all$/);
  const list = page.locator('catalogue-page');
  await expect(list.getByRole('heading', { level: 2, name: g.pages.all })).toBeVisible();
  await sound(page, 'all');
  await list.getByRole('searchbox', { name: g.pages.search }).fill('blur');
  await list.getByRole('link', { name: 'Blur', exact: true }).click();
  const entry = page.locator('entry-page');
  await expect(entry.getByRole('img', { name: g.pages.after })).toBeVisible();
  const [before, after] = await Promise.all(
    [g.pages.before, g.pages.after].map((name) =>
      entry.getByRole('img', { name, exact: true }).evaluate((c) => (c as HTMLCanvasElement).toDataURL()),
    ),
  );
  expect(after).not.toBe(before);
  await entry.getByRole('link', { name: g.pages.all }).click();
  await list.getByRole('searchbox', { name: g.pages.search }).fill('deletion');
  await list.getByRole('link', { name: 'Deletion', exact: true }).click();
  await entry.getByRole('button', { name: g.pages.run, exact: true }).click();
  await expect(entry.getByRole('table', { name: /^Scores/ }).getByRole('row')).not.toHaveCount(1, { timeout: 60_000 });
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: 60_000 });
  await sound(page, 'metric page');
});

test('where we differ from the library that the field cites: one page, with a way there and back', async ({
  lucarne,
  page,
}) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.trust.getByRole('link', { name: en.report.departures }).click();
  expect(page.url()).toMatch(/#\/departures$/);
  const sheet = page.locator('departures-page');
  await expect(sheet.getByRole('heading', { level: 2, name: en.report.departures })).toBeFocused();
  const rows = sheet.getByRole('table').first().getByRole('row');
  expect(await rows.count()).toBeGreaterThan(3);
  // Every row gives both numbers and the reason.
  for (const cell of await sheet.locator('tbody td').all()) await expect(cell.locator('p, li').first()).not.toBeEmpty();
  await sound(page, 'departures');
  await page.setViewportSize({ width: 390, height: 844 });
  await sound(page, 'departures narrow');
  await sheet.getByRole('link', { name: g.pages.all }).click();
  const list = page.locator('catalogue-page');
  await expect(list.getByRole('heading', { level: 2, name: g.pages.all })).toBeFocused();
  // Every entry of the engine has its line, and a page that opens.
  const links = list.locator('li a');
  expect(await links.count()).toBeGreaterThan(100);
  const addresses = await links.evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''));
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(addresses.every((a) => /^#\/(method|metric|imputer)\/[a-z0-9-]+$/.test(a))).toBe(true);
  await sound(page, 'all narrow');
  await list.getByRole('searchbox', { name: g.pages.search }).fill('no such thing');
  await expect(list.getByText(g.pages.found(0))).toBeVisible();
  await expect(links).toHaveCount(0);
  await page.goBack();
  await expect(sheet).toBeVisible();
  await page.goBack();
  await expect(lucarne.trust).toBeVisible();
});

test('an address of a page opens it, in French too, and an unknown one says so', async ({ lucarne, page }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, 'languages', { get: () => ['fr'] }));
  await lucarne.open('single', '#/method/occlusion');
  const entry = page.locator('entry-page');
  await expect(entry.getByRole('heading', { name: fr.guide.pages.formula })).toBeVisible();
  await page.goto(`${page.url().split('#')[0] ?? ''}#/method/no-such-method`);
  await expect(entry.getByRole('heading', { name: fr.guide.pages.unknown('no-such-method') })).toBeVisible();
  await entry.getByRole('link', { name: fr.guide.pages.back }).click();
  await expect(page.locator('why-section')).toBeVisible();
});

test('on a phone only the chosen family is open, and everything is still within reach', async ({ lucarne, page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await lucarne.open('site', OBJECTS);
  await expect(lucarne.method('Grad-CAM')).toBeVisible();
  await expect(lucarne.method('Occlusion')).toBeHidden();
  const { name = '' } = g.families['perturbation'] ?? {};
  await lucarne.why.getByRole('heading', { name }).click();
  await expect(lucarne.method('Occlusion')).toBeVisible();
  await sound(page, 'picker on a phone');
  await lucarne.explain('Edges');
  await lucarne.explain('Gradient');
  await sound(page, 'maps on a phone');
});

test('a path method compares with another picture, and each picture gives its own map', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.choose('Integrated gradients');
  await lucarne.why.getByRole('combobox', { name: en.paramNames['reference'] ?? '' }).selectOption('picture');
  const baseline = lucarne.why.getByRole('combobox', { name: en.why.baseline });
  await expect(baseline.locator('option')).toHaveCount(11);
  await lucarne.explain();
  await baseline.selectOption({ index: 4 });
  await lucarne.explain();
  await expect(lucarne.maps).toHaveCount(2);
});
