// What every test stands on: a program of its own for each worker, a console that must stay silent,
// and the few steps that many tests share. The rule: wait for conditions, never for time.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Browser, type Locator, type Page } from '@playwright/test';

export { expect };
export type { Page };

/** What a run asks for, as `POST /api/runs` takes it. */
export interface RunRequest {
  input: { sample: string } | { text: string } | { document_ids: string[] };
  tasks: string[];
  mode: 'sequential' | 'parallel' | 'compare';
  race?: boolean;
  concurrency?: number;
  adaptive?: boolean;
  provider?: string;
  /** What the simulator does to this run alone: latency, errors, limits. */
  faults?: Record<string, unknown>;
}

/** Where the time of a pass went, in microseconds. */
export type LedgerView = Record<`${string}_us`, number>;

/** The part of `GET /api/runs/{id}` that tests read. */
export interface RunView {
  id: string;
  title: string;
  status: string;
  mode: string;
  last_seq: number;
  resumed: number;
  passes: {
    mode: string;
    concurrency: number;
    wall_us: number | null;
    ledger: LedgerView | null;
    limits?: { limit: number; why: string }[];
    calls: { task: string; status: string; output: string | null; attempts: number }[];
  }[];
  comparison?: { speedup: number; time_saved: number; parallel_efficiency: number };
}

/** Every built-in task, in the order the page shows them. */
export const TASKS = ['summary', 'sentiment', 'keywords', 'questions', 'translation', 'category'];

/** The names people read, in the same order. */
export const TASK_NAMES = [
  'Summary',
  'Sentiment',
  'Keywords',
  'Questions',
  'Translation (Spanish)',
  'Category',
];

/** A compare of everything on the first sample. */
export const COMPARE: RunRequest = {
  input: { sample: 'ai-technology' },
  tasks: TASKS,
  mode: 'compare',
};

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** `lanes serve` with its own port and data directory; both outlive a restart. */
export class Server {
  private child?: ChildProcess;
  private log = '';

  private constructor(
    readonly url: string,
    private readonly port: number,
    private readonly dir: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Starts a program with these environment variables. */
  static async create(settings: Record<string, string>): Promise<Server> {
    const port = await freePort();
    const dir = await mkdtemp(join(tmpdir(), 'lanes-e2e-'));
    const server = new Server(`http://127.0.0.1:${port}`, port, dir, settings);
    await server.start();
    return server;
  }

  /** Starts the program and waits until it accepts connections. */
  async start(): Promise<void> {
    const bin = process.env.LANES_BIN;
    if (!bin) throw new Error('LANES_BIN names no program');
    // Nothing of the caller's own settings may reach a test: no key, no address, no file.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(OPENAI|LANES)_/.test(name)),
    );
    const child = spawn(bin, ['serve', '--addr', `127.0.0.1:${this.port}`, '--data-dir', this.dir], {
      cwd: this.dir,
      env: { ...env, ...this.settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stderr.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('listening on http://')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(new Error(`the program ended (${code ?? signal}):\n${this.log}`)),
      );
    });
  }

