// Faults on purpose: the panel says what is injected, the run shows what failed and what a retry saved.
import { expect, expectAccessible, expectNoSidewaysScroll, hydrated, open, runButton, runId, test } from '../helper';

test('half of the requests fail, and the timeline shows the attempts that did', async ({ page, lanes }) => {
  await open(page, '/');
  await page.getByText('Parallel', { exact: true }).first().click();
  const panel = page.locator('details', { hasText: 'Inject faults' });
  await expect(panel.locator('summary')).toHaveText('Inject faults off');
  await panel.locator('summary').click();
  await page.getByLabel('Errors, %').fill('50');
  await expect(panel.locator('summary')).toHaveText(/Inject faults 50\s% errors/);
  await expectAccessible(page);
  await runButton(page).click();
  const id = await runId(page);
  await expect(page.locator('.page-head')).toContainText(/faults on: 50\s% errors/);
  const view = await lanes.finished(id);
  const calls = view.passes.flatMap((pass) => pass.calls);
  expect(calls.some((call) => call.attempts > 1)).toBe(true);
  await page.reload();
  await hydrated(page);
  await expect(page.locator('.page-head')).toContainText(/faults on: 50\s% errors/);
  await expect(page.getByText('Failed attempt').first()).toBeVisible();
  // The same again: the fields say what they said.
  await page.goto(`/?from=${id}`);
  await hydrated(page);
  await expect(panel.locator('summary')).toHaveText(/50\s% errors/);
});

test('what was entered outlives a reload, and what is wrong is said beside it', async ({ page, messages }) => {
  messages.expect(/status of 4\d\d|status of 500/);
  await open(page, '/');
  const panel = page.locator('details', { hasText: 'Inject faults' });
  await panel.locator('summary').click();
  await page.getByLabel('Hangs, %').fill('200');
  await page.getByLabel('Latency', { exact: true }).fill('fixed:1s');
  await page.reload();
  await hydrated(page);
  await expect(panel.locator('summary')).toHaveText(/200\s% hangs, latency fixed:1s/);
  await panel.locator('summary').click();
  await expect(page.getByLabel('Hangs, %')).toHaveValue('200');
  await runButton(page).click();
  await expect(page.getByLabel('Hangs, %')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Hangs, %')).toHaveAccessibleDescription(/200\s% hangs cannot be/);
  await page.getByLabel('Hangs, %').fill('');
  await expect(page.getByLabel('Hangs, %')).toHaveAttribute('aria-invalid', 'false');
  await expect(page).toHaveURL(/\/$/);
});

test('the panel is there for a simulator only, and fits a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, '/');
  const panel = page.locator('details', { hasText: 'Inject faults' });
  await panel.locator('summary').click();
  await expectNoSidewaysScroll(page);
  await page.locator('#provider').evaluate((select: HTMLSelectElement) => {
    select.add(new Option('A real one', 'real'));
    select.value = 'real';
  });
  await expect(panel).toBeHidden();
});

test('a limit of requests and a dead endpoint are injected, and the run gets through', async ({ page, lanes }) => {
  await open(page, '/');
  await page.getByText('Parallel', { exact: true }).first().click();
  const panel = page.locator('details', { hasText: 'Inject faults' });
  await panel.locator('summary').click();
  await page.getByLabel('429s above, a minute').fill('120');
  await page.getByLabel('One dead endpoint').check();
  const words = /429s above 120 a minute, one dead endpoint/;
  await expect(panel.locator('summary')).toHaveText(words);
  await expectAccessible(page);
  await page.reload();
  await hydrated(page);
  await expect(panel.locator('summary')).toHaveText(words);
  await runButton(page).click();
  const id = await runId(page);
  const view = await lanes.finished(id);
  expect(view.status).toBe('succeeded');
  const events = await (await fetch(`${lanes.url}/api/runs/${id}/events`)).text();
  expect(events).toContain('rate_limited');
  expect(events).toContain('· dead endpoint"');
  await expect(page.locator('.page-head')).toContainText(words);
  await page.goto(`/?from=${id}`);
  await hydrated(page);
  await panel.locator('summary').click();
  await expect(page.getByLabel('429s above, a minute')).toHaveValue('120');
  await expect(page.getByLabel('One dead endpoint')).toBeChecked();
});
