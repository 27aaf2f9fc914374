// A first visit: the sample, everything as it stands, compared on the simulator's own speed.
import { expect, hydrated, open, runButton, runId, runStatus, TASK_NAMES, test } from '../helper';
import { expectWholeReport } from '../report';

test.use({ latency: 'demo' });

test('a first visit compares the sample with one click and reads the report', async ({ page, lanes }) => {
  await open(page, '/');
  await expect(page.getByRole('heading', { name: 'Workbench', level: 1 })).toBeVisible();
  for (const name of TASK_NAMES) {
    await expect(page.getByRole('checkbox', { name })).toBeChecked();
  }
  await expect(page.getByRole('radio', { name: 'Compare' })).toBeChecked();
  await expect(runButton(page)).toBeInViewport();
  await runButton(page).click();

  const id = await runId(page);
  await hydrated(page);
  await expect(page.getByRole('heading', { name: 'Sequential', exact: true })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Parallel', exact: true })).toBeVisible();
  await expect(page.getByText('Elapsed')).toBeVisible();
  await expect(runStatus(page)).toHaveText('Finished', { timeout: 40_000 });

  const view = await lanes.view(id);
  await expectWholeReport(page, view);
  const speedup = view.comparison?.speedup ?? 0;
  expect(speedup).toBeGreaterThan(2);
  expect(speedup).toBeLessThan(6.5);
  const saved = view.comparison?.time_saved ?? 0;
  expect(saved).toBeCloseTo(1 - 1 / speedup, 3);
  const metrics = page.locator('dl.metrics');
  await expect(metrics).toContainText(`${speedup.toFixed(1)}×`);
  await expect(metrics).toContainText(new RegExp(`${Math.round(saved * 100)}\\s%`));
  await expect(page.getByText('Simulated').first()).toBeVisible();
  await expect(page.locator('main')).toContainText('Simulated');
});
