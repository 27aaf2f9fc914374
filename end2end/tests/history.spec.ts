// The list of runs, and going from an old run to a new one.
import { COMPARE, expect, hydrated, open, runButton, runId, runStatus, test } from '../helper';

test('runs are listed newest first and open from their row', async ({ page, lanes }) => {
  const older = await lanes.done({ input: { sample: 'business-report' }, tasks: ['category'], mode: 'sequential' });
  const newer = await lanes.done({ input: { sample: 'technology-news' }, tasks: ['category', 'keywords'], mode: 'parallel' });
  await open(page, '/runs');
  await expect(page.getByRole('heading', { name: 'Runs', level: 1 })).toBeVisible();
  const links = page.locator('tbody a[href^="/runs/"]');
  const order = await links.evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  const [first, second] = [order.indexOf(`/runs/${newer.id}`), order.indexOf(`/runs/${older.id}`)];
  expect(first).toBeGreaterThanOrEqual(0);
  expect(second).toBeGreaterThan(first);
  await page.locator(`tbody a[href="/runs/${newer.id}"]`).first().click();
  await expect(page).toHaveURL(new RegExp(`/runs/${newer.id}$`));
  await expect(runStatus(page)).toHaveText('Finished');
});

test('a filter stands in the address and survives a reload', async ({ page, lanes }) => {
  const sequential = await lanes.done({ input: { sample: 'business-report' }, tasks: ['category'], mode: 'sequential' });
  const parallel = await lanes.done({ input: { sample: 'business-report' }, tasks: ['category'], mode: 'parallel' });
  await open(page, '/runs');
  await page.getByRole('group', { name: 'Mode' }).getByText('Sequential', { exact: true }).click();
  await expect(page).toHaveURL(/mode=sequential/);
  const link = (id: string) => page.locator(`tbody a[href="/runs/${id}"]`);
  await expect(link(parallel.id)).toHaveCount(0);
  await expect(link(sequential.id)).not.toHaveCount(0);
  await page.reload();
  await expect(link(parallel.id)).toHaveCount(0);
  await expect(link(sequential.id)).not.toHaveCount(0);
});

test('run again with changes fills the Workbench in and starts a new run', async ({ page, lanes }) => {
  const first = await lanes.done({
    input: { text: 'Bridges need inspection. Inspection needs time. Time needs planning.' },
    tasks: ['summary', 'category'],
    mode: 'parallel',
    concurrency: 2,
  });
  await open(page, `/runs/${first.id}`);
  await page.getByRole('link', { name: /Run again/ }).first().click();
  await page.waitForURL((url) => url.pathname === '/');
  await hydrated(page);
  await expect(page.getByRole('textbox', { name: 'Text', exact: true })).toHaveValue(/Bridges need inspection/);
  await expect(page.getByRole('checkbox', { name: 'Summary' })).toBeChecked();
  await expect(page.getByRole('checkbox', { name: 'Keywords' })).not.toBeChecked();
  await expect(page.getByRole('radio', { name: 'Parallel' })).toBeChecked();
  const lanesField = page.getByRole('textbox', { name: 'Concurrency' });
  await expect(lanesField).toHaveValue('2');
  await expect(lanesField).toBeFocused();
  await lanesField.fill('1');
  await runButton(page).click();
  const id = await runId(page);
  expect(id).not.toBe(first.id);
  const again = await lanes.finished(id);
  expect(again.passes[0]?.concurrency).toBe(1);
  expect(again.title).toBe(first.title);
});

test('the list says what a compare run saved', async ({ page, lanes }) => {
  const view = await lanes.done(COMPARE);
  await open(page, '/runs');
  const row = page.getByRole('row').filter({ has: page.locator(`a[href="/runs/${view.id}"]`) });
  await expect(row).toContainText(`${view.comparison?.speedup.toFixed(1)}×`);
  await expect(row).toContainText('Compare');
});
