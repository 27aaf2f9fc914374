// The same work without JavaScript: a plain form, a redirect, a page that reads whole.
import { chooseTasks, expect, runButton, runStatus, TASKS, test } from '../helper';
import { expectLedgerAddsUp, expectOutputs } from '../report';

test.beforeEach(({ javaScriptEnabled }) => {
  test.skip(javaScriptEnabled !== false, 'the journeys cover the page brought to life');
});

test('a run starts by the plain form, and its finished page reads whole', async ({ page, lanes }) => {
  await page.goto('/');
  await runButton(page).click();
  await page.waitForURL(/\/runs\/[^/?#]+$/);
  const id = new URL(page.url()).pathname.split('/').pop() ?? '';
  const view = await lanes.finished(id);
  expect(view.passes.flatMap((p) => p.calls)).toHaveLength(2 * TASKS.length);
  await page.reload();
  await expect(runStatus(page)).toHaveText('Finished');
  await expect(page.getByRole('heading', { name: /Parallel finished [\d.]+× sooner/ })).toBeVisible();
  await expectLedgerAddsUp(page, view);
  await expectOutputs(page);
  await page.goto('/runs');
  await expect(page.locator(`a[href="/runs/${id}"]`).first()).toBeVisible();
});

test('a form without a task comes back as it was and says what is missing', async ({ page, messages }) => {
  messages.expect(/status of 4(00|22)/);
  await page.goto('/');
  await page.getByRole('textbox', { name: 'Text', exact: true }).fill('A text to keep.');
  await chooseTasks(page, []);
  await runButton(page).click();
  await expect(page.getByRole('heading', { name: 'Workbench' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Text', exact: true })).toHaveValue('A text to keep.');
  await expect(page.locator('main')).toContainText(/task/i);
  await expect(page).not.toHaveURL(/\/runs\/./);
});

test('pace, budget and faults work in the plain form, and come back as they were', async ({ page, lanes, messages }) => {
  messages.expect(/status of 4(00|22)/);
  await page.goto('/');
  await page.locator('.seg').getByText('Parallel', { exact: true }).click();
  const options = page.locator('details.options');
  await options.locator('summary').click();
  await page.getByLabel('Deadline, s').fill('soon');
  await page.getByLabel('Priority').selectOption('batch');
  await page.getByLabel(/Hedge slow calls/).check();
  await page.locator('details.faults summary').click();
  await page.getByLabel('One dead endpoint').check();
  await runButton(page).click();
  await expect(page.getByLabel('Deadline, s')).toHaveValue('soon');
  await expect(page.getByLabel('Deadline, s')).toHaveAccessibleDescription(/“soon” is not a number of seconds/);
  await expect(options.locator('summary')).toContainText(/Deadline soon\ss · batch · slow calls hedged/);
  await page.getByLabel('Deadline, s').fill('30');
  await runButton(page).click();
  await page.waitForURL(/\/runs\/[^/?#]+$/);
  const id = new URL(page.url()).pathname.split('/').pop() ?? '';
  const view = await lanes.finished(id);
  expect(view.status).toBe('succeeded');
  await page.goto(`/?from=${id}`);
  await expect(options.locator('summary')).toContainText(/Deadline 30\ss · batch · slow calls hedged/);
  await expect(page.locator('details.faults summary')).toContainText('one dead endpoint');
});
