// The program stops in the middle of a run, politely and not: nothing is lost, Resume finishes.
import { COMPARE, expect, openLive, runStatus, test } from '../helper';
import { expectExactLedger, expectOutputs } from '../report';

test.use({ latency: 'fixed:700ms' });

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`after ${signal} the page shows the run interrupted, and Resume finishes it`, async ({ page, lanes, messages }) => {
    messages.expectLostConnections();
    const id = await openLive(page, lanes, COMPARE);
    await expect(page.locator('article.result').filter({ hasText: 'Done' })).not.toHaveCount(0);
    const before = (await lanes.view(id)).passes.flatMap((p) => p.calls);
    await lanes.restart(signal);

    await expect(runStatus(page)).toHaveText('Interrupted', { timeout: 20_000 });
    const kept = (await lanes.view(id)).passes.flatMap((p) => p.calls);
    const done = (calls: typeof kept) => calls.filter((c) => c.status === 'succeeded').length;
    expect(done(kept)).toBeGreaterThanOrEqual(done(before));

    await page.getByRole('button', { name: /^Resume/ }).click();
    await expect(runStatus(page)).toHaveText('Finished', { timeout: 30_000 });
    const view = await lanes.finished(id);
    expect(view.status).toBe('succeeded');
    expect(view.resumed).toBe(1);
    expectExactLedger(view);
    await expectOutputs(page);
    await page.reload();
    await expect(runStatus(page)).toHaveText('Finished');
    await expectOutputs(page);
  });
}

test('SIGTERM with a page watching ends the program cleanly within five seconds', async ({ page, lanes, messages }) => {
  messages.expectLostConnections();
  const id = await openLive(page, lanes, COMPARE);
  const ended = await Promise.race([
    lanes.stop('SIGTERM'),
    new Promise<string>((resolve) => setTimeout(() => resolve('too late'), 5_000)),
  ]);
  await lanes.start();
  expect(ended).toBe(0);
  expect((await lanes.view(id)).status).toBe('interrupted');
});
