// How calls are sent, as the Run page shows it: the user's hand on a run that goes on, a limit that
// adapts, breakers that open and a fallback that goes on.
import { expect, expectAccessible, expectLooksRight, expectNoSidewaysScroll, open, openLive, runStatus, TASKS, test, type RunRequest } from '../helper';
import { Rig } from '../rig';

test.use({ latency: 'fixed:1500ms' });

// A request that is refused at once is a bar of a few pixels: its size is its time.
const BRIEF = ['target-size'];

const SIX: RunRequest = { input: { sample: 'ai-technology' }, tasks: TASKS, mode: 'parallel' };

test('a run is paused and goes on', async ({ page, lanes }) => {
  await openLive(page, lanes, { ...SIX, mode: 'sequential' });
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.locator('.note').filter({ hasText: 'Paused.' })).toBeVisible();
  await expect(runStatus(page)).toHaveText('Paused');
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible();
  await expect(page.getByRole('spinbutton', { name: 'Lanes' })).toHaveCount(0);
  await expectLooksRight(page, BRIEF);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await expect(page.locator('.note').filter({ hasText: 'Paused.' })).toHaveCount(0);
  await expect(runStatus(page)).toHaveText('Finished', { timeout: 20_000 });
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveCount(0);
});

test('lanes are changed while a parallel pass goes on', async ({ page, lanes }) => {
  await openLive(page, lanes, { ...SIX, concurrency: 1 });
  const field = page.getByRole('spinbutton', { name: 'Lanes' });
  await expect(field).toHaveValue('1');
  await field.fill('3');
  await field.press('Enter');
  await expect(page.getByText('Lane 3', { exact: true })).toBeVisible();
  await expect(page.getByRole('list', { name: 'Legend' })).toContainText('Concurrency limit');
  await expect(page.locator('.limit title').last()).toHaveText('Set by hand · 3 lanes');
  await expect(runStatus(page)).toHaveText('Finished', { timeout: 20_000 });
  await expect(page.locator('main')).toContainText('The number of lanes was set by hand once: 3 at the end.');
});

test('a number of lanes that cannot be is refused in words', async ({ page, lanes, messages }) => {
  messages.expect(/status of 4\d\d|status of 500/);
  await openLive(page, lanes, { ...SIX, concurrency: 1 });
  const field = page.getByRole('spinbutton', { name: 'Lanes' });
  await field.fill('999999');
  await page.getByRole('button', { name: 'Set lanes' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'The concurrency must be a number' })).toBeVisible();
});

test('without JavaScript a run is paused, changed and resumed by plain forms', async ({ browser, lanes }) => {
  // No call ends while the page is read.
  const id = await lanes.run({ ...SIX, concurrency: 1, faults: { latency: 'fixed:60s' } });
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: lanes.url });
  const page = await context.newPage();
  await page.goto(`/runs/${id}`);
  await page.getByRole('spinbutton', { name: 'Lanes' }).fill('2');
  await page.getByRole('button', { name: 'Set lanes' }).click();
  await expect(page.getByRole('spinbutton', { name: 'Lanes' })).toHaveValue('2');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await context.close();
});

test('a limit that adapts is drawn over the lanes', async ({ page }) => {
  const simulator = ['--latency', 'fixed:2s', '--rpm', '60', '--burst', '2'];
  const rig = await Rig.with({ name: 'tight', flags: simulator });
  try {
    // Six at once are four too many: the limit is cut.
    const request = { ...SIX, concurrency: 6, adaptive: true, provider: 'tight' };
    const id = await rig.lanes.run(request);
    // Held there until the page has shown it, however long this machine takes to open one.
    const cuts = async () => (await rig.lanes.view(id)).passes[0]?.limits?.length ?? 0;
    await expect.poll(cuts, { intervals: [50] }).toBeGreaterThan(0);
    await rig.lanes.tell(id, 'pause');
    await open(page, `${rig.lanes.url}/runs/${id}`);
    await expect(page.locator('.panel-head')).toContainText(/6 lanes, limit \d/);
    await rig.lanes.tell(id, 'resume');
    await rig.lanes.finished(id);
    await expectLooksRight(page, BRIEF, async () => {
      await open(page, `${rig.lanes.url}/runs/${id}`);
      await expect(page.locator('svg.limit > path').first()).toBeAttached();
      await expect(page.getByRole('list', { name: 'Legend' })).toContainText('Concurrency limit');
    });
    await page.getByText('Timeline as a table').click();
    await expect(page.getByRole('table', { name: 'Concurrency limit' })).toContainText('Cut: 429');
  } finally {
    await rig.remove();
  }
});

test('a fallback that answers is named, and so is the breaker that opened', async ({ page }) => {
  const rig = await Rig.with(
    { name: 'broken', flags: ['--latency', 'fixed:50ms', '--error-rate', '1'], lines: ['fallback = ["spare"]'] },
    { name: 'spare', flags: ['--latency', 'fixed:3s'] },
  );
  try {
    const id = await rig.lanes.run({ ...SIX, concurrency: 2, provider: 'broken' });
    await open(page, `${rig.lanes.url}/runs/${id}`);
    await expect(page.getByRole('list', { name: 'Answers by route' })).toContainText('spare');
    await expectAccessible(page, BRIEF);
    await expect(runStatus(page)).toHaveText('Finished', { timeout: 30_000 });
    const routes = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Where calls went' }) });
    await expect(routes.getByRole('row')).toHaveCount(3);
    await expect(page.locator('.told').first()).toContainText('spare: answered');
    await expectAccessible(page, BRIEF);
    await expectNoSidewaysScroll(page);
  } finally {
    await rig.remove();
  }
});

test('while no provider answers the page says what it waits for', async ({ page, messages }) => {
  messages.expectLostConnections();
  const rig = await Rig.with({ name: 'broken', flags: ['--latency', 'fixed:50ms', '--error-rate', '1'] });
  try {
    const id = await rig.lanes.run({ ...SIX, concurrency: 6, provider: 'broken' });
    await open(page, `${rig.lanes.url}/runs/${id}`);
    const note = page.locator('.note');
    await expect(note.filter({ hasText: 'Breaker open: broken.' })).toContainText(/Tries again in \d+ s\./);
    await expectAccessible(page, BRIEF);
  } finally {
    await rig.remove();
  }
});
