// Workflows without JavaScript: the same forms, with the check behind its button.
import { expect, test } from '../helper';

test.beforeEach(({ javaScriptEnabled }) => {
  test.skip(javaScriptEnabled !== false, 'the journeys cover the page brought to life');
});

test('a workflow is written, checked, saved, run and deleted', async ({ page, lanes, messages }) => {
  messages.expect(/status of 422/);
  await page.goto('/workflows/new');
  const definition = page.getByRole('textbox', { name: 'Definition' });
  const text = (await definition.inputValue()).replace('my-workflow', 'plain');
  await definition.fill(text.replace('id = "read"', 'id = "read"\nneeds = ["decide"]'));
  await page.getByRole('button', { name: 'Check' }).click();
  await expect(page.locator('#problems')).toContainText('“read” → “decide” → “read”');
  await expect(page.getByText('Unsaved changes')).toBeVisible();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.locator('#problems')).toContainText('circle');
  await definition.fill(text);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/\/workflows\/plain\?saved/);
  await expect(page.locator('.node')).toHaveCount(2);
  await page.getByRole('button', { name: 'Run workflow' }).click();
  await page.waitForURL(/\/runs\/[^/?#]+$/);
  const view = await lanes.finished(new URL(page.url()).pathname.split('/').pop() ?? '');
  expect(view.status).toBe('succeeded');
  await page.reload();
  await expect(page.locator('.node').filter({ hasText: 'Decide' })).toContainText('4 of 4');
  await page.goto('/workflows/plain');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/\/workflows$/);
});
