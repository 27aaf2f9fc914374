// Tasks without JavaScript: the same form, with the preview and the trial behind their buttons.
import { expect, test } from '../helper';

test.beforeEach(({ javaScriptEnabled }) => {
  test.skip(javaScriptEnabled !== false, 'the journeys cover the page brought to life');
});

test('a task is written, previewed, tried, saved, imported and deleted', async ({ page, messages }) => {
  messages.expect(/status of 422/);
  await page.goto('/tasks/new');
  await page.getByLabel('Id', { exact: true }).fill('plain');
  await page.getByLabel('Name', { exact: true }).fill('Plain');
  await page.getByLabel('Prompt', { exact: true }).fill('\nBegin\n{{text}}\nEnd');
  await page.getByLabel('Preview text').selectOption('');
  await page.getByLabel('Text to try it on').fill('It was <b>good</b>.');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page.locator('#prompt-preview pre').last()).toHaveText('\nBegin\nIt was <b>good</b>.\nEnd');
  await expect(page.getByLabel('Prompt', { exact: true })).toHaveValue('\nBegin\n{{text}}\nEnd');
  await expect(page.getByText('Unsaved changes')).toBeVisible();
  await page.getByRole('button', { name: 'Try once' }).click();
  await expect(page.locator('#trial .answered')).toContainText('good');
  await page.getByRole('button', { name: /Save task/ }).click();
  await page.waitForURL(/\/tasks\/plain\?saved/);
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  const file = await (await page.request.get('/api/tasks/plain?format=json')).text();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/\/tasks$/);
  await page.getByLabel('Or its text').fill(file.replace('{{text}}', 'nothing'));
  await page.getByRole('button', { name: 'Import' }).click();
  await expect(page.getByRole('alert')).toContainText('/tasks/0/prompt');
  await page.getByLabel('Or its text').fill(file);
  await page.getByRole('button', { name: 'Import' }).click();
  await expect(page.getByText('1 task imported.')).toBeVisible();
  await page.goto('/tasks/plain');
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/\/tasks$/);
});
