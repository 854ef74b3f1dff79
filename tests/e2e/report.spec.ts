/** The report: run, cancelled, out of budget, gone on with, saved, printed, by keyboard, on a narrow screen. */
import { readFileSync } from 'node:fs';

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { en, expect, OBJECTS, test, type Lucarne } from './support/lucarne';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const { report } = en;

async function check(page: Page, state: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).include('lucarne-playground').withTags(TAGS).analyze();
  const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`);
  expect.soft(found, state).toEqual([]);
}

const tick = (lucarne: Lucarne, name: string) => lucarne.trust.getByRole('checkbox', { name, exact: true });
const start = (lucarne: Lucarne) => lucarne.trust.getByRole('button', { name: en.trust.score, exact: true });
const table = (lucarne: Lucarne) => lucarne.trust.getByRole('table').first();

async function done(lucarne: Lucarne): Promise<void> {
  await expect(lucarne.trust.getByText(en.trust.reading)).toBeVisible({ timeout: 120_000 });
}

/** Adds a method to the report by its name. */
async function add(lucarne: Lucarne, name: string): Promise<void> {
  await lucarne.trust.getByText(report.add, { exact: true }).click();
  await lucarne.trust.getByRole('searchbox', { name: report.findMethod }).fill(name);
  await tick(lucarne, name).check();
}

async function save(lucarne: Lucarne, name: string): Promise<{ name: string; text: string }> {
  await lucarne.trust.getByRole('button', { name: report.export }).click();
  const [download] = await Promise.all([
    lucarne.page.waitForEvent('download'),
    lucarne.trust.getByRole('button', { name, exact: true }).click(),
  ]);
  await lucarne.page.keyboard.press('Escape');
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

test('methods by metrics by fillings: ranked, compared, read out, and saved', async ({ lucarne, page }) => {
  test.setTimeout(240_000);
  await lucarne.open('site', OBJECTS);
  await expect(lucarne.sentence).toBeVisible();
  // No map is needed to begin with: the report explains by itself.
  await expect(start(lucarne)).toBeDisabled();
  await add(lucarne, 'Gradient');
  await lucarne.trust.getByRole('searchbox', { name: report.findMethod }).fill('grad-cam');
  await tick(lucarne, 'Grad-CAM').check();
  await tick(lucarne, report.bothOrders).check();
  await tick(lucarne, 'Mean colour').check();
  await start(lucarne).click();
  await done(lucarne);
  // Insertion and deletion, by the reference and the mean, in both orders, besides what has neither.
  await expect(table(lucarne).getByRole('columnheader', { name: /^Insertion/ })).toHaveCount(4);
  await expect(table(lucarne).getByRole('columnheader', { name: /^Deletion/ })).toHaveCount(4);
  await expect(table(lucarne).getByText(en.trust.control, { exact: true }).first()).toBeVisible();
  await expect(
    table(lucarne)
      .getByText(/beats (all|\d)|no better than any/)
      .first(),
  ).toBeVisible();
  await expect(lucarne.trust.getByRole('heading', { name: report.ranking })).toBeVisible();
  await expect(lucarne.trust.locator('report-ranking').getByText(`(${report.isControl})`).first()).toBeVisible();
  await expect(lucarne.trust.getByRole('table', { name: report.agreementTable })).toBeVisible();
  await expect(
    lucarne.trust
      .locator('agreement-matrix')
      .getByText(/least relevant first/)
      .first(),
  ).toBeVisible();
  await expect(lucarne.trust.getByRole('img', { name: /^Parallel coordinates/ })).toBeVisible();
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await check(page, `report, ${width}`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect.soft(over, `${width}: pixels too wide`).toBeLessThanOrEqual(0);
    await page.screenshot({ path: test.info().outputPath(`report-${width}.png`), fullPage: true });
  }
  await lucarne.trust.locator('parallel-plot').getByRole('button', { name: en.trust.asTable }).click();
  await expect(lucarne.trust.getByRole('table', { name: report.placesTable })).toBeVisible();

  const json = await save(lucarne, report.exports.json);
  expect(json.name).toMatch(/report\.json$/);
  const saved = JSON.parse(json.text) as {
    columns: { id: string; about: { reference: string } }[];
    rows: { control: boolean; cells: Record<string, { state: string; result: { score: number } }> }[];
    rankCorrelations: { values: (number | null)[][] };
  };
  expect(saved.columns.length).toBeGreaterThanOrEqual(8);
  expect(saved.columns.every((c) => c.about.reference !== '')).toBe(true);
  expect(saved.rows.filter((r) => !r.control)).toHaveLength(2);
  expect(saved.rows.every((r) => saved.columns.every((c) => r.cells[c.id]?.state === 'done'))).toBe(true);
  expect(saved.rankCorrelations.values).toHaveLength(saved.columns.length);
  const csv = await save(lucarne, report.exports.csv);
  expect(csv.name).toMatch(/report\.csv$/);
  const lines = csv.text.trimEnd().split('\n');
  expect(lines).toHaveLength(1 + saved.rows.length * saved.columns.length);
  expect(lines[0]).toMatch(/^picture,inputSha256,/);
  const first = saved.rows[0]?.cells[saved.columns[0]?.id ?? '']?.result.score;
  expect(lines[1]).toContain(`,scored,${String(first)},`);
});

test('a method that compares with another picture is explained again with the same one', async ({ lucarne }) => {
  test.setTimeout(120_000);
  await lucarne.open('site', OBJECTS);
  await lucarne.choose('DeepLIFT');
  await lucarne.why
    .getByRole('combobox', { name: en.paramNames['reference'] ?? 'reference', exact: true })
    .selectOption('picture');
  await lucarne.why.getByRole('button', { name: en.why.explain, exact: true }).click();
  await expect(lucarne.maps.getByRole('button', { name: en.why.save })).toBeVisible();
  await lucarne.trust.getByRole('button', { name: report.preset.none, exact: true }).click();
  await lucarne.trust.getByRole('searchbox', { name: report.find }).fill('max-sensitivity');
  await tick(lucarne, 'Max sensitivity').check();
  await start(lucarne).click();
  await done(lucarne);
  const row = table(lucarne).getByRole('row', { name: /^DeepLIFT/ });
  await expect(row).not.toContainText(/failed|reference/);
  await row.getByRole('button').last().click();
  await expect(row.getByText(en.provenance.baseline)).toBeVisible();
});

test('a score with a filling by chance is a mean of several, with its spread', async ({ lucarne }) => {
  test.setTimeout(120_000);
  await lucarne.open('site', OBJECTS);
  await lucarne.explain('Gradient');
  const draws = lucarne.trust.getByRole('spinbutton', { name: report.draws });
  await expect(draws).toHaveCount(0);
  await lucarne.trust.getByRole('button', { name: report.preset.none, exact: true }).click();
  await lucarne.trust.getByRole('searchbox', { name: report.find }).fill('deletion');
  await tick(lucarne, 'Deletion').check();
  await tick(lucarne, 'Noise').check();
  await draws.fill('4');
  await draws.blur();
  await start(lucarne).click();
  await done(lucarne);
  const row = table(lucarne).getByRole('row', { name: /^Gradient/ });
  await expect(row).toContainText('±');
  await row.getByRole('button').last().click();
  await expect(row.getByText(/Mean of 4 fillings/)).toBeVisible();
});

test('a sample with a mask is measured by it', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.explain('Gradient');
  await lucarne.trust.getByRole('button', { name: report.preset.none, exact: true }).click();
  const metric = lucarne.trust.locator('details.category').filter({ hasText: report.categories['localisation'] ?? '' });
  test.skip((await metric.count()) === 0, 'this build has no metric of localisation');
  await metric.locator('> summary').click();
  await metric.getByRole('checkbox').first().check();
  await start(lucarne).click();
  await done(lucarne);
  const row = table(lucarne).getByRole('row', { name: /^Gradient/ });
  await expect(row).not.toContainText('no mask');
  await expect(row.getByText(/beats (all|\d)|no better than any/)).toBeVisible();
});

test('cancelled, it keeps what was reached, and goes on from there', async ({ lucarne }) => {
  test.setTimeout(150_000);
  await lucarne.open('site', OBJECTS);
  await lucarne.explain();
  await start(lucarne).click();
  const pending = table(lucarne).getByLabel(en.trust.pending);
  await expect(
    table(lucarne)
      .getByText(/beats (all|\d)|no better than any/)
      .first(),
  ).toBeVisible();
  await lucarne.trust.getByRole('button', { name: en.cancel, exact: true }).click();
  await expect(lucarne.trust.getByText(/The run was cancelled/)).toBeVisible();
  await expect(pending).toHaveCount(0);
  const kept = await table(lucarne).getByRole('button').allTextContents();
  await expect(table(lucarne).getByText(report.unreached).first()).toBeVisible();
  await lucarne.trust.getByRole('button', { name: report.goOn }).click();
  await expect(lucarne.trust.getByText(en.trust.reading)).toBeVisible({ timeout: 100_000 });
  await expect(lucarne.trust.getByRole('progressbar')).toHaveCount(0, { timeout: 100_000 });
  await expect(table(lucarne).getByText(report.unreached)).toHaveCount(0);
  expect((await table(lucarne).getByRole('button').allTextContents()).length).toBeGreaterThan(kept.length);
});

test('the budget ends it, and what was not reached is said', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.trust.getByRole('spinbutton', { name: report.budget }).fill('1');
  await page.keyboard.press('Tab');
  await add(lucarne, 'RISE');
  await start(lucarne).click();
  await expect(lucarne.trust.getByText(/The budget of 1 s was used up/)).toBeVisible();
  await expect(lucarne.trust.getByRole('progressbar')).toHaveCount(0);
  await expect(table(lucarne).getByText(report.unreached).first()).toBeVisible();
  await expect(page.getByRole('alert').filter({ hasText: /\w/ })).toHaveCount(0);
  await check(page, 'budget');
});

test('printed, it is the report alone', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.explain('Gradient');
  await lucarne.score();
  await page.evaluate(() => {
    window.print = () => document.querySelector('lucarne-playground')?.setAttribute('data-printed', '');
  });
  await lucarne.trust.getByRole('button', { name: report.export }).click();
  await lucarne.trust.getByRole('button', { name: report.exports.print, exact: true }).click();
  const host = page.locator('lucarne-playground');
  await expect(host).toHaveAttribute('data-printed', '');
  await expect(host).toHaveAttribute('printing', '');
  await page.emulateMedia({ media: 'print' });
  await expect(lucarne.why).toBeHidden();
  await expect(lucarne.picture).toBeHidden();
  await expect(start(lucarne)).toBeHidden();
  await expect(table(lucarne)).toBeVisible();
  await expect(lucarne.trust.getByText(/, seen by Objects$/)).toBeVisible();
  await page.pdf({ path: test.info().outputPath('report.pdf'), format: 'A4' });
  await page.emulateMedia({ media: 'screen' });
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  await expect(host).not.toHaveAttribute('printing');
  await expect(lucarne.why).toBeVisible();
});

test('the plan is made and the report is read with the keyboard, at 320 pixels', async ({ lucarne, page }) => {
  test.setTimeout(180_000);
  await page.setViewportSize({ width: 320, height: 640 });
  await lucarne.open('site', OBJECTS);
  await add(lucarne, 'Gradient');
  const find = lucarne.trust.getByRole('searchbox', { name: report.find });
  await find.focus();
  await page.keyboard.type('correlation');
  const metric = tick(lucarne, 'Faithfulness correlation');
  await metric.focus();
  await page.keyboard.press('Space');
  await expect(metric).toBeChecked();
  await find.fill('');
  await start(lucarne).focus();
  await page.keyboard.press('Enter');
  await done(lucarne);
  const legend = lucarne.trust.locator('parallel-plot').getByRole('button', { name: 'Gradient', exact: true });
  await legend.focus();
  await page.keyboard.press('Enter');
  await expect(legend).toHaveAttribute('aria-pressed', 'true');
  await check(page, 'keyboard');
  await page.screenshot({ path: test.info().outputPath('narrow.png'), fullPage: true });
});
