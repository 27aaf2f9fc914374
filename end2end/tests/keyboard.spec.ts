// Everything the keyboard does, and that letters typed into a field stay letters.
import { COMPARE, expect, open, runId, runStatus, test } from '../helper';

test.use({ latency: 'fixed:700ms' });

test('Ctrl Enter runs, also from within the text', async ({ page, lanes }) => {
  await open(page, '/');
  await page.getByRole('textbox', { name: 'Text', exact: true }).press('Control+Enter');
  const id = await runId(page);
  expect((await lanes.view(id)).mode).toBe('compare');
});

test('Escape twice cancels a live run, once does not', async ({ page, lanes }) => {
  const id = await lanes.run({ ...COMPARE, mode: 'sequential' });
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
