// Reading the compare report as a person does: by headings, tables and cards.
import { expect, TASK_NAMES, type Page, type RunView } from './helper';

/** The figure "12.34 s", "0" or "1 m 02 s" in hundredths of a second. */
export function hundredths(text: string): number {
  const clean = text.replace(/\s/g, ' ').trim();
  if (clean === '0' || clean === '–') return 0;
  const parts = /^(?:(\d+) m )?([\d.]+)(?: lane-)? ?(?:s|lane-s)$/.exec(clean);
  if (!parts) throw new Error(`not a time: ${JSON.stringify(text)}`);
  return Number(parts[1] ?? 0) * 6000 + Math.round(Number(parts[2]) * 100);
}

/** Checks that the ledger's displayed rows add up, in each column, to its displayed total. */
export async function expectLedgerAddsUp(page: Page, view: RunView): Promise<void> {
  const table = page.locator('table.ledger-table');
  await expect(table).toBeVisible();
  const columns = await table.evaluate((element) => {
    const times = (row: Element) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '').filter((t) => !t.includes('%'));
    return {
      rows: [...element.querySelectorAll('tbody tr')].map(times),
      total: [...element.querySelectorAll('tfoot tr')].map(times)[0] ?? [],
    };
  });
  expect(columns.total).toHaveLength(view.passes.length);
  for (const [column, total] of columns.total.entries()) {
    const sum = columns.rows.reduce((sum, row) => sum + hundredths(row[column] ?? ''), 0);
    expect(sum, `column ${column} of ${JSON.stringify(columns)}`).toBe(hundredths(total));
  }
}

/** Checks that the log's own figures add up, exactly: concurrency × wall time, in microseconds. */
export function expectExactLedger(view: RunView): void {
  for (const pass of view.passes) {
    const sum = Object.values(pass.ledger ?? {}).reduce((a, b) => a + b, 0);
    expect(sum, `the ledger of ${pass.mode}`).toBe(pass.concurrency * (pass.wall_us ?? -1));
  }
}

/** Checks that every task has a card with a text in it. */
export async function expectOutputs(page: Page, names: string[] = TASK_NAMES): Promise<void> {
  const results = page.locator('article.result');
  await expect(results).toHaveCount(names.length);
  for (const name of names) {
    const card = results.filter({ has: page.getByRole('heading', { name, exact: true }) });
    await expect(card.locator('.text')).not.toBeEmpty();
  }
}

/** Checks that a compare run reads as complete. */
export async function expectWholeReport(page: Page, view: RunView): Promise<void> {
  expect(view.status).toBe('succeeded');
  expectExactLedger(view);
  const speedup = view.comparison?.speedup ?? 0;
  await expect(
    page.getByRole('heading', { name: `Parallel finished ${speedup.toFixed(1)}× sooner` }),
  ).toBeVisible();
  await expectLedgerAddsUp(page, view);
  await expectOutputs(page);
}
