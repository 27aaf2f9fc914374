// Everything the keyboard does, and that letters typed into a field stay letters.
import { COMPARE, expect, hydrated, open, runId, runStatus, test } from '../helper';

test.use({ latency: 'fixed:700ms' });

test('Ctrl Enter runs, also from within the text', async ({ page, lanes }) => {
  await open(page, '/');
  await page.getByRole('textbox', { name: 'Text', exact: true }).press('Control+Enter');
  const id = await runId(page);
  expect((await lanes.view(id)).mode).toBe('compare');
});

test('Escape twice cancels a live run, once does not', async ({ page, lanes }) => {
  const id = await lanes.run({ ...COMPARE, mode: 'sequential', faults: { latency: 'fixed:60s' } });
  await open(page, `/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Running');
  await page.keyboard.press('Escape');
  await expect(runStatus(page)).toHaveText('Running');
  await page.keyboard.press('Escape');
  await expect(runStatus(page)).toHaveText('Cancelled');
  expect((await lanes.finished(id)).status).toBe('cancelled');
});

test('T switches the theme and P the size; both stay after a reload', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page, '/runs');
  const root = page.locator('html');
  await page.keyboard.press('t');
  await expect(root).toHaveAttribute('data-theme', 'dark');
  await page.keyboard.press('p');
  await expect(root).toHaveAttribute('data-present', '');
  await page.reload();
  await expect(root).toHaveAttribute('data-theme', 'dark');
  await expect(root).toHaveAttribute('data-present', '');
});

test('N opens a new run from anywhere', async ({ page }) => {
  await open(page, '/runs');
  await page.keyboard.press('n');
  await page.waitForURL((url) => url.pathname === '/');
  await expect(page.getByRole('heading', { name: 'Workbench' })).toBeVisible();
});

test('letters and digits typed into the text do nothing else', async ({ page }) => {
  await open(page, '/');
  const root = page.locator('html');
  const theme = await root.getAttribute('data-theme');
  const text = page.getByRole('textbox', { name: 'Text', exact: true });
  await text.fill('');
  await text.pressSequentially('npt123 rn');
  await expect(text).toHaveValue('npt123 rn');
  expect(await root.getAttribute('data-theme')).toBe(theme);
  await expect(page.getByRole('checkbox', { name: 'Summary' })).toBeChecked();
  await expect(page).toHaveURL(/\/$/);
});

test('1 to 6 toggle the tasks', async ({ page }) => {
  await open(page, '/');
  await page.keyboard.press('1');
  await expect(page.getByRole('checkbox', { name: 'Summary' })).not.toBeChecked();
  await page.keyboard.press('6');
  await expect(page.getByRole('checkbox', { name: 'Category' })).not.toBeChecked();
  await page.keyboard.press('1');
  await expect(page.getByRole('checkbox', { name: 'Summary' })).toBeChecked();
});

test('? lists the keys, and letters can be turned off and on there', async ({ page }) => {
  await open(page, '/runs');
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys' });
  await expect(dialog).toBeVisible();
  await dialog.getByRole('checkbox', { name: /letters/ }).uncheck();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  const theme = () => page.locator('html').getAttribute('data-theme');
  const before = await theme();
  await page.keyboard.press('t');
  expect(await theme()).toBe(before);
  await page.reload();
  await hydrated(page);
  await page.keyboard.press('n');
  await page.keyboard.press('?');
  await expect(dialog).toBeVisible();
  await dialog.getByRole('checkbox', { name: /letters/ }).check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('t');
  expect(await theme()).not.toBe(before);
});

test('arrows move between the calls of the timeline, and Enter shows the result', async ({ page, lanes }) => {
  const view = await lanes.done({ ...COMPARE, tasks: ['summary', 'category'] });
  await open(page, `/runs/${view.id}`);
  const calls = page.locator('button.call');
  await expect(calls).toHaveCount(4);
  await calls.nth(0).focus();
  await page.keyboard.press('ArrowRight');
  await expect(calls.nth(1)).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(calls.nth(2)).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(calls.nth(3)).toBeFocused();
  await page.keyboard.press('Enter');
  const card = page.locator('article.result').filter({ hasText: 'Category' });
  await expect(card).toBeFocused();
  await expect(card).toBeInViewport();
});
