// What a visitor waits for, measured and written down, never asserted: `make bench` puts the figures
// into docs/benchmarks.md.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, runButton, test } from '../helper';

const VISITS = 9;
const target = fileURLToPath(new URL('../../target', import.meta.url));

const median = (times: number[]) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

test('what a visitor waits for', async ({ browser, lanes }) => {
  test.setTimeout(180_000);
  const control: number[] = [];
  const event: number[] = [];
  for (let visit = 0; visit < VISITS; visit += 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    // The clock of the page, from the beginning of the navigation to the first effect of a control.
    await page.addInitScript(() => {
      const usable = window as unknown as { usable?: number; event?: number };
      const look = () => {
        const theme = document.querySelector<HTMLElement>('[data-do="theme"]');
        const before = document.documentElement.dataset.theme;
        if (location.pathname === '/' && usable.usable === undefined && theme) {
          theme.click();
          if (document.documentElement.dataset.theme !== before) usable.usable = performance.now();
        }
        // A bar of a call on the timeline: an attempt has begun, and the page shows it.
        if (usable.event === undefined && document.querySelector('button.call')) {
          usable.event = performance.timeOrigin + performance.now();
        }
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await page.goto(lanes.url);
    control.push(await page.waitForFunction(() => (window as unknown as { usable?: number }).usable).then((h) => h.jsonValue() as Promise<number>));
    await expect(runButton(page)).toBeEnabled();
    const pressed = await runButton(page).evaluate((button) => {
      const at = performance.timeOrigin + performance.now();
      (button as HTMLButtonElement).click();
      return at;
    });
    await page.waitForURL(/\/runs\/./);
    const shown = await page.waitForFunction(() => (window as unknown as { event?: number }).event).then((h) => h.jsonValue() as Promise<number>);
    event.push(shown - pressed);
    await context.close();
  }
  const figures = { first_control_ms: median(control), first_event_ms: median(event), visits: VISITS };
  console.log(figures, control, event);
  await mkdir(target, { recursive: true });
  await writeFile(`${target}/bench-browser.json`, JSON.stringify(figures));
});
