// Webhooks, alerts and the dashboard: one set of plain forms, with JavaScript and without.
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  COMPARE,
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  expectPlainAccessible,
  hydrated,
  test,
  type Page,
} from '../helper';

test.use({ limits: { LANES_WEBHOOK_ALLOW_PRIVATE: 'true' } });

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver on this machine, and what it got. */
async function receiver(): Promise<{ url: string; got: Received[]; server: Server }> {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      response.writeHead(200).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/hook`, got, server };
}

function signed(message: Received | undefined, secret: string): boolean {
  if (!message) return false;
  const { headers, body } = message;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const expected = createHmac('sha256', key).update(content).digest('base64');
  return headers['webhook-signature'] === `v1,${expected}`;
}

async function ready(page: Page, path: string, javaScriptEnabled?: boolean): Promise<void> {
  await page.goto(path);
  if (javaScriptEnabled !== false) await hydrated(page);
}

/** A page as it stands with what the test has made, in both themes and both widths. */
async function looksRight(page: Page, url: string, javaScriptEnabled?: boolean): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    if (javaScriptEnabled === false) {
      await expectPlainAccessible(page.context().browser()!, url + new URL(page.url()).pathname, colorScheme);
    } else {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
    }
  }
  for (const [width, height] of [[1280, 800], [390, 844]] as const) {
    await page.setViewportSize({ width, height });
    await expectNoSidewaysScroll(page);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

test('a webhook is made, tried, told of a run and deleted', async ({ page, lanes, messages, javaScriptEnabled }) => {
  messages.expect(/status of 422/);
  page.on('dialog', (dialog) => void dialog.accept());
  const { url, got, server } = await receiver();
  await ready(page, '/settings/webhooks', javaScriptEnabled);
  await page.getByLabel('Name').fill('Pager');
  await page.getByLabel('Address').fill('ftp://example.com/');
  await page.getByRole('button', { name: 'Make webhook' }).click();
  await expect(page.getByText('must begin with https://')).toBeVisible();
  await expect(page.getByLabel('Name')).toHaveValue('Pager');
  await page.getByLabel('Address').fill(url);
  await page.getByRole('checkbox', { name: 'run.ended' }).check();
  await page.getByRole('button', { name: 'Make webhook' }).click();
  await expect(page.getByText('is shown only now')).toBeVisible();
  const secret = await page.getByLabel('Secret').inputValue();
  expect(secret).toMatch(/^whsec_/);
  await page.getByRole('link', { name: 'Pager' }).click();
  await page.waitForURL(/\/settings\/webhooks\/[^/]+$/);
  expect(await page.content()).not.toContain('whsec_');
  await page.getByRole('button', { name: 'Send a test' }).click();
  await expect(page.getByText('webhook.test')).toBeVisible();
  await expect(page.getByText('Delivered')).toBeVisible();
  expect(signed(got[0], secret)).toBe(true);
  const run = await lanes.done(COMPARE);
  await expect.poll(() => got.length).toBe(2);
  expect(JSON.parse(got[1]?.body ?? '')).toMatchObject({ type: 'run.ended', data: { run: run.id } });
  await page.reload();
  await expect(page.getByRole('row', { name: /run\.ended/ })).toContainText('200');
  await looksRight(page, lanes.url, javaScriptEnabled);
  await page.getByRole('row', { name: /run\.ended/ }).getByRole('button').click();
  await expect.poll(() => got.length).toBe(3);
  expect(got[2]?.headers['webhook-id']).toBe(got[1]?.headers['webhook-id']);
  await page.getByRole('checkbox', { name: 'Switched on' }).uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  await expect(page.getByText('Off', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL(/\/settings\/webhooks$/);
  await expect(page.getByRole('link', { name: 'Pager' })).toHaveCount(0);
  server.close();
});

test('a rule is made, fires, shows in the bar, is changed and deleted', async ({ page, lanes, messages, javaScriptEnabled }) => {
  messages.expect(/status of 422/);
  page.on('dialog', (dialog) => void dialog.accept());
  await lanes.done({ ...COMPARE, mode: 'parallel', faults: { error_rate: 1 } } as typeof COMPARE);
  await ready(page, '/alerts', javaScriptEnabled);
  await expect(page.getByRole('row', { name: /Many calls fail/ })).toContainText('20');
  await page.getByLabel('Name').fill('Anything fails');
  await page.getByLabel('Fires from').fill('150');
  await page.getByRole('button', { name: 'Make rule' }).click();
  await expect(page.getByText('at most 100 percent')).toBeVisible();
  await page.getByLabel('Fires from').fill('10');
  await page.getByLabel('For, seconds').fill('0');
  await page.getByLabel('Least calls').fill('1');
  await page.getByRole('checkbox', { name: 'simulator' }).check();
  await page.getByRole('button', { name: 'Make rule' }).click();
  await page.waitForURL(/\/alerts$/);
  const state = async () => {
    await page.reload();
    return page.getByRole('region', { name: 'Table of rules' }).getByRole('row', { name: /Anything fails/ }).textContent();
  };
  await expect.poll(state, { timeout: 30_000 }).toContain('Firing');
  await expect(page.getByRole('link', { name: /^Alerts: 1 fires/ })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Table of changes' })).toContainText('Anything fails');
  await looksRight(page, lanes.url, javaScriptEnabled);
  await page.getByRole('link', { name: 'Edit Anything fails' }).click();
  await page.waitForURL(/\/alerts\/[^/]+$/);
  await page.getByRole('checkbox', { name: 'Switched on' }).uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  await page.goto('/alerts');
  await page.getByRole('button', { name: 'Delete Anything fails' }).click();
  await page.waitForURL(/\/alerts$/);
  await expect(page.getByRole('link', { name: 'Edit Anything fails' })).toHaveCount(0);
});

test('the dashboard shows the last hour, day and week', async ({ page, lanes, javaScriptEnabled }) => {
  await lanes.done(COMPARE);
  await ready(page, '/dashboard?range=hour', javaScriptEnabled);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Dashboard');
  await expect(page.getByRole('link', { name: 'Dashboard' })).toHaveAttribute('aria-current', 'page');
  await expect(page.getByRole('img', { name: /^Calls by time/ })).toBeVisible();
  await expect(page.locator('#h-tasks')).toHaveText('By task');
  await expect(page.getByRole('row', { name: /Translation/ })).toBeVisible();
  const table = page.locator('details').first();
  await table.locator('summary').click();
  await expect(table.getByRole('columnheader', { name: 'Failed' })).toBeVisible();
  await looksRight(page, lanes.url, javaScriptEnabled);
  for (const name of ['Last week', 'Last day']) {
    await page.getByRole('link', { name }).click();
    await expect(page.getByRole('link', { name })).toHaveAttribute('aria-current', 'true');
    await expect(page.getByRole('row', { name: /simulated-mini/ })).toContainText('Simulated');
  }
});
