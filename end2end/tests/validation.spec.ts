// What the Workbench refuses, and that it says why before anything is sent.
import { chooseTasks, expect, open, runButton, TASK_NAMES, test } from '../helper';

test('without a text Run is disabled and says why', async ({ page }) => {
  await open(page, '/');
  await expect(runButton(page)).toBeEnabled();
  const text = page.getByRole('textbox', { name: 'Text', exact: true });
  await text.fill('   \n ');
  await expect(runButton(page)).toBeDisabled();
  await expect(runButton(page)).toHaveAccessibleDescription(/text/i);
  await text.fill('One sentence is enough.');
  await expect(runButton(page)).toBeEnabled();
});

test('without a task Run is disabled and says why', async ({ page }) => {
  await open(page, '/');
  await chooseTasks(page, []);
  await expect(runButton(page)).toBeDisabled();
  await expect(runButton(page)).toHaveAccessibleDescription(/task/i);
  await chooseTasks(page, TASK_NAMES);
  await expect(runButton(page)).toBeEnabled();
});

test('a disabled Run is not started by the keyboard either', async ({ page }) => {
  await open(page, '/');
  await chooseTasks(page, []);
  await page.keyboard.press('Control+Enter');
  await expect(runButton(page)).toBeDisabled();
  await expect(page).toHaveURL(/\/$/);
});

test('a concurrency above the limit is refused at its field', async ({ page }) => {
  await open(page, '/');
  const field = page.getByRole('textbox', { name: 'Concurrency' });
  await field.fill('6500');
  await field.blur();
  // Either it is brought back to the limit, or Run waits and says why.
  await expect(async () => {
    const value = Number(await field.inputValue());
    if (value > 64) await expect(runButton(page)).toBeDisabled({ timeout: 100 });
  }).toPass();
});

test('choosing a sample fills the text, and editing it chooses none', async ({ page }) => {
  await open(page, '/');
  const text = page.getByRole('textbox', { name: 'Text', exact: true });
  const before = await text.inputValue();
  await page.getByText('Business Report').click();
  await expect(text).not.toHaveValue(before);
  await expect(text).not.toHaveValue('');
  await text.fill('Something else altogether.');
  await expect(page.getByRole('radio', { name: /Business Report/ })).not.toBeChecked();
});
