/** The page inside other pages. */
import { readFileSync } from 'node:fs';

import { chromium } from '@playwright/test';

import { en, expect, SINGLE, test } from './support/lucarne';
import { serve } from './support/server';

test('the single file works in a sandbox without an origin', async ({ lucarne, page }) => {
  // As a learning platform does: the file is framed with leave to run scripts and nothing else.
  await page.route('**/course.html', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: '<!doctype html><title>Course</title><iframe sandbox="allow-scripts" src="lucarne.html" title="Lucarne" style="width:1200px;height:850px"></iframe>',
    }),
  );
  await page.route('**/lucarne.html', (route) =>
    route.fulfill({ contentType: 'text/html', body: readFileSync(SINGLE) }),
  );
  await page.goto(`${lucarne.site.url}course.html`);
  const frame = page.frameLocator('iframe');
  await expect(frame.getByText(en.status.offline)).toBeVisible();
  await lucarne.seal();
  await expect(frame.locator('answer-section').getByText(/The network answers:/)).toContainText('cat');
  await frame.locator('why-section').getByRole('button', { name: en.why.explain, exact: true }).click();
  await expect(frame.locator('why-section').getByRole('button', { name: en.why.save })).toBeVisible();
  expect(await page.frames()[1]?.evaluate(() => self.origin)).toBe('null');
});

test('the framed site works', async ({ lucarne, page }) => {
  await page.goto(`${lucarne.site.url}embed/iframe.html`);
  await expect(
    page
      .frameLocator('iframe')
      .locator('answer-section')
      .getByText(/The network answers:/),
  ).toBeVisible();
  await expect(page.frameLocator('iframe').getByText(en.status.offline)).toBeVisible();
});

test('the element works in a page of its own, and tells it what was found', async ({ lucarne, page }) => {
  await page.goto(`${lucarne.site.url}embed/element.html`);
  await lucarne.loaded();
  const told = page.evaluate(
    () =>
      new Promise((resolve) =>
        document.addEventListener('lucarne-explained', (event) =>
          resolve((event as CustomEvent<{ map: Float32Array }>).detail.map.length),
        ),
      ),
  );
  await lucarne.explain();
  expect(await told).toBeGreaterThan(0);
});

test('lucarne-playground.js brings the element to any page of the site', async ({ lucarne, page }) => {
  await page.route('**/blog/post.html', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: '<!doctype html><title>Post</title><lucarne-playground model="objects" method="gradient"></lucarne-playground><script type="module" src="../lucarne-playground.js"></script>',
    }),
  );
  await page.goto(`${lucarne.site.url}blog/post.html`);
  await lucarne.loaded();
  await expect(lucarne.method('Gradient')).toBeChecked();
  await expect(lucarne.picture.getByRole('combobox', { name: en.model.network })).toHaveValue('objects');
});

for (const [name, policy] of [
  ['workers', "script-src 'unsafe-inline' 'self' 'wasm-unsafe-eval'; worker-src 'none'"],
  ['WebAssembly', "script-src 'unsafe-inline' 'self'; worker-src blob:"],
] as const) {
  test(`a host that forbids ${name} gets an answer or a plain reason`, async ({ lucarne, page }) => {
    await page.route('**/strict.html', (route) =>
      route.fulfill({
        contentType: 'text/html',
        headers: { 'content-security-policy': policy },
        body: '<!doctype html><title>Strict</title><lucarne-playground model="objects"></lucarne-playground><script type="module" src="lucarne-playground.js"></script>',
      }),
    );
    await page.goto(`${lucarne.site.url}strict.html`);
    if (name === 'workers') {
      // Without workers the engine shares the page's thread.
      await expect(lucarne.sentence).toBeVisible();
      await lucarne.explain('Gradient');
    } else {
      await expect(page.getByRole('alert').filter({ hasText: 'wasm-unsafe-eval' })).toBeVisible();
    }
    // The browser's own words about the policy are no fault here.
    lucarne.faults.splice(
      0,
      lucarne.faults.length,
      ...lucarne.faults.filter((f) => !/Content Security Policy|violates/.test(f)),
    );
  });
}

test('a plain host that knows no WebAssembly serves it all the same', async ({ lucarne, page }) => {
  const plain = await serve(new URL(`file://${SINGLE}/../site`).pathname, { prefix: '/~someone/', plain: true });
  await page.goto(plain.url);
  await lucarne.loaded();
  await expect(lucarne.sentence).toBeVisible();
  await plain.close();
});

test('the site opens again without its server, after one visit', async ({ site }, info) => {
  const options = info.project.use;
  const browser = await chromium.launch({ ...options.launchOptions, headless: true });
  const context = await browser.newContext({ serviceWorkers: 'allow', viewport: options.viewport ?? null });
  const page = await context.newPage();
  const served = await serve(new URL(`file://${SINGLE}/../site`).pathname, { prefix: '/kept/' });
  await page.goto(served.url);
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    if (registration.active?.state === 'activated') return;
    await new Promise((resolve) => registration.active?.addEventListener('statechange', resolve));
  });
  await served.close();
  await context.setOffline(true);
  await page.goto('about:blank');
  await page.goto(`${served.url}#v=1&model=objects`);
  await expect(page.getByText(en.status.offline)).toBeVisible();
  await expect(page.locator('answer-section').getByText(/The network answers:/)).toBeVisible();
  await browser.close();
  expect(site.url).toContain('127.0.0.1');
});
