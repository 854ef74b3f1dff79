/** Keyboard, language, contrast, small and large screens, in every state of the page. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { fr } from '../../www/src/i18n/fr';
import { en, expect, OBJECTS, test } from './support/lucarne';
import type { Lucarne } from './support/lucarne';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const THEMES = ['light', 'dark'] as const;
const WIDTHS = [320, 1280] as const;

async function check(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  const found = violations.map(
    (v) =>
      `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? n.failureSummary ?? ''}`).join(' | ')}`,
  );
  expect.soft(found, state).toEqual([]);
}

/** The page is as wide as the window: nothing is cut off or has to be scrolled sideways. */
async function fits(page: Page, state: string): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect.soft(over, `${state}: pixels too wide`).toBeLessThanOrEqual(0);
}

for (const theme of THEMES) {
  test(`${theme}: no state breaks WCAG 2.2 AA, at 320 and at 1280 pixels`, async ({ lucarne, page }) => {
    test.setTimeout(150_000);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await lucarne.open('single', OBJECTS);
    await expect(lucarne.sentence).toBeVisible();
    const look = async (state: string) => {
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        await check(page, `${state}, ${width}`);
        await fits(page, `${state}, ${width}`);
        await page.screenshot({ path: test.info().outputPath(`${state}-${width}.png`), fullPage: true });
      }
    };
    await look('answered');
    await lucarne.explain();
    await lucarne.explain('Gradient');
    await lucarne.score();
    await lucarne.trust.locator('curves-panel').getByRole('button', { name: en.trust.asTable }).click();
    await look('scored');
    // Opening one may show others within.
    const folded = page.locator('details:not([open]) > summary:visible');
    for (let k = 0; k < 60 && (await folded.count()) > 0; k++) await folded.first().click();
    await expect(folded).toHaveCount(0);
    await lucarne.maps
      .first()
      .getByRole('button', { name: en.trust.provenance })
      .or(lucarne.maps.first().getByRole('button', { name: 'Provenance' }))
      .first()
      .click();
    await look('opened');
    await page.keyboard.press('Escape');
    await lucarne.drop([{ name: 'noise.onnx', type: '', bytes: Buffer.alloc(900, 'lucarne ') }]);
    await expect(lucarne.picture.getByRole('alert').filter({ hasText: /\w/ })).toBeVisible();
    await look('refused');
  });
}

test('axe finds what is wrong', async ({ lucarne, page }) => {
  await lucarne.open('single', OBJECTS);
  await page.locator('lucarne-playground').evaluate((host) => {
    const image = document.createElement('img');
    image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=';
    host.shadowRoot?.querySelector('main')?.append(image);
  });
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  expect(violations.map((v) => v.id)).toContain('image-alt');
});

/** Presses Tab until the focus lies on something of that name; fails after a round through the page. */
async function tabTo(lucarne: Lucarne, name: string | RegExp): Promise<void> {
  const { page } = lucarne;
  for (let k = 0; k < 150; k++) {
    await page.keyboard.press('Tab');
    const [found, visible] = await page.evaluate(() => {
      let at = document.activeElement;
      while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
      if (!at) return ['', false] as const;
      const label = (at as HTMLInputElement).labels?.[0]?.textContent ?? '';
      const slotted = [...at.querySelectorAll('slot')].flatMap((slot) => slot.assignedNodes({ flatten: true }));
      const inside = at.textContent.trim() || slotted.map((node) => node.textContent ?? '').join(' ');
      const name = at.getAttribute('aria-label') ?? (label || inside);
      return [name.trim().replace(/\s+/g, ' '), at.getBoundingClientRect().width > 0] as const;
    });
    if (visible && (typeof name === 'string' ? found === name : name.test(found))) return;
  }
  throw new Error(`Tab does not reach ${String(name)}`);
}

test('everything can be done with the keyboard', async ({ lucarne, page }) => {
  await lucarne.open('single', OBJECTS);
  await expect(lucarne.sentence).toBeVisible();
  const second = lucarne.picture.getByRole('list', { name: en.picture.samples }).getByRole('button').nth(1);
  await tabTo(lucarne, (await second.getAttribute('aria-label')) ?? '');
  await page.keyboard.press('Enter');
  await expect(second).toHaveAttribute('aria-pressed', 'true');
  await tabTo(lucarne, 'Grad-CAM');
  for (let k = 0; k < 60 && !(await lucarne.method('Occlusion').isChecked()); k++)
    await page.keyboard.press('ArrowDown');
  await expect(lucarne.method('Occlusion')).toBeChecked();
  await tabTo(lucarne, en.why.explain);
  await page.keyboard.press('Enter');
  await expect(lucarne.maps.getByRole('button', { name: en.why.save })).toBeVisible();
  await tabTo(lucarne, /^Heat map of Occlusion/);
  await page.keyboard.press('ArrowRight');
  await expect(lucarne.maps.getByText(/x \d+, y \d+:/)).toBeVisible();
  await tabTo(lucarne, en.why.save);
  await page.keyboard.press('Enter');
  await expect(lucarne.maps.getByRole('button', { name: en.why.exports.raw })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(lucarne.maps.getByRole('button', { name: en.why.exports.raw })).toBeHidden();
  await tabTo(lucarne, en.trust.score);
  await page.keyboard.press('Enter');
  await expect(lucarne.trust.getByText(en.trust.reading)).toBeVisible({ timeout: 60_000 });
  await tabTo(lucarne, /^Insertion/);
  await page.keyboard.press('Enter');
  await expect(lucarne.trust.locator('score-table').getByRole('columnheader', { name: /^Insertion/ })).toHaveAttribute(
    'aria-sort',
    'descending',
  );
});

test('French, by the browser and by choice', async ({ browser, site }) => {
  const context = await browser.newContext({ locale: 'fr-CA', serviceWorkers: 'block' });
  const page = await context.newPage();
  await page.goto(`${site.url}${OBJECTS}`);
  await expect(page.getByText(fr.status.offline)).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'fr');
  await page.locator('why-section').getByRole('button', { name: fr.why.explain, exact: true }).click();
  await expect(page.locator('why-section').getByRole('button', { name: fr.why.save })).toBeVisible();
  for (const [section, name] of [
    ['picture', fr.sections.picture],
    ['answer', fr.sections.answer],
    ['why', fr.sections.why],
    ['trust', fr.sections.trust],
  ] as const) {
    await expect(page.locator(`${section}-section`).getByRole('heading', { level: 2 })).toContainText(name);
  }
  await page.screenshot({ path: test.info().outputPath('french.png'), fullPage: true });
  await page.getByRole('combobox', { name: fr.language }).selectOption({ label: 'English' });
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.locator('why-section').getByRole('button', { name: en.why.explain, exact: true })).toBeVisible();
  expect(page.url()).toContain('lang=en');
  await context.close();
});

for (const [name, width, height] of [
  ['phone', 320, 640],
  ['tablet', 820, 1180],
  ['wide', 1280, 900],
  ['4k', 3840, 2160],
] as const) {
  test(`${name}: a photograph's answer and map fit ${width} pixels`, async ({ lucarne, page }) => {
    await page.setViewportSize({ width, height });
    await lucarne.open('single');
    await lucarne.explain();
    await fits(page, name);
    await page.screenshot({ path: test.info().outputPath(`${name}.png`), fullPage: true });
  });
}
