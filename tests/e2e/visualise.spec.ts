/** Feature visualisation: a picture that a class or a channel answers to, made in the page. */
import { AxeBuilder } from '@axe-core/playwright';

import { en, expect, OBJECTS, test } from './support/lucarne';

const label = (name: string) => en.paramNames[name] ?? name;

test('a class and a channel are visualised, and a climb can be cancelled', async ({ lucarne, page }) => {
  await lucarne.open('site', OBJECTS);
  const section = page.locator('visualise-section');
  await section.getByText(en.settings, { exact: true }).click();
  await section.getByRole('spinbutton', { name: label('steps'), exact: true }).fill('24');
  await section.getByRole('spinbutton', { name: label('steps'), exact: true }).press('Tab');
  await section.getByRole('button', { name: en.visualise.run, exact: true }).click();
  await expect(section.getByText(/The objective rose from/)).toBeVisible({
    timeout: 60_000,
  });
  const picture = section.getByRole('img', { name: en.visualise.alt });
  const colours = await picture.evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const data = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    return new Set(data).size;
  });
  expect(colours).toBeGreaterThan(50);

  await section.getByRole('combobox', { name: label('objective') }).selectOption('channel');
  await expect(
    section.getByRole('spinbutton', {
      name: label('channel'),
      exact: true,
    }),
  ).toBeVisible();
  await section.getByRole('button', { name: en.visualise.run, exact: true }).click();
  await expect(section.getByText(/What channel 0 of/)).toBeVisible({
    timeout: 60_000,
  });
  const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
  expect(found.violations).toEqual([]);

  await section.getByRole('spinbutton', { name: label('steps'), exact: true }).fill('4096');
  await section.getByRole('spinbutton', { name: label('steps'), exact: true }).press('Tab');
  await section.getByRole('button', { name: en.visualise.run, exact: true }).click();
  await section.getByRole('button', { name: en.cancel, exact: true }).click();
  await expect(section.getByRole('button', { name: en.visualise.run, exact: true })).toBeVisible();
  await expect(section.getByText(/What channel 0 of/)).toBeVisible();
});
