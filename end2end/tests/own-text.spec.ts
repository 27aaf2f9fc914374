// A text of one's own: shown as text, whatever is in it.
import { chooseTasks, expect, hydrated, open, runButton, runId, runStatus, test } from '../helper';
import { expectOutputs } from '../report';

const TEXT = `<script>document.title = 'owned'</script> Rivers carry <b>water</b> to the sea.
The harbour town grew because of trade, and trade grew because of the harbour.
<img src=x onerror="document.title='owned'"> Engineers now dredge the channel each spring.`;

test('a pasted text with markup runs two tasks side by side and is shown as text', async ({ page, lanes }) => {
  await open(page, '/');
  await page.getByRole('textbox', { name: 'Text', exact: true }).fill(TEXT);
  await chooseTasks(page, ['Summary', 'Keywords']);
  // The radio itself is hidden under its label.
  await page.getByText('Parallel', { exact: true }).first().click();
  await expect(page.getByRole('radio', { name: 'Parallel' })).toBeChecked();
  await runButton(page).click();

  const id = await runId(page);
  await hydrated(page);
  await expect(runStatus(page)).toHaveText('Finished');
  await expectOutputs(page, ['Summary', 'Keywords']);
  const view = await lanes.view(id);
  expect(view.passes).toHaveLength(1);
  expect(view.passes[0]?.concurrency).toBe(2);
  for (const call of view.passes[0]?.calls ?? []) {
    const words = (call.output ?? '').replace(/\s+/g, ' ').trim().slice(0, 40);
    expect(words).not.toBe('');
  }
  await page.reload();
  await expectOutputs(page, ['Summary', 'Keywords']);
  await expect(page.locator('main script, main b:has-text("water"), main img')).toHaveCount(0);
  await expect(page).not.toHaveTitle(/^owned/);
});

test('answers with markup in them are text on the page', async ({ page, lanes }) => {
  // Entities and half a tag survive the simulator, which leaves whole tags out of its answers.
  const text = 'Costs fell when 2 < 3 & 4 > 1 in every harbour. Trade grew <b and harbours grew too.';
  const view = await lanes.done({ input: { text }, tasks: ['summary', 'keywords'], mode: 'sequential' });
  const output = view.passes[0]?.calls[0]?.output ?? '';
  expect(output).toMatch(/[<&]/);
  await open(page, `/runs/${view.id}`);
  await expect(page.locator('article.result .text').first()).toContainText(output.trim());
});
