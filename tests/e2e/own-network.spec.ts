import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { en, expect, ROOT, test } from './support/lucarne';

const onnx = (name: string) => ({
  name: `${name}.onnx`,
  type: 'application/octet-stream',
  bytes: readFileSync(join(ROOT, 'tests/nets', `${name}.onnx`)),
});

test('a network is dropped, looked at, corrected and explained', async ({ lucarne, page }) => {
  await lucarne.open('single');
  await lucarne.drop([onnx('residual')]);
  const form = page.getByRole('form', { name: en.draft.title });
  await expect(form).toBeVisible();
  await form.getByText(en.draft.reasons).click();
  await form.getByRole('combobox', { name: en.draft.preset }).selectOption({ label: en.draft.presets.unit });
  await form.getByRole('textbox', { name: en.draft.name }).fill('My network');
  await form.getByRole('textbox', { name: en.draft.name }).blur();
  await page.screenshot({ path: test.info().outputPath('own-network.png'), fullPage: true });
  await form.getByRole('button', { name: en.draft.load }).click();
  await expect(form).toBeHidden();
  await expect(lucarne.picture.getByRole('combobox', { name: en.model.network })).toHaveValue(/own/);
  await expect(lucarne.sentence).toBeVisible();
  await lucarne.explain('Gradient');
});

test('every kind of network loads: layouts, heads, packed weights, several outputs', async ({ lucarne, page }) => {
  await lucarne.open('single');
  for (const name of [
    'nhwc',
    'softmax-head',
    'sigmoid-head',
    'residual-f16',
    'residual-symbolic',
    'multi-output',
    'tiny-vit',
  ]) {
    await lucarne.drop([onnx(name)]);
    const form = page.getByRole('form', { name: en.draft.title });
    await form.getByRole('button', { name: en.draft.load }).click();
    await expect(form, name).toBeHidden();
    await expect(lucarne.sentence, name).toBeVisible();
  }
});

test('a number that is none is told at its field', async ({ lucarne, page }) => {
  await lucarne.open('single');
  await lucarne.drop([onnx('plain')]);
  const form = page.getByRole('form', { name: en.draft.title });
  const mean = form.getByRole('textbox', { name: en.draft.mean });
  await mean.fill('half');
  await mean.blur();
  await expect(form.getByRole('alert')).toHaveText(en.draft.badNumbers);
  await expect(mean).toHaveAttribute('aria-invalid', 'true');
});

test('hostile files are refused in words, and nothing is lost', async ({ lucarne }) => {
  await lucarne.open('single');
  const before = await lucarne.sentence.textContent();
  const bad = (name: string, bytes: Buffer) => ({ name, type: 'application/octet-stream', bytes });
  const cut = onnx('residual').bytes.subarray(0, 20_000);
  const flipped = Buffer.from(onnx('plain').bytes.map((b, k) => (k % 97 === 5 ? b ^ 0xff : b)));
  for (const file of [
    bad('noise.onnx', Buffer.alloc(5000, 'lucarne ')),
    bad('cut.onnx', cut),
    bad('empty.onnx', Buffer.alloc(0)),
    bad('flipped.onnx', flipped),
  ]) {
    await lucarne.drop([file]);
    const alert = lucarne.picture.getByRole('alert').filter({ hasText: /\w/ });
    await expect(alert, file.name).toContainText(
      /This is not a readable ONNX file|cannot be run|not an image classifier|too large/,
    );
    await alert.getByRole('button', { name: en.close }).click();
  }
  expect(await lucarne.sentence.textContent()).toBe(before);
  await lucarne.explain();
});

test('a file that is no picture is refused in words', async ({ lucarne }) => {
  await lucarne.open('single');
  await lucarne.drop([{ name: 'holiday.png', type: 'image/png', bytes: Buffer.from('not a picture') }]);
  await expect(
    lucarne.picture.getByRole('alert').filter({ hasText: en.errors.title['picture-unreadable'] }),
  ).toBeVisible();
});

test('a dropped photograph is answered and explained', async ({ lucarne }) => {
  await lucarne.open('single');
  const bytes = readFileSync(join(ROOT, 'models/efficientnet-lite0/samples/macaw.jpg'));
  await lucarne.drop([{ name: 'my bird.jpg', type: 'image/jpeg', bytes }]);
  await expect(lucarne.sentence).toContainText('macaw');
  await lucarne.explain();
  await expect(lucarne.picture.getByText(/my bird\.jpg/)).toBeVisible();
});
