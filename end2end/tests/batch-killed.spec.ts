// A large run whose program is killed while somebody watches it: the page says so, comes back by
// itself, and the run ends with every call answered and counted once.
import { expect, expectAccessible, runStatus, Server, test, type Messages, type Page } from '../helper';

const ROWS = 400;
const TASKS = ['summary', 'sentiment'];
const CALLS = ROWS * TASKS.length;

/** Uploads a table of records and starts two tasks on each. */
async function batch(lanes: Server): Promise<string> {
  const rows = Array.from({ length: ROWS }, (_, i) => `Ticket ${i + 1},"Parcel ${i + 1} came late to the sea."\n`);
  const form = new FormData();
  form.append('file', new Blob([`name,text\n${rows.join('')}`], { type: 'text/csv' }), 'parcels.csv');
  const answer = await fetch(`${lanes.url}/api/documents`, { method: 'POST', body: form });
  expect(answer.status).toBe(201);
  const { documents } = (await answer.json()) as { documents: { id: string }[] };
  const input = { document_ids: documents.map((d) => d.id) };
  return lanes.run({ input, tasks: TASKS, mode: 'parallel', concurrency: 16 });
}

/** How many calls the page says are done. */
async function done(page: Page): Promise<number> {
  const metric = page.locator('#b-hero .metric').filter({ has: page.getByText('Calls done', { exact: true }) });
  const figure = await metric.locator('dd').first().textContent();
  return Number((figure ?? '').replace(/[^0-9]/g, ''));
}

const lost = (page: Page) => page.getByText('Connection lost, trying again.');

/** Opens the run's page, sees it go on, kills the program and sees that the page says so. */
async function watchedAndKilled(page: Page, lanes: Server, id: string, messages: Messages): Promise<number> {
  await page.goto(`${lanes.url}/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Running');
  await expect(lost(page)).toBeHidden();
  const before = await done(page);
  await expect.poll(() => done(page)).toBeGreaterThan(before + 50);
  messages.expectLostConnections();
  await lanes.stop('SIGKILL');
  await expect(lost(page)).toBeVisible();
  // What was heard of last stays; what cannot be done now cannot be pressed.
  await expect(page.locator('#b-actions')).toHaveAttribute('inert', '');
  const heard = await done(page);
  expect(heard).toBeGreaterThan(before);
  expect(heard).toBeLessThan(CALLS);
  return heard;
}

/** Every call has ended once, with an answer, and the sums say so. */
async function expectEachOnce(page: Page, lanes: Server, id: string): Promise<void> {
  await expect(runStatus(page)).toHaveText('Finished', { timeout: 40_000 });
  await expect.poll(() => done(page)).toBe(CALLS);
  await expect(page.locator('#b-hero')).toContainText(`of ${CALLS}, 0 failed`);
  await expect(page.locator('#b-hero')).toContainText(`of ${ROWS}`);
  const view = (await lanes.view(id)) as unknown as { status: string; resumed: number; counts: Record<string, number> };
  expect(view).toMatchObject({ status: 'succeeded', resumed: 1 });
  expect(view.counts).toMatchObject({ succeeded: CALLS, failed: 0, queued: 0, running: 0, cancelled: 0 });
  const log = await (await fetch(`${lanes.url}/api/runs/${id}/events?after=0`)).text();
  const ended = [...log.matchAll(/^data: (.*"type":"call_ended".*)$/gm)].map((line) => JSON.parse(line[1] ?? '{}') as { call: number });
  expect(ended).toHaveLength(CALLS);
  expect(new Set(ended.map((event) => event.call)).size).toBe(CALLS);
  const rows = (await (await fetch(`${lanes.url}/api/runs/${id}/export?format=jsonl`)).text()).trim().split('\n');
  const answered = rows.map((row) => JSON.parse(row) as { document_name: string; task: string; output: string });
  expect(new Set(answered.map((row) => `${row.document_name} ${row.task}`)).size).toBe(CALLS);
  expect(answered.every((row) => row.output.length > 0)).toBe(true);
}

test('killed under the browser’s eyes, the page comes back, shows the run interrupted, and Resume ends it', async ({ page, messages }) => {
  const lanes = await Server.create({ LANES_SIM_LATENCY: 'fixed:150ms' });
  try {
    const id = await batch(lanes);
    const heard = await watchedAndKilled(page, lanes, id, messages);
    await expectAccessible(page);
    await lanes.start();
    await expect(runStatus(page)).toHaveText('Interrupted', { timeout: 20_000 });
    await expect(lost(page)).toBeHidden();
    // The page has read itself anew, as that of a run at rest.
    await expect(page.locator('#b-head')).not.toHaveAttribute('data-live');
    await expect(page.getByText('what has ended is kept')).toBeVisible();
    // Whatever was shown was in the log.
    const kept = await done(page);
    expect(kept).toBeGreaterThanOrEqual(heard);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(runStatus(page)).toHaveText('Running');
    expect(await done(page)).toBeGreaterThanOrEqual(kept);
    await expectEachOnce(page, lanes, id);
  } finally {
    await lanes.remove();
  }
});

test('with LANES_RESUME=auto the run goes on by itself, and so does the page', async ({ page, messages }) => {
  const lanes = await Server.create({ LANES_SIM_LATENCY: 'fixed:150ms', LANES_RESUME: 'auto' });
  try {
    const id = await batch(lanes);
    const heard = await watchedAndKilled(page, lanes, id, messages);
    // Nobody touches the page from here on.
    await lanes.start();
    await expect(lost(page)).toBeHidden({ timeout: 20_000 });
    await expect(page.locator('#b-actions')).not.toHaveAttribute('inert');
    await expect(runStatus(page)).toHaveText('Running');
    await expect.poll(() => done(page)).toBeGreaterThan(heard);
    await expectEachOnce(page, lanes, id);
  } finally {
    await lanes.remove();
  }
});
