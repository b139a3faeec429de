/** A TCP proxy in front of a cluster, whose connections can be cut or frozen. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { TestCluster } from "./cluster.ts";

export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<{ near: Socket; far: Socket }>();
  #refusing = false;
  /** Connections taken so far. */
  connections = 0;

  private constructor(server: Server, target: () => URL) {
    this.#server = server;
    server.on("connection", (near) => this.#join(near, target()));
  }

  /** Listens on a port of its own, in front of wherever the cluster is. */
  static before(cluster: TestCluster): Promise<Proxy> {
    return Proxy.inFrontOf(() => new URL(cluster.address.url));
  }

  /** The same for any server. */
  static async inFrontOf(target: () => URL): Promise<Proxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Proxy(server, target);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts every connection, as a lost network does for the one side and a reset for the other. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  /** Refuses new connections until told otherwise. */
  refuse(isRefusing: boolean): void {
    this.#refusing = isRefusing;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, { hostname, port }: URL): void {
    this.connections++;
    if (this.#refusing) return void near.resetAndDestroy();
    const far = connect(Number(port), hostname);
    const pair = { near, far };
    this.#pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}
