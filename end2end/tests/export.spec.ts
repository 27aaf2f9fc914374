// What leaves the program: four files of one run.
import { readFile } from 'node:fs/promises';
import { expect, open, TASK_NAMES, TASKS, test, type Page } from '../helper';

async function download(page: Page, name: string): Promise<{ file: string; text: string }> {
  const group = page.getByRole('group', { name: 'Export' });
  const started = page.waitForEvent('download');
  await group.getByRole('link', { name }).or(group.getByRole('button', { name })).click();
  const file = await started;
  return { file: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

test('a run downloads as JSON, CSV, Markdown and SVG', async ({ page, lanes }) => {
  const view = await lanes.done();
  await open(page, `/runs/${view.id}`);

  const json = await download(page, 'JSON');
  expect(json.file).toMatch(/\.json$/);
  const run = JSON.parse(json.text) as typeof view;
  expect(run.id).toBe(view.id);
  expect(run.comparison?.speedup).toBe(view.comparison?.speedup);
  expect(run.passes.flatMap((p) => p.calls)).toHaveLength(12);

  const csv = await download(page, 'CSV');
  expect(csv.file).toMatch(/\.csv$/);
  expect(csv.text.split('\n')[0]).toContain('task');
  for (const task of TASKS) expect(csv.text).toContain(task);
  expect(csv.text).toContain('sequential');
  expect(csv.text).toContain('parallel');

  const md = await download(page, 'Markdown');
  expect(md.file).toMatch(/\.md$/);
  expect(md.text).toMatch(/^# /);
  expect(md.text).toContain('Simulated');
  expect(md.text).toContain(`${view.comparison?.speedup.toFixed(1)}×`);
  for (const name of TASK_NAMES) expect(md.text).toContain(name);

  const svg = await download(page, 'SVG');
  expect(svg.file).toMatch(/\.svg$/);
  expect(svg.text).toMatch(/^(<\?xml[^>]*>\s*)?<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg.text).toContain('Sequential');
  expect(svg.text).not.toMatch(/NaN|var\(--/);
  // In a page without our policy, which would hold for the styles of the file too.
  const viewer = await page.context().newPage();
  const parsed = await viewer.evaluate((text) => {
    const file = new DOMParser().parseFromString(text, 'image/svg+xml');
    return file.querySelector('parsererror')?.textContent ?? file.documentElement.nodeName;
  }, svg.text);
  expect(parsed).toBe('svg');
});
