// How the end-to-end tests run: which browser, which folders, with and without JavaScript.
// Nothing is started here: helper.ts starts one program a worker, on a free port and with a data
// directory of its own, from LANES_BIN (default ../target/debug/lanes). A test that needs a retry
// is a test to mend, so there are none.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, devices } from '@playwright/test';

process.env.LANES_BIN ??= fileURLToPath(new URL('../target/debug/lanes', import.meta.url));

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
// An empty CHROMIUM counts as none.
const executablePath = process.env.CHROMIUM || browsers.find(existsSync) || '/usr/bin/chromium';

// Screenshots are no tests: they run when asked for, with `make shots`.
const shots = process.env.LANES_SHOTS ? [{ name: 'shots', testDir: './shots' }] : [];
// Nor are benchmarks: `make bench`. What records a test for its trace would be measured along.
const bench = process.env.LANES_BENCH
  ? [{ name: 'bench', testDir: './bench', use: { trace: 'off' as const, screenshot: 'off' as const } }]
  : [];

export default defineConfig({
  testDir: '.',
  timeout: 60_000,
  workers: 2,
  retries: 0,
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  outputDir: './test-results',
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    screenshot: 'only-on-failure',
    // A trace takes a fifth of the time, and in CI nobody comes to see it.
    trace: process.env.CI ? 'off' : 'retain-on-failure',
    launchOptions: {
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  projects: [
    { name: 'journeys', testDir: './tests' },
    { name: 'routes-hydrated', testDir: './routes' },
    { name: 'routes-nojs', testDir: './routes', use: { javaScriptEnabled: false } },
    { name: 'bugs', testDir: './bugs' },
    ...shots,
    ...bench,
  ],
});
