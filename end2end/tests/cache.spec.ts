// Cached answers: asked for with a box, marked on the cards and in the report, purged from the list.
import { expect, expectAccessible, hydrated, open, runButton, runId, test } from '../helper';

test('a second run comes from the cache until that is purged', async ({ page, lanes }) => {
  await open(page, '/');
  const box = page.getByLabel('Use cached answers');
  await expect(box).toBeHidden();
  await page.getByText('Parallel', { exact: true }).first().click();
  await box.check();
  await expectAccessible(page);
  await runButton(page).click();
  const first = await runId(page);
  const calls = (await lanes.finished(first)).passes[0]!.calls;
  expect(calls.every((call) => call.attempts === 1)).toBe(true);

  // The same again: the tick is kept.
  await page.goto(`/?from=${first}`);
  await hydrated(page);
  await expect(box).toBeChecked();
  await runButton(page).click();
  const second = await runId(page);
  const again = (await lanes.finished(second)).passes[0]!.calls;
  expect(again.map((call) => call.attempts)).toEqual(calls.map(() => 0));
  await expect(page.locator('#result-0')).toContainText('from cache');
  await expect(page.getByText(`${calls.length} answers from cache`)).toBeVisible();
  await page.reload();
  await hydrated(page);
  await expect(page.locator('#result-0')).toContainText('from cache');
  await expectAccessible(page);

  await open(page, '/runs');
  await page.getByRole('button', { name: 'Purge cached answers' }).click();
  await expect(page).toHaveURL(/\/runs$/);
  await page.goto(`/?from=${second}`);
  await hydrated(page);
  await runButton(page).click();
  const third = (await lanes.finished(await runId(page))).passes[0]!.calls;
  expect(third.map((call) => call.attempts)).toEqual(calls.map(() => 1));
});

test('compare does not ask for cached answers, ticked or not', async ({ page, lanes }) => {
  await open(page, '/');
  await page.getByText('Parallel', { exact: true }).first().click();
  const box = page.getByLabel('Use cached answers');
  await box.check();
  await page.getByText('Compare', { exact: true }).first().click();
  await expect(box).toBeHidden();
  await runButton(page).click();
  const view = await lanes.finished(await runId(page));
  expect(view.status).toBe('succeeded');
});
