// Tasks of one's own: written with a live preview, tried, used in a run, changed, deleted, and
// carried from one program to another as a file.
import { readFile } from 'node:fs/promises';
import { chooseTasks, expect, expectAccessible, expectNoSidewaysScroll, hydrated, open, runButton, runId, test, type Page } from '../helper';

const DEFINITION = {
  id: 'mood',
  name: 'Mood',
  system_message: 'You judge moods.',
  prompt: 'Text:\n{{text}}\nHow is it?',
  max_tokens: 20,
  output: { labels: ['Positive', 'Neutral', 'Negative'] },
};

/** Every test has a task of its own: those of a worker share one program. */
let number = 0;
function own(): typeof DEFINITION {
  number += 1;
  const tag = `${process.env.TEST_WORKER_INDEX ?? 0}-${number}`;
  return { ...DEFINITION, id: `mood-${tag}`, name: `Mood ${tag}` };
}

async function keep(page: Page, url: string, task: object): Promise<void> {
  const answer = await page.request.post(`${url}/api/tasks`, { data: task });
  expect(answer.status()).toBe(201);
}

const unsaved = (page: Page) => page.getByText('Unsaved changes');
const sent = (page: Page) => page.locator('#prompt-preview pre').last();

test('a task is written with a live preview, tried, saved with Ctrl+S and used in a run', async ({ page, lanes }) => {
  const task = own();
  await open(page, '/tasks');
  await page.getByRole('link', { name: 'New task' }).click();
  await hydrated(page);
  await expect(unsaved(page)).toBeHidden();
  await page.getByLabel('Id', { exact: true }).fill(task.id);
  await page.getByLabel('Name', { exact: true }).fill(task.name);
  await page.getByLabel('System message').fill(task.system_message);
  await page.getByLabel('Prompt', { exact: true }).fill(task.prompt);
  await expect(unsaved(page)).toBeVisible();
  await expect(sent(page)).toContainText('How is it?');
  await expect(sent(page).locator('mark')).toContainText('Artificial intelligence has moved');
  await page.getByLabel('Preview text').selectOption('business-report');
  await expect(sent(page).locator('mark')).not.toContainText('Artificial intelligence has moved');
  await page.getByLabel('Max tokens').fill('20');
  await page.getByLabel('Temperature').fill('0.2');
  await page.locator('.seg').getByText('Labels', { exact: true }).click();
  await page.getByLabel('Labels', { exact: true }).last().fill(task.output.labels.join('\n'));
  await expect(page.locator('#prompt-preview')).toContainText('- Negative');
  await expectAccessible(page);

  const runs = async () => (await (await page.request.get(`${lanes.url}/api/runs`)).json()).items;
  const before = await runs();
  await page.getByRole('button', { name: 'Try once' }).click();
  const trial = page.locator('#trial');
  await expect(trial.getByText('Fits')).toBeVisible();
  await expect(trial).toContainText(/first token [\d.]+ s · \d+ tokens? · \$/);
  await expect(trial.locator('.answered')).toHaveText(/^(Positive|Neutral|Negative)$/);
  // A trial is no run. Others of this program may have come before it.
  expect(await runs()).toEqual(before);

  await page.keyboard.press('Control+s');
  await page.waitForURL(new RegExp(`/tasks/${task.id}`));
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(task.name);
  const kept = await (await page.request.get(`${lanes.url}/api/tasks/${task.id}`)).json();
  expect(kept).toMatchObject({ ...task, temperature: 0.2, built_in: false });

  await open(page, '/');
  await chooseTasks(page, []);
  await page.locator('.pick').getByText(task.name, { exact: true }).click();
  await page.locator('.seg').getByText('Parallel', { exact: true }).click();
  await runButton(page).click();
  await page.waitForURL(/\/runs\/[^/?#]+$/);
  const view = await lanes.finished(await runId(page));
  expect(view.status).toBe('succeeded');
  expect(view.passes[0]?.calls.map((c) => c.task)).toEqual([task.id]);
  expect(task.output.labels).toContain(view.passes[0]?.calls[0]?.output);
  await expect(page.getByRole('heading', { name: task.name }).first()).toBeVisible();
});

test('a trial on one’s own text keeps personal data here, and the preview shows what leaves', async ({ page }) => {
  await open(page, '/tasks/new');
  const task = own();
  await page.getByLabel('Id', { exact: true }).fill(task.id);
  await page.getByLabel('Name', { exact: true }).fill(task.name);
  await page.getByLabel('Preview text').selectOption('');
  await page.getByLabel('Text to try it on').fill('Write to ann@example.org.');
  await expect(sent(page)).toContainText('Write to ann@example.org.');
  await page.getByLabel('Redact personal data before it leaves').check();
  await expect(sent(page)).toContainText('Write to [EMAIL_1].');
  await page.getByRole('button', { name: 'Try once' }).click();
  const trial = page.locator('#trial');
  await expect(trial).toContainText('1 place redacted');
  await expect(trial.locator('.answered')).toContainText('ann@example.org');
  await expect(sent(page)).toContainText('Write to [EMAIL_1].');
  await expectAccessible(page);
});

test('what is wrong is said at its field, and nothing typed is lost', async ({ page, messages }) => {
  messages.expect(/status of 4(09|22)/);
  await open(page, '/tasks/new');
  await page.getByLabel('Id', { exact: true }).fill('Not An Id');
  await page.getByLabel('Prompt', { exact: true }).fill('{{txt}}');
  await expect(page.locator('#prompt-preview')).toContainText('{{txt}}');
  await page.getByLabel('Temperature').fill('9');
  await page.getByRole('button', { name: /Save task/ }).click();
  await expect(page.getByLabel('Temperature')).toHaveAccessibleDescription(/from 0 to 2/);
  await expect(page.getByLabel('Temperature')).toBeFocused();
  await hydrated(page);
  await page.getByLabel('Temperature').fill('');
  await page.getByRole('button', { name: /Save task/ }).click();
  await expect(page.getByLabel('Id', { exact: true })).toHaveAccessibleDescription(/“Not An Id” is no id/);
  await expect(page.getByLabel('Id', { exact: true })).toHaveValue('Not An Id');
  await expect(page.getByLabel('Name', { exact: true })).toHaveAccessibleDescription(/name/);
  await expect(page.getByLabel('Prompt', { exact: true })).toHaveAccessibleDescription(/no placeholder/);
  await expect(unsaved(page)).toBeVisible();
  await hydrated(page);
  await page.getByLabel('Id', { exact: true }).fill('summary');
  await page.getByLabel('Name', { exact: true }).fill('Mine');
  await page.getByLabel('Prompt', { exact: true }).fill('{{text}}');
  await page.getByRole('button', { name: /Save task/ }).click();
  await expect(page.getByLabel('Id', { exact: true })).toHaveAccessibleDescription(/already/);
});

test('leaving with unsaved changes asks, and without does not', async ({ page, lanes }) => {
  const task = own();
  await keep(page, lanes.url, task);
  await open(page, `/tasks/${task.id}`);
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  // Another text to try it on is no change of the task.
  await page.getByLabel('Preview text').selectOption('technology-news');
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.waitForURL(/\/runs$/);
  expect(asked).toEqual([]);
  await open(page, `/tasks/${task.id}`);
  await page.getByLabel('Name', { exact: true }).fill('Another name');
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.waitForURL(/\/runs$/);
  expect(asked).toEqual(['beforeunload']);
});

test('a task is changed and deleted, and a run keeps it as it was', async ({ page, lanes }) => {
  const task = own();
  await keep(page, lanes.url, task);
  const view = await lanes.done({ input: { text: 'A good day.' }, tasks: [task.id], mode: 'parallel' });
  await open(page, `/tasks/${task.id}`);
  await expect(page.getByLabel('Id', { exact: true })).not.toBeEditable();
  await page.getByLabel('Name', { exact: true }).fill('Changed');
  await page.getByRole('button', { name: /Save task/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Changed');
  await hydrated(page);
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/\/tasks$/);
  await expect(page.getByText(task.id)).toHaveCount(0);
  await open(page, `/runs/${view.id}`);
  await expect(page.getByRole('heading', { name: task.name }).first()).toBeVisible();
});

test('a built-in task can be read, tried and copied, not changed', async ({ page, messages }) => {
  messages.expect(/status of 409/);
  await open(page, '/tasks/category');
  await expect(page.getByLabel('Prompt', { exact: true })).not.toBeEditable();
  await expect(page.getByRole('button', { name: /Save/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Try once' }).click();
  await expect(page.locator('#trial .answered')).toHaveText('Technology');
  await page.getByRole('link', { name: 'Copy' }).click();
  await expect(page.getByLabel('Id', { exact: true })).toHaveValue('category-copy');
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Category (copy)');
});

test('an answer that does not fit its schema says where', async ({ page }) => {
  await open(page, '/tasks/new');
  await page.getByLabel('Name', { exact: true }).fill('Numbers');
  await page.locator('.seg').getByText('JSON', { exact: true }).click();
  // No text the simulator writes has this pattern.
  await page.getByLabel('JSON schema').fill('{"type":"object","required":["code"],"properties":{"code":{"type":"string","pattern":"^[0-9]{4}$"}}}');
  await page.getByRole('button', { name: 'Try once' }).click();
  await expect(page.locator('#trial').getByText('Does not fit')).toBeVisible();
  await expect(page.locator('#trial .hint--bad')).toContainText('/code');
});

test('tasks go into a file and come back from it, all or none', async ({ page, lanes, messages }) => {
  messages.expect(/status of 422/);
  const task = own();
  await keep(page, lanes.url, task);
  await open(page, '/tasks');
  const row = page.getByRole('row', { name: new RegExp(task.id) });
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    row.getByRole('link', { name: `Export ${task.name}` }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`lanes-task-${task.id}.toml`);
  const file = await download.path();
  expect(await readFile(file, 'utf8')).toContain('labels = [');

  await page.getByLabel('File').setInputFiles({ name: 'tasks.toml', mimeType: 'application/toml', buffer: await readFile(file) });
  await page.getByRole('button', { name: 'Import' }).click();
  await expect(page.getByRole('alert')).toContainText('Nothing was imported');
  await expect(page.getByRole('alert')).toContainText('/tasks/0/id');
  await hydrated(page);
  await page.request.delete(`${lanes.url}/api/tasks/${task.id}`);
  await page.getByLabel('Or its text').fill(await readFile(file, 'utf8'));
  await page.getByRole('button', { name: 'Import' }).click();
  await expect(page.getByRole('status').first()).toContainText('1 task imported');
  const kept = await (await page.request.get(`${lanes.url}/api/tasks/${task.id}`)).json();
  expect(kept).toMatchObject(task);
});

test('the editor with a trial is accessible in the dark and does not scroll sideways at 390', async ({ page, lanes }) => {
  const task = own();
  await keep(page, lanes.url, { ...task, name: 'A task with a rather long name that has to go somewhere' });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of [`/tasks/${task.id}`, '/tasks']) {
    await open(page, path);
    const attempt = page.getByRole('button', { name: 'Try once' });
    if (await attempt.count()) {
      await attempt.click();
      await expect(page.locator('#trial .answered')).toBeVisible();
    }
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  }
});
