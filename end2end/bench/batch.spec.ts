// A page attached to a run of 60,000 calls that goes on: what it holds in memory, and what a frame
// costs. Measured and written down, never asserted: `make bench` puts the figures into
// docs/benchmarks.md.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, TASKS, test, type RunRequest } from '../helper';

const RECORDS = 10_000;
const WATCHED_MS = 30_000;
const target = fileURLToPath(new URL('../../target', import.meta.url));

test.use({ latency: 'lognormal:mean=400ms,cv=0.6', limits: { LANES_MAX_CONCURRENCY: '200' } });

const percentile = (times: number[], share: number) =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;

test('a page attached to 60,000 calls', async ({ browser, page, lanes }) => {
  test.setTimeout(300_000);
  let table = 'name,text\n';
  for (let i = 1; i <= RECORDS; i += 1) table += `Record ${i},"The harbour was quiet on day ${i}, and boat ${i} left late."\n`;
  const form = new FormData();
  form.append('file', new Blob([table], { type: 'text/csv' }), 'records.csv');
  const added = await fetch(`${lanes.url}/api/documents`, { method: 'POST', body: form });
  const { documents } = (await added.json()) as { documents: { id: string; records: number }[] };
  expect(documents.map((d) => d.records)).toEqual([RECORDS]);
  const request = { input: { document_ids: documents.map((d) => d.id) }, tasks: TASKS, mode: 'parallel', concurrency: 200 };
  const id = await lanes.run(request as unknown as RunRequest);

  await page.addInitScript(() => {
    const frames: number[] = [];
    Object.assign(window, { frames });
    const channel = new MessageChannel();
    let began = 0;
    // From the frame's callbacks to the first task after it was drawn: what the frame cost.
    channel.port1.onmessage = () => frames.push(performance.now() - began);
    const look = () => {
      began = performance.now();
      channel.port2.postMessage(0);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(`/runs/${id}`);
  await expect(page.locator('#b-where')).toContainText('200 lanes');
  // Zoom and move while frames come in.
  const until = Date.now() + WATCHED_MS;
  const canvas = page.locator('#b-lanes');
  await canvas.focus();
  for (let i = 0; Date.now() < until; i += 1) {
    await page.keyboard.press(['+', 'ArrowRight', 'ArrowLeft', '-', '0'][i % 5] ?? '0');
    await page.waitForTimeout(300);
  }
  const times = await page.evaluate(() => (window as unknown as { frames: number[] }).frames);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  await cdp.send('Performance.enable');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const heap = metrics.find((m) => m.name === 'JSHeapUsedSize')?.value ?? 0;
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  let resident = 0;
  for (const { id: pid } of processInfo.filter((p) => p.type === 'renderer')) {
    const status = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    resident = Math.max(resident, Number(/^Pss:\s+(\d+)/m.exec(status)?.[1] ?? 0));
  }
  const figures = {
    frame_p95_ms: percentile(times, 0.95),
    frame_p99_ms: percentile(times, 0.99),
    frames: times.length,
    heap_mb: heap / 1e6,
    renderer_mb: resident / 1e3,
  };
  console.log(figures, await page.locator('#b-stages .hint').textContent());
  await mkdir(target, { recursive: true });
  await writeFile(`${target}/bench-batch.json`, JSON.stringify(figures));
});
