// A run whose log cannot be written: its page says so while that is so, with scripts and without, and
// the run goes on by itself.
import { expect, expectAccessible, runStatus, Server, test } from '../helper';

const HEADING = 'Nothing new is started.';
const TASKS = ['summary', 'sentiment', 'keywords'];

test('a page says that its run stands still and why, and then that it goes on', async ({ page, browser }) => {
  const lanes = await Server.create({ LANES_SIM_LATENCY: 'fixed:3s' });
  try {
    const id = await lanes.run({ input: { text: 'The harbour was quiet.' }, tasks: TASKS, mode: 'sequential' });
    await page.goto(`${lanes.url}/runs/${id}`);
    await expect(runStatus(page)).toHaveText('Running');
    await expect(page.getByText(HEADING)).toBeHidden();
    lanes.mayWrite(false);
    const note = page.locator('.note--bad').filter({ hasText: HEADING });
    await expect(note).toBeVisible();
    await expect(note).toContainText('The log cannot be written: ');
    await expect(note).toContainText('The run goes on by itself as soon as that works.');
    await expectAccessible(page);

    // Whoever comes now sees it at once, without scripts too.
    const context = await browser.newContext({ javaScriptEnabled: false });
    const plain = await context.newPage();
    await plain.goto(`${lanes.url}/runs/${id}`);
    await expect(plain.getByText(HEADING)).toBeVisible();
    await context.close();
    await page.reload();
    await expect(note).toBeVisible();

    lanes.mayWrite(true);
    await expect(note).toBeHidden({ timeout: 20_000 });
    await expect(runStatus(page)).toHaveText('Finished', { timeout: 20_000 });
    expect((await lanes.finished(id)).status).toBe('succeeded');
  } finally {
    await lanes.remove();
  }
});
