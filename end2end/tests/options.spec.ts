// Pace, budget and fallback: what the panel says is what the run has, and what the next one begins with.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, expectAccessible, expectNoSidewaysScroll, hydrated, open, runButton, runId, test, type Page } from '../helper';

// A provider at which nobody answers: whatever is asked of it has to go on elsewhere.
const config = join(mkdtempSync(join(tmpdir(), 'lanes-options-')), 'lanes.toml');
writeFileSync(config, '[[provider]]\nname = "down"\nbase_urls = ["http://127.0.0.1:9/v1"]\nmodels = ["small"]\n');

test.use({ limits: { LANES_CONFIG: config } });

interface Asked {
  status: string;
  priority: string;
  spec?: unknown;
}

const panel = (page: Page) => page.locator('details.options');

/** The Workbench in that mode on the simulator, with the panel open. */
async function opened(page: Page, mode: string): Promise<void> {
  await open(page, '/');
  await page.locator('#provider').selectOption('simulator');
  await page.locator('.seg').getByText(mode, { exact: true }).click();
  await panel(page).locator('summary').click();
}

test('what is set is said, reaches the run, and is there again for the next one', async ({ page, lanes }) => {
  await opened(page, 'Parallel');
  await expect(panel(page).locator('summary')).toHaveText('Pace, budget and fallback as usual');
  await page.getByLabel('Spending limit, $').fill('0.10');
  await page.getByLabel('Deadline, s').fill('60');
  await page.getByLabel('Adaptive concurrency').selectOption('On');
  await page.getByLabel('Priority').selectOption('batch');
  await page.getByLabel(/Hedge slow calls/).check();
  await page.getByLabel(/Redact personal data/).check();
  await page.getByLabel('Fallback', { exact: true }).selectOption('down · small');
  const words =
    /Budget \$0\.10 · deadline 60\ss · adaptive on · batch · slow calls hedged · personal data redacted · fallback: down\/small/;
  await expect(panel(page).locator('summary')).toContainText(words);
  await expectAccessible(page);
  await runButton(page).click();
  const id = await runId(page);
  const view = (await lanes.finished(id)) as unknown as Asked & Record<string, unknown>;
  expect(view.status).toBe('succeeded');
  const events = await (await fetch(`${lanes.url}/api/runs/${id}/events`)).text();
  const created = JSON.parse(/^data: (.*run_created.*)$/m.exec(events)?.[1] ?? '{}');
  expect(created.header.spec).toMatchObject({
    budget: { max_cost_usd_micros: 100_000, deadline_ms: 60_000 },
    adaptive: true,
    hedge: true,
    redact: true,
    priority: 'batch',
    fallback: [{ provider: 'down', model: 'small' }],
  });
  await page.goto(`/?from=${id}`);
  await hydrated(page);
  await expect(panel(page).locator('summary')).toContainText(words);
  await panel(page).locator('summary').click();
  await expect(page.getByLabel('Deadline, s')).toHaveValue('60');
  await expect(page.getByLabel(/Hedge slow calls/)).toBeChecked();
  await expect(page.getByLabel('Fallback', { exact: true })).toHaveValue('down/small');
});

test('a provider that is down is left for the fallback', async ({ page, lanes }) => {
  await open(page, '/');
  await page.locator('.seg').getByText('Parallel', { exact: true }).click();
  await expect(page.locator('#provider')).toHaveValue('down');
  await panel(page).locator('summary').click();
  await page.getByLabel('Fallback', { exact: true }).selectOption('simulator/simulated-mini');
  await runButton(page).click();
  expect((await lanes.finished(await runId(page))).status).toBe('succeeded');
});

test('what is wrong is said at its field, and what was typed stays', async ({ page, messages }) => {
  messages.expect(/status of 4\d\d|status of 500/);
  await opened(page, 'Parallel');
  await page.getByLabel('Spending limit, $').fill('many');
  await page.getByLabel('Then', { exact: true }).selectOption('simulator/simulated-mini');
  await panel(page).locator('summary').click();
  await runButton(page).click();
  // The panel opens to show it.
  await expect(page.getByLabel('Spending limit, $')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Spending limit, $')).toHaveAccessibleDescription(/“many” is not an amount of dollars/);
  await expect(page.getByLabel('Deadline, s')).toHaveAttribute('aria-invalid', 'false');
  await expect(page.getByLabel('Then', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await expect(page.locator('#options-note')).toContainText('is tried already');
  await expectAccessible(page);
  await page.reload();
  await hydrated(page);
  await expect(panel(page).locator('summary')).toContainText('Budget $many · fallback: simulator/simulated-mini');
  await panel(page).locator('summary').click();
  await expect(page.getByLabel('Spending limit, $')).toHaveValue('many');
  await page.getByLabel('Spending limit, $').fill('0');
  await page.getByLabel('Then', { exact: true }).selectOption('');
  await runButton(page).click();
  await expect(page.getByLabel('Spending limit, $')).toHaveAccessibleDescription(/must be above 0/);
  await page.getByLabel('Spending limit, $').fill('');
  await expect(page.getByLabel('Spending limit, $')).toHaveAttribute('aria-invalid', 'false');
  await expect(page.locator('#options-note')).toBeEmpty();
  await runButton(page).click();
  await runId(page);
});

test('what a mode has no use for is hidden and does not count', async ({ page, lanes }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await opened(page, 'Parallel');
  await expectNoSidewaysScroll(page);
  await page.getByLabel(/Hedge slow calls/).check();
  await page.getByLabel('Adaptive concurrency').selectOption('Off');
  await expect(panel(page).locator('summary')).toContainText('Adaptive off · slow calls hedged');
  await page.locator('.seg').getByText('Sequential', { exact: true }).click();
  await expect(page.getByLabel(/Hedge slow calls/)).toBeHidden();
  await expect(page.getByLabel('Adaptive concurrency')).toBeHidden();
  await expect(panel(page).locator('summary')).toContainText('as usual');
  await runButton(page).click();
  expect((await lanes.finished(await runId(page))).status).toBe('succeeded');
});
