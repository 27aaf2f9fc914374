// The finished timeline played again from the log.
import { expect, open, test } from '../helper';

test('replay plays to the end, and scrubbing shows any moment', async ({ page, lanes }) => {
  const view = await lanes.done();
  await open(page, `/runs/${view.id}`);
  const position = page.getByRole('slider', { name: 'Replay position' });
  const end = Number(await position.getAttribute('max'));
  await expect(position).toHaveValue(String(end));
  const calls = page.locator('.timeline .call:not(.is-ghost)');
  await expect(calls).toHaveCount(12);

  await position.fill('0');
  await expect.poll(() => calls.count()).toBeLessThan(12);
  await position.fill(String(Math.round(end / 4)));
  await expect.poll(() => calls.count()).toBeGreaterThan(0);

  await page.getByText('5×', { exact: true }).click();
  await position.fill('0');
  await page.getByRole('button', { name: /^(Replay|Play)/ }).click();
  await expect(page.getByRole('button', { name: /^Pause/ })).toBeVisible();
  await expect.poll(async () => Number(await position.inputValue())).toBeGreaterThan(0);
  await expect(position).toHaveValue(String(end), { timeout: 15_000 });
  await expect(calls).toHaveCount(12);
  await expect(page.getByRole('button', { name: /^Replay/ })).toBeVisible();
});

test('space plays and pauses, arrows step', async ({ page, lanes }) => {
  const view = await lanes.done();
  await open(page, `/runs/${view.id}`);
  const position = page.getByRole('slider', { name: 'Replay position' });
  const value = async () => Number(await position.inputValue());
  const end = await value();
  await page.locator('body').press('ArrowLeft');
  await expect.poll(value).toBeLessThan(end);
  const once = await value();
  await page.locator('body').press('Shift+ArrowLeft');
  await expect.poll(value).toBeLessThan(once);
  await page.locator('body').press('ArrowRight');
  await page.locator('body').press('Space');
  await expect(page.getByRole('button', { name: /^Pause/ })).toBeVisible();
  await page.locator('body').press('Space');
  await expect(page.getByRole('button', { name: /^(Replay|Play)/ })).toBeVisible();
});
