import type { Locator, Page } from '@playwright/test';

import { en, expect, OBJECTS, test } from './support/lucarne';

/** The most frames that the page may draw between Cancel and its offer to start again: 100 ms of an unhurried screen. */
const FRAMES = 6;

/** Frames, and for the record milliseconds, from a click on Cancel until the page offers to start again. */
async function cancelled(button: Locator, again: string): Promise<{ frames: number; took: number }> {
  return button.evaluate(async (element, text) => {
    const from = performance.now();
    let frames = 0;
    (element as HTMLButtonElement).click();
    for (; element.textContent.trim() !== text; frames += 1) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    return { frames, took: performance.now() - from };
  }, again);
}

test('cancelling an explanation frees the page at once, and the next one runs', async ({ lucarne }) => {
  await lucarne.open('site');
  await lucarne.choose('Occlusion');
  const button = lucarne.why.getByRole('button', { name: en.why.explain, exact: true });
  await button.click();
  await expect(lucarne.why.getByRole('progressbar')).toBeVisible();
  await expect(lucarne.why.getByText(/passes/)).toBeVisible();
  const stop = lucarne.why.getByRole('button', { name: en.cancel, exact: true });
  const { frames, took } = await cancelled(stop, en.why.explain);
  test.info().annotations.push({ type: 'cancel', description: `${took.toFixed(1)} ms` });
  expect(frames).toBeLessThanOrEqual(FRAMES);
  await expect(lucarne.why.getByRole('progressbar')).toHaveCount(0);
  await lucarne.explain('Grad-CAM');
});

test('cancelling scores frees the page at once', async ({ lucarne }) => {
  await lucarne.open('site', OBJECTS);
  await lucarne.explain();
  await lucarne.trust.getByRole('button', { name: en.trust.score, exact: true }).click();
  await expect(lucarne.trust.getByRole('progressbar')).toBeVisible();
  const { frames } = await cancelled(
    lucarne.trust.getByRole('button', { name: en.cancel, exact: true }),
    en.trust.score,
  );
  expect(frames).toBeLessThanOrEqual(FRAMES);
  await lucarne.score();
});

/** The longest time, milliseconds, that the page took for a turn of its event loop within a second. */
function longestTurn(page: Page): Promise<number> {
  return page.evaluate(async () => {
    let [last, most] = [performance.now(), 0];
    for (const end = last + 1000; last < end;) {
      await new Promise((resolve) => setTimeout(resolve, 16));
      const at = performance.now();
      most = Math.max(most, at - last);
      last = at;
    }
    return most;
  });
}

test('the page answers while the engine works', async ({ lucarne, page }) => {
  await lucarne.open('site');
  await expect(lucarne.sentence).toBeVisible();
  const idle = await longestTurn(page);
  await lucarne.choose('RISE');
  await lucarne.why.getByRole('button', { name: en.why.explain, exact: true }).click();
  await expect(lucarne.why.getByText(/passes/)).toBeVisible();
  const busy = await longestTurn(page);
  test
    .info()
    .annotations.push({ type: 'longest turn', description: `${busy.toFixed(0)} ms; idle ${idle.toFixed(0)} ms` });
  // The engine is not on the page's own thread, and what the visitor does takes effect before the job is over.
  expect(page.workers().length).toBeGreaterThan(0);
  await page.getByRole('combobox', { name: en.theme }).selectOption('dark');
  await expect(page.locator('lucarne-playground')).toHaveAttribute('theme', 'dark');
  await expect(lucarne.why.getByRole('progressbar')).toBeVisible();
  await lucarne.why.getByRole('button', { name: en.cancel, exact: true }).click();
});
