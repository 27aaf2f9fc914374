// Signing in, keys, and what a page may do: with a token set nobody gets past the login without one.
import { expect, expectAccessible, expectLooksRight, hydrated, runButton, runStatus, test, type Page } from '../helper';

const TOKEN = 'planted-token-of-the-environment';

test.use({ limits: { LANES_TOKEN: TOKEN } });

async function signIn(page: Page, secret: string): Promise<void> {
  await page.getByLabel('Key or token').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a browser signs in, is where it wanted to be, runs something and signs out', async ({ page, messages }) => {
  messages.expect(/status of 401/);
  await page.goto('/tasks?x=1');
  await expect(page).toHaveURL(/\/login\?next=%2Ftasks%3Fx%3D1$/);
  await signIn(page, 'wrong');
  await expect(page.getByRole('alert')).toContainText('not right');
  await expectAccessible(page);
  await signIn(page, TOKEN);
  await expect(page).toHaveURL(/\/tasks\?x=1$/);
  await page.goto('/');
  await hydrated(page);
  await runButton(page).click();
  await page.waitForURL(/\/runs\/./);
  await expect(runStatus(page)).toHaveText('Finished', { timeout: 30_000 });
  await page.goto('/settings/keys');
  await expect(page.getByText('Signed in with LANES_TOKEN.')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login$/);
  await page.goto('/runs');
  await expect(page).toHaveURL(/\/login\?next=%2Fruns$/);
});

test('a key is made, shown once, worth its scope, and revoked', async ({ page, lanes, messages, request }) => {
  messages.expect(/status of 422/);
  await page.goto('/login?next=/settings/keys');
  await signIn(page, TOKEN);
  await page.getByLabel('Name').fill('Nightly <b>run</b>');
  await page.getByLabel('Ends in, days').fill('soon');
  await page.getByRole('button', { name: 'Make the key' }).click();
  await expect(page.locator('#key-days-wrong')).toContainText('1 to 3650 days');
  await expect(page.getByLabel('Name')).toHaveValue('Nightly <b>run</b>');
  await page.getByLabel('Ends in, days').fill('30');
  await page.getByLabel('Scope').selectOption('read');
  await page.getByRole('button', { name: 'Make the key' }).click();
  const key = await page.locator('#new-key').inputValue();
  expect(key).toMatch(/^lanes_[a-z0-9]{8}_[a-z0-9]{32}$/);
  await expectLooksRight(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto('/settings/keys');
  await expect(page.locator('#new-key')).toHaveCount(0);
  expect(await page.content()).not.toContain(key);
  const headers = { authorization: `Bearer ${key}` };
  expect((await request.get(`${lanes.url}/api/runs`, { headers })).status()).toBe(200);
  expect((await request.post(`${lanes.url}/api/runs`, { headers, data: {} })).status()).toBe(403);
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Revoke Nightly <b>run</b>' }).click();
  await expect(page.getByText('There are no keys')).toBeVisible();
  expect((await request.get(`${lanes.url}/api/runs`, { headers })).status()).toBe(401);
});

test('a script that somebody puts into a page does not run', async ({ page, messages }) => {
  messages.expect(/Content Security Policy/);
  await page.goto('/login?next=/tasks');
  await signIn(page, TOKEN);
  await page.waitForURL(/\/tasks$/);
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src="/nowhere.png" onerror="window.ran = true">');
    return (window as unknown as { ran?: boolean }).ran ?? false;
  });
  expect(ran).toBe(false);
  messages.expect(/status of 404/);
  await expect(page.locator('img[src="/nowhere.png"]')).toHaveCount(1);
  expect(await page.evaluate(() => (window as unknown as { ran?: boolean }).ran ?? false)).toBe(false);
});
