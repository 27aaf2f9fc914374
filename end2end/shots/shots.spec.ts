// Pictures of every screen, for eyes: LANES_SHOTS=1 writes them to /tmp/shots, or names the folder.
import { join } from 'node:path';
import { COMPARE, expect, hydrated, runStatus, test, type RunRequest, type Server } from '../helper';

test.use({ latency: 'demo' });

const folder = process.env.LANES_SHOTS?.startsWith('/') ? process.env.LANES_SHOTS : '/tmp/shots';

const finished = new WeakMap<Server, Promise<string>>();
function finishedRun(lanes: Server): Promise<string> {
  const known = finished.get(lanes) ?? lanes.done(COMPARE).then((view) => view.id);
  finished.set(lanes, known);
  return known;
}

/** A large run: three stages over 300 records. */
async function batch(lanes: Server, more = {}): Promise<string> {
  const rows = Array.from({ length: 300 }, (_, i) => `Ticket ${i + 1},"Parcel ${i + 1} came late to the sea, and nobody wrote to say so."\n`);
  const form = new FormData();
  form.append('file', new Blob([`name,text\n${rows.join('')}`], { type: 'text/csv' }), 'parcels.csv');
  const answer = await fetch(`${lanes.url}/api/documents`, { method: 'POST', body: form });
  const { documents } = (await answer.json()) as { documents: { id: string }[] };
  const input = { document_ids: documents.map((d) => d.id) };
  return lanes.run({ input, workflow: 'support-tickets', mode: 'parallel', concurrency: 48, ...more } as unknown as RunRequest);
}

const SCREENS: [string, (lanes: Server) => Promise<string>][] = [
  ['workbench', async () => '/'],
  ['run-live', async (lanes) => `/runs/${await lanes.run({ ...COMPARE, concurrency: 3 })}`],
  ['run-done', async (lanes) => `/runs/${await finishedRun(lanes)}`],
  ['batch-live', async (lanes) => `/runs/${await batch(lanes)}`],
  ['batch-done', async (lanes) => `/runs/${(await lanes.finished(await batch(lanes, { faults: { latency: 'lognormal:mean=300ms,cv=0.6', error_rate: 0.05 } }))).id}`],
  ['runs', async (lanes) => (await finishedRun(lanes), '/runs')],
  ['run-unknown', async () => '/runs/unknown'],
  ['not-found', async () => '/nope'],
];

for (const [name, path] of SCREENS) {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [[1280, 800], [390, 844]] as const) {
      test(`${name} ${colorScheme} ${width}`, async ({ page, lanes, messages }) => {
        messages.expect(/./);
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.goto(await path(lanes));
        await hydrated(page);
        if (name === 'run-live') {
          await expect(page.locator('article.result').filter({ hasText: 'Done' })).not.toHaveCount(0);
          await expect(runStatus(page)).toHaveText('Running');
        }
        if (name === 'batch-live') {
          await expect(page.locator('#b-hero')).toContainText('90 % interval');
        }
        const file = (suffix: string) => join(folder, `${name}-${colorScheme}-${width}${suffix}.png`);
        await page.screenshot({ path: file('') });
        await page.screenshot({ path: file('-full'), fullPage: true });
        if (name.endsWith('-live')) {
          const id = new URL(page.url()).pathname.split('/').pop() ?? '';
          await fetch(`${lanes.url}/api/runs/${id}/cancel`, { method: 'POST' });
        }
      });
    }
  }
}
