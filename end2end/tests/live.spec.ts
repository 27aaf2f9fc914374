// A run while it goes on: stopped, left, come back to, watched twice, cut off. One log, one truth.
import { COMPARE, expect, hydrated, open, openLive, runStatus, TASKS, test } from '../helper';
import { expectExactLedger, expectLedgerAddsUp, expectWholeReport } from '../report';
import { Wire } from '../wire';

test.use({ latency: 'fixed:1s' });

test('cancel stops a live run and keeps what is done', async ({ page, lanes }) => {
  const id = await openLive(page, lanes, { ...COMPARE, mode: 'sequential' });
  await expect(page.locator('article.result').filter({ hasText: 'Done' })).not.toHaveCount(0);
  await page.getByRole('button', { name: /^Cancel/ }).click();
  await expect(runStatus(page)).toHaveText('Cancelled');

  const view = await lanes.finished(id);
  expect(view.status).toBe('cancelled');
  const calls = view.passes[0]?.calls ?? [];
  expect(calls.some((c) => c.status === 'succeeded' && c.output)).toBe(true);
  expect(calls.some((c) => c.status === 'cancelled')).toBe(true);
  const kept = calls.filter((c) => c.status === 'succeeded').length;
  await expect(page.locator('article.result .text:not(:empty)')).not.toHaveCount(0);
  await page.reload();
  await expect(runStatus(page)).toHaveText('Cancelled');
  expect(await page.locator('article.result .text:not(:empty)').count()).toBeGreaterThanOrEqual(kept);
  await expect(page.getByRole('button', { name: /^Cancel/ })).toHaveCount(0);
});

test('a reload in the middle and a second page show the same run, which goes on', async ({ page, context, lanes }) => {
  const id = await lanes.run(COMPARE);
  // It stands still while pages are opened, which takes as long as it takes.
  await lanes.tell(id, 'pause');
  await open(page, `/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Paused');
  await page.reload();
  await hydrated(page);
  const second = await context.newPage();
  await open(second, `/runs/${id}`);
  await expect(second.locator('h1')).toContainText(/^AI Technology Article, 6 tasks/);
  for (const each of [page, second]) await expect(runStatus(each)).toHaveText('Paused');
  await lanes.tell(id, 'resume');
  for (const each of [page, second]) await expect(runStatus(each)).toHaveText('Running');

  const view = await lanes.finished(id);
  for (const each of [page, second]) {
    await expect(runStatus(each)).toHaveText('Finished');
    await expectWholeReport(each, view);
  }
  expect(view.passes.flatMap((p) => p.calls).every((c) => c.attempts === 1)).toBe(true);
  const figures = (p: typeof page) => p.locator('dl.metrics').first().innerText();
  expect(await figures(second)).toBe(await figures(page));
});

test('a lost network keeps the page, says so, and fills in what was missed', async ({ page, lanes, messages }) => {
  messages.expectLostConnections();
  const wire = await Wire.to(lanes.url);
  const id = await lanes.run(COMPARE);
  await lanes.tell(id, 'pause');
  await open(page, `${wire.url}/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Paused');
  await wire.cut();
  const lost = page.getByText(/reconnecting/i);
  await expect(lost).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Timeline' })).toBeVisible();
  await expect(page.locator('article.result')).toHaveCount(TASKS.length);

  const seen = (await lanes.view(id)).last_seq;
  await lanes.tell(id, 'resume');
  await expect.poll(async () => (await lanes.view(id)).last_seq).toBeGreaterThan(seen + 2);
  await wire.mend();
  await expect(lost).toBeHidden({ timeout: 20_000 });
  await expect(runStatus(page)).toHaveText('Finished', { timeout: 20_000 });
  await expectWholeReport(page, await lanes.finished(id));
  await wire.cut();
});

test('a run that ends while the network is away is whole once it is back', async ({ page, lanes, messages }) => {
  messages.expectLostConnections();
  const wire = await Wire.to(lanes.url);
  const id = await openLive(page, lanes, COMPARE, wire.url);
  await wire.cut();
  const view = await lanes.finished(id);
  await expect(page.getByText(/reconnecting/i)).toBeVisible();
  await wire.mend();
  await expect(runStatus(page)).toHaveText('Finished', { timeout: 20_000 });
  expect(view.status).toBe('succeeded');
  expectExactLedger(view);
  await expectLedgerAddsUp(page, view);
  await expect(page.locator('article.result .text:not(:empty)')).toHaveCount(TASKS.length);
  await wire.cut();
});
