// Every page by its address, once brought to life and once as plain HTML (the projects choose).
import { expect, expectAccessible, expectNoSidewaysScroll, expectPlainAccessible, hydrated, test } from '../helper';
import { ROUTES } from './pages';

for (const route of ROUTES) {
  test(`${route.name} answers ${route.status} with its heading, without a word on the console`, async ({ page, lanes, messages, javaScriptEnabled }) => {
    // The browser itself reports the status that the address is meant to have.
    if (route.status === 404) messages.expect(/status of 404 \(Not Found\)/);
    const response = await page.goto(await route.path(lanes));
    expect(response?.status()).toBe(route.status);
    if (javaScriptEnabled !== false) await hydrated(page);
    const heading = page.getByRole('heading', { level: 1 });
    await expect(heading).toHaveCount(1);
    await expect(heading).toHaveText(route.heading);
    await expect(page).toHaveTitle(/Lanes$/);
    await expect(page.locator('main')).toHaveCount(1);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${route.name} is accessible in ${colorScheme}`, async ({ page, browser, lanes, messages, javaScriptEnabled }) => {
      const path = await route.path(lanes);
      // The whole of it once, without scripts; elsewhere a part, for axe takes most of a minute for all.
      if (route.long) test.slow();
      test.skip(Boolean(route.long) && javaScriptEnabled === false && colorScheme === 'dark', 'its colours are seen elsewhere');
      if (javaScriptEnabled === false) {
        await expectPlainAccessible(browser, lanes.url + path, colorScheme);
        return;
      }
      if (route.status === 404) messages.expect(/status of 404 \(Not Found\)/);
      await page.emulateMedia({ colorScheme });
      await page.goto(path);
      await hydrated(page);
      if (route.long) {
        await page.evaluate(() => document.querySelectorAll('main section.card').forEach((card, n) => n % 8 > 0 && card.remove()));
      }
      await expectAccessible(page);
    });
  }

  for (const [width, height] of [[1280, 800], [390, 844]] as const) {
    test(`${route.name} does not scroll sideways at ${width} × ${height}`, async ({ page, lanes, messages, javaScriptEnabled }) => {
      if (route.status === 404) messages.expect(/status of 404 \(Not Found\)/);
      await page.setViewportSize({ width, height });
      await page.goto(await route.path(lanes));
      if (javaScriptEnabled !== false) await hydrated(page);
      await expectNoSidewaysScroll(page);
    });
  }
}
