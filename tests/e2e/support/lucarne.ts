/** What the specs share: both builds, a page that may not speak to anyone, and its parts by their names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { test as base, expect, type Locator, type Page } from '@playwright/test';

import { en } from '../../../www/src/i18n/en';
import { serve, type Served } from './server';

export { expect };
export { en };

export const ROOT = join(__dirname, '../../..');
export const SITE = join(ROOT, 'dist/site');
export const SINGLE = join(ROOT, 'dist/lucarne.html');

export type Build = 'site' | 'single';
export const BUILDS: readonly Build[] = ['site', 'single'];

/** A network small enough to score in a test, and the large one. */
export const OBJECTS = '#v=1&model=objects';

/** Requests that stay inside the browser. */
const INSIDE = /^(blob|data|about):/;

export class Lucarne {
  /** Everything that must not have happened: errors, refusals by the policy, requests after loading. */
  readonly faults: string[] = [];
  #sealed = false;

  constructor(
    readonly page: Page,
    readonly site: Served,
  ) {
    page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      if (this.#sealed && !INSIDE.test(request.url())) this.faults.push(`request: ${request.url()}`);
    });
  }

  url(build: Build): string {
    return build === 'site' ? this.site.url : pathToFileURL(SINGLE).href;
  }

  /** Opens the page, waits for its first answer and all its files, then takes the network away for good. */
  async open(build: Build = 'site', hash = ''): Promise<void> {
    await this.page.goto(this.url(build) + hash);
    await this.loaded();
    await this.seal();
  }

  async loaded(): Promise<void> {
    await expect(this.page.getByText(en.status.offline).or(this.page.getByText('Tout est chargé'))).toBeVisible();
  }

  /** From here on, any request is a fault. */
  async seal(): Promise<void> {
    await this.page.context().setOffline(true);
    this.#sealed = true;
  }

  /** The four steps, by their elements: their contents are slotted, so that the regions do not hold them in the DOM. */
  get picture(): Locator {
    return this.page.locator('picture-section');
  }

  get answer(): Locator {
    return this.page.locator('answer-section');
  }

  get why(): Locator {
    return this.page.locator('why-section');
  }

  get trust(): Locator {
    return this.page.locator('trust-section');
  }

  /** The sentence of the answer: `The network answers: …`. */
  get sentence(): Locator {
    return this.answer.getByText(/The network answers:/);
  }

  /** The cards of finished and running explanations. */
  get maps(): Locator {
    return this.why.getByRole('article');
  }

  async chooseNetwork(name: RegExp): Promise<void> {
    const picker = this.picture.getByRole('combobox', { name: en.model.network });
    const label = await picker.locator('option').filter({ hasText: name }).first().textContent();
    await picker.selectOption({ label: label?.trim() ?? '' });
  }

  method(name: string): Locator {
    return this.why.getByRole('radio', { name, exact: true });
  }

  /** Chooses a method as a visitor does: by its chip, found by its name where its family is folded. */
  async choose(name: string): Promise<void> {
    const chip = this.method(name);
    const folded = !(await chip.isVisible());
    if (folded) await this.methodSearch.fill(name);
    await chip.check({ force: true });
    if (folded) await this.methodSearch.fill('');
  }

  get methodSearch(): Locator {
    return this.why.getByRole('searchbox', { name: /^Search \d+ methods$/ });
  }

  /** Explains with a method and waits for its map. */
  async explain(name?: string): Promise<void> {
    const before = await this.maps.count();
    if (name !== undefined) await this.choose(name);
    await this.why.getByRole('button', { name: en.why.explain, exact: true }).click();
    await expect(this.maps).toHaveCount(before + 1);
    await expect(this.maps.last().getByRole('button', { name: en.why.save })).toBeVisible();
  }

  async score(): Promise<void> {
    await this.trust.getByRole('button', { name: en.trust.score, exact: true }).click();
    await expect(this.trust.getByText(en.trust.reading)).toBeVisible({ timeout: 60_000 });
  }

  /** Drops files on the page, as from the desktop. */
  async drop(files: { name: string; type: string; bytes: Buffer }[]): Promise<void> {
    const plain = files.map(({ name, type, bytes }) => ({ name, type, base64: bytes.toString('base64') }));
    const transfer = await this.page.evaluateHandle((all) => {
      const data = new DataTransfer();
      for (const { name, type, base64 } of all) {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
      }
      return data;
    }, plain);
    const target = this.page.locator('lucarne-playground');
    await target.dispatchEvent('dragover', { dataTransfer: transfer });
    await target.dispatchEvent('drop', { dataTransfer: transfer });
  }
}

interface Own {
  lucarne: Lucarne;
}

interface Shared {
  site: Served;
}

/** A test with the site served under a sub-path, that fails on any fault of the page. */
export const test = base.extend<Own, Shared>({
  site: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads the fixtures' names from here.
    async ({}, use) => {
      for (const file of [join(SITE, 'index.html'), SINGLE]) {
        if (!existsSync(file)) throw new Error(`${file} is missing: cargo xtask build, cargo xtask single-file`);
      }
      const served = await serve(SITE, { prefix: '/some/where/' });
      await use(served);
      await served.close();
    },
    { scope: 'worker' },
  ],
  lucarne: async ({ page, site }, use) => {
    const lucarne = new Lucarne(page, site);
    await use(lucarne);
    expect(lucarne.faults).toEqual([]);
  },
});
