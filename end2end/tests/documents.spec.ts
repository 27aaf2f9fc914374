// Documents in the Workbench: chosen or dropped, read by the server, previewed, run on; with and
// without JavaScript. The files are those of tests/files, made by real programs.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseTasks, expect, expectAccessible, open, runButton, runId, runStatus, test, type Page } from '../helper';

const FILES = fileURLToPath(new URL('../../tests/files', import.meta.url));
const file = (name: string) => join(FILES, name);

/** The list of chosen documents. */
const chosen = (page: Page) => page.getByRole('list', { name: 'Chosen documents' });

async function choose(page: Page, names: string[]): Promise<void> {
  await page.getByLabel('Upload documents').setInputFiles(names.map(file));
}

test('each kind is uploaded, listed with what was found, and run on', async ({ page, lanes }) => {
  await open(page, '/');
  const names = ['notes.md', 'utf16.txt', 'chromium.pdf', 'python-docx.docx', 'scan.png', 'scan.jpg', 'scan.webp'];
  await choose(page, [...names, 'encrypted.pdf', 'empty.txt']);
  await expect(chosen(page).getByRole('listitem')).toHaveCount(names.length);
  await expect(chosen(page)).toContainText('PDF · 1 page ·');
  await expect(chosen(page)).toContainText('Read as UTF-16LE.');
  await expect(page.getByText('encrypted.pdf: The PDF is protected by a password')).toBeVisible();
  await expect(page.getByText('empty.txt: The file is empty')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Text', exact: true })).toBeHidden();
  await expectAccessible(page);

  await chooseTasks(page, ['Summary', 'Category']);
  await page.getByText('Parallel', { exact: true }).first().click();
  await runButton(page).click();
  const id = await runId(page);
  await expect(runStatus(page)).toHaveText('Finished');
  const view = await lanes.view(id);
  expect(view.title).toBe('7 documents, 2 tasks');
  expect(view.passes[0]?.calls).toHaveLength(14);
});

test('a table becomes a record a row, and the column of the text can be chosen', async ({ page, lanes }) => {
  await open(page, '/');
  await choose(page, ['tickets.csv', 'tickets.jsonl']);
  await expect(chosen(page)).toContainText('CSV · 20 records of “message”');
  await expect(page.getByText('2 documents · 40 records')).toBeVisible();
  await page.getByLabel('Column of a table that holds the text').fill('language');
  await choose(page, ['tickets.csv']);
  await expect(chosen(page)).toContainText('20 records of “language”');
  await page.getByRole('checkbox', { name: 'tickets.csv' }).last().click();
  await chooseTasks(page, ['Sentiment']);
  await page.getByText('Parallel', { exact: true }).first().click();
  await runButton(page).click();
  const view = await lanes.finished(await runId(page));
  expect(view.status).toBe('succeeded');
  expect(view.passes[0]?.calls).toHaveLength(40);
});

test('what is uploaded again is recognised, and a document can be left out', async ({ page }) => {
  await open(page, '/');
  await choose(page, ['fpdf2.pdf']);
  await expect(chosen(page).getByRole('listitem')).toHaveCount(1);
  await choose(page, ['wrong-extension.txt', 'rtl.txt']);
  await expect(chosen(page).getByRole('listitem')).toHaveCount(2);
  await page.reload();
  await expect(chosen(page).getByRole('listitem')).toHaveCount(2);
  await page.getByRole('checkbox', { name: 'rtl.txt' }).click();
  await expect(chosen(page).getByRole('listitem')).toHaveCount(1);
  await page.getByRole('button', { name: 'Use a text instead' }).click();
  await expect(chosen(page)).toHaveCount(0);
  await expect(page.getByRole('textbox', { name: 'Text', exact: true })).toBeVisible();
});

test('files are dropped where they are chosen', async ({ page }) => {
  await open(page, '/');
  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['A dropped text.'], 'dropped.txt', { type: 'text/plain' }));
    return transfer;
  });
  // The picker lies over its whole place, so that the browser's own drop works there.
  const picker = page.getByLabel('Upload documents');
  const [over, place] = [await picker.boundingBox(), await page.locator('.drop').boundingBox()];
  expect(over!.width).toBeGreaterThan(place!.width - 8);
  expect(over!.height).toBeGreaterThan(place!.height - 8);
  await picker.evaluate((input: HTMLInputElement, transfer) => {
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, data);
  await expect(chosen(page)).toContainText('dropped.txt');
});

test('a preview shows what was read', async ({ page, context }) => {
  await open(page, '/');
  await choose(page, ['python-docx.docx', 'scan.jpg', 'tickets.csv']);
  for (const [name, shown] of [
    ['python-docx.docx', 'Quarter | Ships'],
    ['tickets.csv', 'Quick answer, friendly voice.'],
  ] as const) {
    const opened = context.waitForEvent('page');
    await page.getByRole('link', { name: `Preview of ${name}` }).click();
    const preview = await opened;
    await expect(preview.getByRole('heading', { level: 1 })).toHaveText(name);
    await expect(preview.getByText(shown).first()).toBeVisible();
    await expectAccessible(preview);
    await preview.close();
  }
  const opened = context.waitForEvent('page');
  await page.getByRole('link', { name: 'Preview of scan.jpg' }).click();
  const preview = await opened;
  const image = preview.getByRole('img', { name: 'The image scan.jpg' });
  await expect(image).toBeVisible();
  expect(await image.evaluate((i: HTMLImageElement) => i.naturalWidth)).toBe(420);
});

test('without JavaScript files are uploaded, run on and refused, too', async ({ browser, lanes }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: lanes.url });
  const page = await context.newPage();
  await page.goto('/');
  await choose(page, ['notes.md', 'weasyprint.pdf', 'tickets.csv']);
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(page).toHaveURL(/\?documents=/);
  await expect(chosen(page).getByRole('listitem')).toHaveCount(3);
  await expect(chosen(page)).toContainText('PDF · 2 pages');
  await page.getByRole('checkbox', { name: 'tickets.csv' }).uncheck();
  await runButton(page).click();
  await expect(page).toHaveURL(/\/runs\//);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('2 documents, 6 tasks');

  await page.goto('/');
  await choose(page, ['notes.md', 'empty.txt']);
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await expect(page.getByText('empty.txt: The file is empty')).toBeVisible();
  await expect(chosen(page).getByRole('listitem')).toHaveCount(1);
  await context.close();
});
