// A program with providers of its own choosing: simulators that refuse, fail or answer, each a process
// of its own, and a `lanes.toml` that names them.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Server } from './helper';

export interface Provider {
  name: string;
  /** What `lanes simulate` is started with, besides its address. */
  flags: string[];
  /** More lines of its `[[provider]]`. */
  lines?: string[];
}

export class Rig {
  private constructor(
    readonly lanes: Server,
    private readonly children: ChildProcess[],
    private readonly dir: string,
  ) {}

  static async with(...providers: Provider[]): Promise<Rig> {
    const dir = await mkdtemp(join(tmpdir(), 'lanes-rig-'));
    const children: ChildProcess[] = [];
    let config = '';
    for (const { name, flags, lines = [] } of providers) {
      const child = spawn(process.env.LANES_BIN ?? '', ['simulate', '--addr', '127.0.0.1:0', ...flags], {
        cwd: dir,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      children.push(child);
      const url = await new Promise<string>((resolve, reject) => {
        createInterface({ input: child.stdout }).on('line', (line) => {
          const found = /listening on (http:\/\/\S+)/.exec(line);
          if (found?.[1]) resolve(found[1].replace(/\/v1$/, ''));
        });
        child.once('exit', (code) => reject(new Error(`the simulator ended (${code})`)));
      });
      config += `[[provider]]\nname = "${name}"\nbase_urls = ["${url}/v1"]\nmodels = ["simulated-mini"]\n`;
      config += lines.map((line) => `${line}\n`).join('');
    }
    const file = join(dir, 'lanes.toml');
    await writeFile(file, config);
    return new Rig(await Server.create({ LANES_CONFIG: file }), children, dir);
  }

  async remove(): Promise<void> {
    await this.lanes.remove();
    for (const child of this.children) child.kill('SIGKILL');
    await rm(this.dir, { recursive: true, force: true });
  }
}
