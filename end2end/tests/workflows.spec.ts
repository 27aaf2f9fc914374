// Workflows: a shipped one run with one click, one edited until it is refused, one duplicated, changed
// and run.
import { expect, expectAccessible, expectNoSidewaysScroll, hydrated, open, runId, runStatus, test, type Page } from '../helper';

const definition = (page: Page) => page.getByRole('textbox', { name: 'Definition' });
const problems = (page: Page) => page.locator('#problems');
const unsaved = (page: Page) => page.getByText('Unsaved changes');

test('a shipped workflow runs on its samples with one click, and its stages are seen to fill', async ({ page, lanes }) => {
  await open(page, '/');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Workflows' }).click();
  await expect(page.getByRole('heading', { level: 2 })).toHaveCount(8);
  await page.getByRole('button', { name: 'Run Idea report on its samples' }).click();
  const id = await runId(page);
  await hydrated(page);
  const stages = page.getByRole('group', { name: 'Graph of stages' });
  await expect(stages.locator('.node')).toHaveCount(10);
  const node = (name: string) => stages.locator('.node').filter({ hasText: name });
  // The core is there while what follows it still goes on.
  await expect(node('Recommendations')).toContainText('3 of 3');
  await expect(node('Financial')).toContainText('3 of 3');
  await expect(runStatus(page)).toHaveText('Finished');
  await expectAccessible(page);
  const view = await lanes.finished(id);
  expect(view.status).toBe('succeeded');
  expect(view.title).toContain('Idea report');
  expect(view.passes[0]?.calls).toHaveLength(30);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoSidewaysScroll(page);
});

test('a recording goes through simulated steps with endpoints of their own', async ({ page, lanes }) => {
  await open(page, '/workflows/call-centre');
  await expect(page.locator('.node').filter({ hasText: 'Denoise' })).toContainText('Simulated denoising');
  await expect(page.locator('.dag path')).toHaveCount(9);
  await page.getByRole('button', { name: 'Run workflow' }).click();
  const view = await lanes.finished(await runId(page));
  expect(view.status).toBe('succeeded');
  const spoken = view.passes[0]?.calls.filter((call) => call.task === 'language').map((call) => call.output);
  expect(spoken).toEqual(['English', 'English', 'Spanish', 'English', 'German', 'English']);
});

test('a cycle is named at its line while it is typed, and is not saved', async ({ page, lanes, messages }) => {
  messages.expect(/status of 422/);
  await open(page, '/workflows/new');
  await expect(problems(page)).toContainText('No problems: 2 stages.');
  const text = (await definition(page).inputValue()).replace('my-workflow', 'circle');
  await definition(page).fill(text.replace('id = "read"', 'id = "read"\nneeds = ["decide"]'));
  await expect(unsaved(page)).toBeVisible();
  await expect(problems(page)).toContainText('These stages need each other in a circle');
  await expect(problems(page)).toContainText('“read” → “decide” → “read”');
  await expect(problems(page)).toContainText(/Line \d+, \/stages\/0\/needs/);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(problems(page)).toContainText('circle');
  await expect(definition(page)).toHaveValue(/needs = \["decide"\]/);
  expect((await page.request.get(`${lanes.url}/api/workflows/circle`)).status()).toBe(404);
  // A stage that is not there is named, too.
  await hydrated(page);
  await definition(page).fill(text.replace('needs = ["read"]', 'needs = ["raed"]'));
  await expect(problems(page)).toContainText('There is no stage “raed” to need.');
  await definition(page).fill('id = "circle"\nname = ');
  await expect(problems(page)).toContainText('Line 2: This is not TOML');
  await expectAccessible(page);
  await definition(page).fill(text);
  await expect(problems(page)).toContainText('No problems');
});

test('a saved workflow edited into a cycle is refused with the cycle named, and stays as it was', async ({ page, lanes, messages }) => {
  messages.expect(/status of 422/);
  await open(page, '/workflows/new');
  const text = (await definition(page).inputValue()).replace('my-workflow', 'straight');
  await definition(page).fill(text);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/\/workflows\/straight\?saved/);
  await hydrated(page);
  const before = await (await page.request.get(`${lanes.url}/api/workflows/straight`)).json();
  await definition(page).fill(text.replace('id = "read"', 'id = "read"\nneeds = ["decide"]'));
  await expect(problems(page)).toContainText('“read” → “decide” → “read”');
  const answered = page.waitForResponse((response) => response.request().method() === 'POST' && response.status() === 422);
  await page.getByRole('button', { name: 'Save' }).click();
  await answered;
  await expect(problems(page)).toContainText('These stages need each other in a circle');
  await expect(problems(page)).toContainText('“read” → “decide” → “read”');
  await expect(definition(page)).toHaveValue(/needs = \["decide"\]/);
  expect(await (await page.request.get(`${lanes.url}/api/workflows/straight`)).json()).toEqual(before);
  await page.request.delete(`${lanes.url}/api/workflows/straight`);
});

test('a shipped workflow is duplicated, changed, saved and run', async ({ page, lanes }) => {
  await open(page, '/workflows/market-digest');
  await expect(definition(page)).toHaveAttribute('readonly', '');
  await expect(page.getByRole('button', { name: 'Save' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Duplicate' }).click();
  await page.waitForURL(/from=market-digest/);
  await hydrated(page);
  const text = await definition(page).inputValue();
  expect(text).toContain('id = "market-digest-copy"');
  const more = text.replace('[[task]]', '[[stage]]\nid = "topics"\ntasks = ["keywords"]\n\n[[task]]');
  await definition(page).fill(more);
  await expect(problems(page)).toContainText('No problems: 3 stages.');
  await expect(page.locator('#graph .node')).toHaveCount(3);
  await page.keyboard.press('Control+s');
  await page.waitForURL(/\/workflows\/market-digest-copy\?saved/);
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  await hydrated(page);
  await page.locator('.seg').getByText('Sequential', { exact: true }).click();
  await page.getByRole('button', { name: 'Run workflow' }).click();
  const view = await lanes.finished(await runId(page));
  expect(view.status).toBe('succeeded');
  // Four articles with three tasks each, and one digest.
  expect(view.passes[0]?.calls).toHaveLength(13);
  await open(page, '/workflows/market-digest-copy');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/\/workflows$/);
  await expect(page.getByRole('link', { name: 'Market digest (copy)' })).toHaveCount(0);
});

test('a workflow runs on documents of one’s own, and what is missing is said', async ({ page, lanes, messages }) => {
  messages.expect(/status of 422/);
  const upload = await page.request.post(`${lanes.url}/api/documents`, {
    multipart: { file: { name: 'own.txt', mimeType: 'text/plain', buffer: Buffer.from('The harbour is closed. Ships wait.') } },
  });
  expect(upload.status()).toBe(201);
  await open(page, '/workflows/support-tickets');
  await page.locator('.seg').getByText('Documents', { exact: true }).click();
  await page.getByRole('button', { name: 'Run workflow' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'not started' })).toContainText('Choose at least one document');
  await hydrated(page);
  await page.getByLabel(/own\.txt/).check();
  await page.getByRole('button', { name: 'Run workflow' }).click();
  const view = await lanes.finished(await runId(page));
  expect(view.passes[0]?.calls).toHaveLength(4);
});

test('the pages fit a phone and read well in both themes', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ['/workflows', '/workflows/call-centre', '/workflows/new']) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await open(page, path);
      await expectNoSidewaysScroll(page);
      await expectAccessible(page);
    }
  }
});