  /** Stops the program and answers how it ended: its exit code, or the signal. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | string | null> {
    const child = this.child;
    if (!child) return null;
    this.child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = new Promise<number | string | null>((resolve) =>
      child.once('exit', (code, sent) => resolve(code ?? sent)),
    );
    child.kill(signal);
    return ended;
  }

  /** Stops the program and starts it on the same port and data. */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.stop(signal);
    await this.start();
  }

  /** Lets the program write files, or not: then its log cannot be written. */
  mayWrite(may: boolean): void {
    execFileSync('prlimit', ['--pid', `${this.child?.pid}`, `--fsize=${may ? 'unlimited' : 0}:`]);
  }

  /** Stops the program if it runs, and removes what it kept. */
  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Starts a run over the REST API and answers its id. */
  async run(request: RunRequest): Promise<string> {
    const response = await fetch(`${this.url}/api/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    expect(response.status, await response.clone().text()).toBe(201);
    return ((await response.json()) as { id: string }).id;
  }

  /** Pauses a run, or lets it go on. */
  async tell(id: string, what: 'pause' | 'resume'): Promise<void> {
    const response = await fetch(`${this.url}/api/runs/${id}/${what}`, { method: 'POST' });
    expect(response.status, await response.text()).toBe(202);
  }

  /** A run as the REST API shows it. */
  async view(id: string): Promise<RunView> {
    const response = await fetch(`${this.url}/api/runs/${id}`);
    expect(response.status).toBe(200);
    return (await response.json()) as RunView;
  }

  /** Waits until the run is complete and answers it. */
  async finished(id: string): Promise<RunView> {
    let view = await this.view(id);
    await expect
      .poll(async () => (view = await this.view(id)).status, { timeout: 40_000 })
      .not.toMatch(/queued|running/);
    return view;
  }

  /** A run that is complete, and its id. */
  async done(request: RunRequest = COMPARE): Promise<RunView> {
    return this.finished(await this.run(request));
  }
}

/** What the browser said. A test that takes the network or the program away expects it. */
export class Messages {
  private readonly seen: string[] = [];
  private readonly expected: RegExp[] = [];

  /** Notes a message. */
  add(text: string): void {
    this.seen.push(text);
  }

  /** From here on, also backwards, messages like this are part of the test. */
  expect(pattern: RegExp): void {
    this.expected.push(pattern);
  }

  /** The browser's own words for a request that reached nobody. */
  expectLostConnections(): void {
    this.expect(/net::ERR_/);
  }

  /** What nobody expected. */
  unexpected(): string[] {
    return this.seen.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
  }
}

interface TestFixtures {
  messages: Messages;
}

interface WorkerFixtures {
  /** The simulator's latency profile, as `lanes simulate --latency` takes it. */
  latency: string;
  /** More settings of the program, as environment variables. */
  limits: Record<string, string>;
  lanes: Server;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  latency: ['fixed:300ms', { scope: 'worker', option: true }],
  limits: [{}, { scope: 'worker', option: true }],

  lanes: [
    async ({ latency, limits }, use) => {
      const server = await Server.create({ LANES_SIM_LATENCY: latency, ...limits });
      await use(server);
      await server.remove();
    },
    { scope: 'worker', timeout: 30_000 },
  ],

  baseURL: async ({ lanes }, use) => {
    await use(lanes.url);
  },

  messages: [
    async ({ context }, use) => {
      const messages = new Messages();
      context.on('console', (message) => {
        if (['error', 'warning', 'assert'].includes(message.type())) {
          messages.add(`${message.type()}: ${message.text()} (${message.location().url})`);
        }
      });
      context.on('weberror', (error) => messages.add(`exception: ${error.error().stack}`));
      await context.addInitScript(countListeners);
      await use(messages);
      expect(messages.unexpected(), 'the console stays silent').toEqual([]);
    },
    { auto: true },
  ],
});

/** Counts what the page listens to, which is how a test sees that the page has come to life. */
function countListeners(): void {
  const counted = window as unknown as { listeners: number };
  counted.listeners = 0;
  const original = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...args) {
    counted.listeners += 1;
    original.apply(this, args);
  };
}

/** Waits until the page has come to life: it listens, and nothing was added for ten frames. */
export async function hydrated(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const counted = window as unknown as { listeners: number; last?: number; same?: number };
    const stable = counted.listeners > 0 && counted.listeners === counted.last;
    counted.same = stable ? (counted.same ?? 0) + 1 : 0;
    counted.last = counted.listeners;
    return counted.same >= 10;
  });
}

/** Opens a page and waits until it has come to life. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

/**
 * Starts a run and opens its page, which sees it while it goes on however long this machine takes to
 * open one: the run is paused until then. `url` is where the page is, if not at the program's own.
 */
export async function openLive(page: Page, lanes: Server, request: RunRequest, url = lanes.url): Promise<string> {
  const id = await lanes.run(request);
  await lanes.tell(id, 'pause');
  await open(page, `${url}/runs/${id}`);
  await expect(runStatus(page)).toHaveText('Paused');
  await lanes.tell(id, 'resume');
  await expect(runStatus(page)).toHaveText('Running');
  return id;
}

/** The id in the address of a run's page, once the browser is there. */
export async function runId(page: Page): Promise<string> {
  await page.waitForURL(/\/runs\/[^/?#]+$/);
  return decodeURIComponent(new URL(page.url()).pathname.split('/').pop() ?? '');
}

/** The button that starts a run; its name carries the mode and, with a mouse, the keys. */
export function runButton(page: Page): Locator {
  return page.getByRole('button', { name: /^Run (sequential|parallel|compare)/ });
}

/** Chooses exactly these tasks, as people do: by the words, for the box itself lies under its icon. */
export async function chooseTasks(page: Page, names: string[]): Promise<void> {
  for (const name of TASK_NAMES) {
    const box = page.getByRole('checkbox', { name });
    const wanted = names.includes(name);
    if ((await box.isChecked()) !== wanted) await page.locator('label.pick').getByText(name).click();
    await expect(box).toBeChecked({ checked: wanted });
  }
}

/** The badge beside the heading that says how the run stands. */
export function runStatus(page: Page): Locator {
  return page.locator('h1').locator('.badge');
}

/** Checks the page as it stands with axe, but for some rules, and shows what is wrong by rule and place. */
export async function expectAccessible(page: Page, without: string[] = []): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .disableRules(without)
    .analyze();
  const found = violations.map((v) => ({
    rule: v.id,
    help: v.help,
    where: v.nodes.slice(0, 5).map((n) => `${n.target.join(' ')}: ${n.any[0]?.message ?? n.html}`),
  }));
  expect(found, 'axe finds nothing').toEqual([]);
}

/**
 * The same for a page that never comes to life. axe is a script and needs the browser's timers, so
 * the page stands in a context with JavaScript whose own scripts are refused.
 */
export async function expectPlainAccessible(
  browser: Browser,
  url: string,
  colorScheme: 'light' | 'dark',
): Promise<void> {
  // The project's own options reach every context, so JavaScript is switched on by name.
  const context = await browser.newContext({ colorScheme, javaScriptEnabled: true });
  await context.route('**/*.js', (route) => route.abort());
  const page = await context.newPage();
  await page.goto(url);
  await expectAccessible(page);
  await context.close();
}

/** Checks that the page itself does not scroll sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const overflow = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scroll = document.scrollingElement?.scrollWidth ?? 0;
    if (scroll <= width) return [];
    const wide = [...document.querySelectorAll('body *')].filter(
      (e) => e.getBoundingClientRect().right > width + 0.5 && !e.closest('.scroll, .sr, svg svg'),
    );
    return [`${scroll} > ${width}`, ...wide.slice(0, 8).map((e) => `${e.tagName}.${e.className}`)];
  });
  expect(overflow, 'the page does not scroll sideways').toEqual([]);
}

/**
 * The page as it stands reads well and fits, in both themes, on a desk and on a phone. `each` runs
 * before it is looked at.
 */
export async function expectLooksRight(page: Page, without: string[] = [], each?: () => Promise<void>): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [[1280, 800], [390, 844]] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await each?.();
      await expectAccessible(page, without);
      await expectNoSidewaysScroll(page);
    }
  }
}
