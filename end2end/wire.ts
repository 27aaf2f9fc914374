// A wire between browser and program that can be cut: connections end in the middle of a byte and
// new ones are refused, as when a network is lost. The program notices nothing but closed sockets.
import { connect, createServer, type Server as Listener, type Socket } from 'node:net';

export class Wire {
  private listener?: Listener;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly target: number,
    private port: number,
  ) {}

  /** A wire to the program at this address. */
  static async to(url: string): Promise<Wire> {
    const wire = new Wire(Number(new URL(url).port), 0);
    await wire.mend();
    return wire;
  }

  /** Where the browser reaches the program through the wire. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends every connection and refuses new ones. */
  async cut(): Promise<void> {
    const listener = this.listener;
    this.listener = undefined;
    const closed = new Promise((resolve) => listener?.close(resolve) ?? resolve(undefined));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Lets connections through, at the same address as before. */
  async mend(): Promise<void> {
    const listener = createServer((near) => {
      const far = connect(this.target, '127.0.0.1');
      for (const [one, other] of [[near, far], [far, near]] as const) {
        this.sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => (this.sockets.delete(one), other.destroy()));
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.port, '127.0.0.1', resolve);
    });
    const address = listener.address();
    if (typeof address === 'object' && address) this.port = address.port;
    this.listener = listener;
  }
}
