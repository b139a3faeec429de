/** The socket on which workers dial in; each is handed to the slot that waits for it. */
import { timingSafeEqual } from "node:crypto";
import { chmodSync, rmSync, statSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { afterListening, BurlaError, Connection, MAX_HEADER_BYTES, OPENING_MS, UnknownPeers, workerToNode, type NodeToWorker, type WorkerToNode } from "@burla/protocol";

export type WorkerConnection = Connection<WorkerToNode, NodeToWorker>;

/** What a slot is told of its worker. */
export interface WorkerListener {
  readonly token: string;
  connected(connection: WorkerConnection): void;
  message(message: WorkerToNode, body: Uint8Array): void;
  /** The connection is closed and all that it carried was heard, which does not mean that the worker has ended. */
  disconnected(): void;
}

export class WorkerServer {
  readonly #makeFolder: () => void;
  readonly #waiting = new Map<string, WorkerListener>();
  readonly path: string;
  /** Functions can dial too. */
  readonly #unknown = new UnknownPeers();
  #server: Server | undefined;
  /** Which file the socket is: somebody may take it away, such as who tidies up temporary files. */
  #inode = 0;

  /** @param makeFolder makes the folder of the socket, if it is not there. */
  constructor(path: string, makeFolder: () => void) {
    this.path = path;
    this.#makeFolder = makeFolder;
  }

  /** @throws Error when the system refuses. */
  async listen(): Promise<void> {
    const server = this.#open();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.once("listening", resolve);
    });
  }

  /** A worker is about to be started. */
  expect(workerId: string, listener: WorkerListener): void {
    this.#waiting.set(workerId, listener);
    this.#openAnew();
  }

  /** The socket is there when this returns. */
  #open(): Server {
    this.#makeFolder();
    rmSync(this.path, { force: true });
    const server = (this.#server = createServer((socket) => this.#accept(socket)));
    server.listen(this.path);
    // Workers in containers are another user; the folder of the node keeps everybody else out, and each shows its token.
    chmodSync(this.path, 0o666);
    this.#inode = this.#inodeThere();
    return server;
  }

  /** Where the socket is not there any more. If that fails, the worker ends, and the next one finds out. */
  #openAnew(): void {
    if (this.#server === undefined || this.#inodeThere() === this.#inode) return;
    // Closing takes away what is at the path.
    this.#server.close();
    try {
      this.#open().on("error", () => undefined);
    } catch {
      this.#inode = 0;
    }
  }

  #inodeThere(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.ino ?? -1;
  }

  forget(workerId: string): void {
    this.#waiting.delete(workerId);
  }

  close(): void {
    this.#server?.close();
    rmSync(this.path, { force: true });
  }

  #accept(socket: Socket): void {
    let listener: WorkerListener | undefined;
    this.#unknown.came(socket);
    const opening = afterListening(OPENING_MS, () => connection.abort(new BurlaError("BURLA_PROTOCOL", "a worker that dialled in has not said which it is")));
    const connection: WorkerConnection = new Connection<WorkerToNode, NodeToWorker>(socket, {
      incoming: workerToNode,
      software: "burla node",
      silenceMs: 0,
      mayHold: (bytes) => listener !== undefined || bytes <= MAX_HEADER_BYTES,
      onMessage: (message, body) => {
        if (listener !== undefined) return listener.message(message, body);
        listener = this.#identify(message);
        if (listener === undefined) return connection.abort(new BurlaError("BURLA_UNAUTHORIZED", "an unknown worker dialled in"));
        opening.stop();
        this.#unknown.known(socket);
        listener.connected(connection);
      },
      onClose: () => {
        opening.stop();
        listener?.disconnected();
      },
    });
  }

  /** A token is of use once: what a function dials with that of its own worker is not another worker. */
  #identify(message: WorkerToNode): WorkerListener | undefined {
    if (message.type !== "workerHello") return undefined;
    const listener = this.#waiting.get(message.workerId);
    if (listener === undefined || !sameSecret(listener.token, message.token)) return undefined;
    this.#waiting.delete(message.workerId);
    return listener;
  }
}

function sameSecret(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
