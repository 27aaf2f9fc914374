// A large run on its page: watched live, steered, searched, exported, tried again, and read without
// JavaScript.
import { readFile } from 'node:fs/promises';
import { expect, expectAccessible, expectLooksRight, runStatus, test, type Page, type RunRequest, type Server } from '../helper';

test.use({ latency: 'fixed:60ms' });

const ROWS = 600;

interface More {
  concurrency?: number;
  faults?: Record<string, unknown>;
}

/** Uploads a table of records and starts two tasks on each. */
async function batch(lanes: Server, more: More = {}, rows = ROWS): Promise<string> {
  let table = 'name,text\n';
  for (let i = 1; i <= rows; i += 1) {
    table += `Ticket ${i},"The harbour was quiet on day ${i}. Parcel ${i * 7} came late to the sea."\n`;
  }
  const form = new FormData();
  form.append('file', new Blob([table], { type: 'text/csv' }), `tickets-${Math.random()}.csv`);
  const answer = await fetch(`${lanes.url}/api/documents`, { method: 'POST', body: form });
  expect(answer.status).toBe(201);
  const { documents } = (await answer.json()) as { documents: { id: string; records: number }[] };
  expect(documents.map((d) => d.records)).toEqual([rows]);
  const request = {
    input: { document_ids: documents.map((d) => d.id) },
    tasks: ['summary', 'sentiment'],
    mode: 'parallel',
    concurrency: 8,
    ...more,
  };
  return lanes.run(request as unknown as RunRequest);
}

const metric = (page: Page, name: string) =>
  page.locator('#b-hero .metric').filter({ has: page.getByText(name, { exact: true }) }).locator('dd').first();

/** A figure as a number. */
const figure = async (page: Page, name: string) => {
  const [first = ''] = ((await metric(page, name).textContent()) ?? '').trim().split(' ');
  return parseFloat(first.replace(/[^0-9.]/g, ''));
};

test('a batch is watched live, paused, given more lanes and cancelled', async ({ page, lanes }) => {
  const id = await batch(lanes);
  await page.goto(`/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Running');
  const before = await figure(page, 'Calls done');
  await expect.poll(() => figure(page, 'Calls done')).toBeGreaterThan(before);
  await expect(metric(page, 'Time left')).toContainText('≈');
  await expect(page.locator('#b-lanes')).toBeVisible();
  await expect(page.locator('#b-where')).toContainText('8 lanes');
  await expect(page.getByRole('progressbar')).toHaveCount(1);

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(runStatus(page)).toHaveText('Paused');
  await expect.poll(() => figure(page, 'In flight')).toBe(0);
  const field = page.getByRole('spinbutton', { name: 'Lanes' });
  await field.fill('24');
  await page.getByRole('button', { name: 'Set lanes' }).click();
  await expect(field).toHaveValue('24');
  await expectLooksRight(page);
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(metric(page, 'In flight')).toContainText('of 24');
  await expect.poll(() => figure(page, 'In flight')).toBeGreaterThan(8);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(runStatus(page)).toHaveText('Cancelled');
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveCount(0);
});

test('the timeline is zoomed, moved and read with mouse and keys', async ({ page, lanes }) => {
  const id = await batch(lanes, { concurrency: 32 });
  await lanes.finished(id);
  await page.goto(`/runs/${id}`);
  const where = page.locator('#b-where');
  await expect(where).toContainText('32 lanes');
  const all = await where.textContent();
  const canvas = page.locator('#b-lanes');
  await canvas.focus();
  await page.keyboard.press('+');
  await expect(where).not.toHaveText(all ?? '');
  const zoomed = await where.textContent();
  await page.keyboard.press('ArrowRight');
  await expect(where).not.toHaveText(zoomed ?? '');
  await page.keyboard.press('Enter');
  await expect(page.locator('#b-bar')).toContainText('.csv #');
  await page.keyboard.press('Escape');
  await page.keyboard.press('0');
  await expect(where).toHaveText(all ?? '');
  const box = await canvas.boundingBox();
  if (!box) throw new Error('no canvas');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -400);
  await page.keyboard.up('Control');
  await expect(where).not.toHaveText(all ?? '');
  await canvas.dblclick();
  await expect(where).toHaveText(all ?? '');
  await page.getByText('As a table').click();
  await expect(page.locator('#b-table tbody tr').first()).toBeVisible();
});

// One in five is few enough for no breaker to open, which would take its time.
test('what failed is tried again, and only that', async ({ page, lanes }) => {
  const id = await batch(lanes, { concurrency: 16, faults: { error_rate: 0.2, latency: 'none' } }, 260);
  await lanes.finished(id);
  await page.goto(`/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Partly failed');
  const answered = (await lanes.view(id)) as unknown as { counts: { succeeded: number; failed: number } };
  const again = page.waitForResponse((r) => r.request().isNavigationRequest() && r.request().method() === 'GET');
  await page.getByRole('button', { name: /^Retry failed/ }).click();
  await again;
  await lanes.finished(id);
  const after = (await lanes.view(id)) as unknown as { counts: { succeeded: number; failed: number } };
  expect(after.counts.failed).toBeLessThan(answered.counts.failed);
  expect(after.counts.succeeded).toBeGreaterThan(answered.counts.succeeded);
  // The page loads itself again when its run ends.
  await expect(page.locator('#b-head:not([data-live])')).toBeVisible();
  await expectAccessible(page);
});

test('results are searched, sorted, opened and exported', async ({ page, lanes }) => {
  const id = await batch(lanes, { concurrency: 32 });
  await lanes.finished(id);
  await page.goto(`/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Finished');
  await expect(page.locator('#results')).toContainText('Page 1 of 24');
  await page.getByRole('link', { name: 'Next' }).click();
  await expect(page.locator('#results')).toContainText('Page 2 of 24');
  await page.getByRole('searchbox', { name: 'Search records and answers' }).fill('#599');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page.locator('#results')).toContainText('1 record');
  await expect(page.locator('#results tbody tr')).toHaveCount(1);
  await expect(page.locator('#results tbody tr')).toBeVisible();
  expect(page.url()).toContain('q=%23599');

  const group = page.getByRole('group', { name: 'Export' });
  for (const [name, ending] of [['JSONL', 'jsonl'], ['CSV', 'csv'], ['Parquet', 'parquet'], ['Markdown', 'md']] as const) {
    const started = page.waitForEvent('download');
    await group.getByRole('link', { name, exact: true }).click();
    const file = await started;
    expect(file.suggestedFilename()).toMatch(new RegExp(`\\.${ending}$`));
    const bytes = await readFile(await file.path());
    if (ending === 'jsonl') expect(bytes.toString().trim().split('\n')).toHaveLength(2 * ROWS);
    if (ending === 'parquet') expect(bytes.subarray(0, 4).toString()).toBe('PAR1');
  }
});

test('without JavaScript the page says the same and every control works', async ({ browser, lanes }) => {
  const id = await batch(lanes);
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: lanes.url });
  const page = await context.newPage();
  await page.goto(`/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Running');
  await expect(page.locator('#b-charts svg')).toBeVisible();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(runStatus(page)).toHaveText('Paused');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('searchbox', { name: 'Search records and answers' })).toBeVisible();
  await lanes.finished(id);
  await page.goto(`/runs/${id}?status=cancelled`);
  await expect(runStatus(page)).toHaveText('Cancelled');
  await expect(page.locator('#results tbody tr').first()).toContainText('Cancelled');
  await context.close();
});
