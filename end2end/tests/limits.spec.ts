// A provider that allows so many requests a minute: they are sent evenly, nothing is refused, and the
// page says what the lanes waited for.
import { expect, open, TASKS, test } from '../helper';
import { expectExactLedger } from '../report';

test.use({ latency: 'fixed:100ms', limits: { LANES_SIM_RPM: '120' } });

test('a limit of requests a minute is kept and accounted for', async ({ page, lanes }) => {
  const view = await lanes.done({ input: { sample: 'ai-technology' }, tasks: TASKS, mode: 'parallel' });
  expect(view.status).toBe('succeeded');
  const pass = view.passes[0];
  expect(pass?.calls.every((call) => call.attempts === 1)).toBe(true);
  expectExactLedger(view);
  // Two at once, then two a second: the last of six starts after two seconds.
  expect(pass?.wall_us).toBeGreaterThan(2_000_000);
  expect(pass?.ledger?.rate_limit_us).toBeGreaterThan(0);
  await open(page, `/runs/${view.id}`);
  await expect(page.getByRole('list', { name: 'Legend' })).toContainText('Rate-limit wait');
  await expect(page.locator('table.ledger-table')).toContainText('Rate-limit wait');
  await expect(page.locator('main')).toContainText("The provider's limit on requests a minute sets the time");
});
