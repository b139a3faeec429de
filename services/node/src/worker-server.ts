/** The socket on which workers dial in; each is handed to the slot that waits for it. */
import { timingSafeEqual } from "node:crypto";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { BurlaError, Connection, workerToNode, type NodeToWorker, type WorkerToNode } from "@burla/protocol";

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
  readonly #server: Server;
  readonly #waiting = new Map<string, WorkerListener>();
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(): Promise<void> {
    mkdirSync(dirname(this.path), { recursive: true });
    rmSync(this.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.path, resolve);
    });
    // Workers in containers are another user; the folder of the node keeps everybody else out, and each shows its token.
    chmodSync(this.path, 0o666);
  }

  expect(workerId: string, listener: WorkerListener): void {
    this.#waiting.set(workerId, listener);
  }

  forget(workerId: string): void {
    this.#waiting.delete(workerId);
  }

  close(): void {
    this.#server.close();
    rmSync(this.path, { force: true });
  }

  #accept(socket: Socket): void {
    let listener: WorkerListener | undefined;
    const connection: WorkerConnection = new Connection<WorkerToNode, NodeToWorker>(socket, {
      incoming: workerToNode,
      software: "burla node",
      silenceMs: 0,
      onMessage: (message, body) => {
        if (listener !== undefined) return listener.message(message, body);
        listener = this.#identify(message);
        if (listener === undefined) connection.abort(new BurlaError("BURLA_UNAUTHORIZED", "an unknown worker dialled in"));
        else listener.connected(connection);
      },
      onClose: () => listener?.disconnected(),
    });
  }

  #identify(message: WorkerToNode): WorkerListener | undefined {
    if (message.type !== "workerHello") return undefined;
    const listener = this.#waiting.get(message.workerId);
    return listener !== undefined && sameSecret(listener.token, message.token) ? listener : undefined;
  }
}

function sameSecret(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
