/** A worker program of any runtime at the other end of a real socket: this side plays the node. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  childEnvironment, Connection, decodeEnvelopes, indexAt, newJobId, unpack, workerToNode, type ErrorEnvelope, type LogEntry, type NodeToWorker, type Of, type WorkerToNode,
} from "@burla/protocol";
import { PrintedFiles } from "../../services/node/src/containers/printed.ts";
import { within } from "../support/until.ts";

const PATIENCE_MS = 60_000;

/** Functions that a worker is tried with, in its own language. */
export type Behaviour = "double" | "sleep" | "fail" | "print" | "spawn" | "broken" | "environment";

/** A runtime of workers. */
export interface Dialect {
  readonly command: readonly [string, ...string[]];
  readonly env: Record<string, string>;
  /** Writes a bundle into a folder. @returns its path. */
  bundle(behaviour: Behaviour, folder: string): string;
  encode(values: readonly unknown[]): Uint8Array;
  decode(bytes: Uint8Array): unknown[];
}

export type Answer = { value: unknown } | { failure: ErrorEnvelope };

export class WorkerBench {
  readonly messages: WorkerToNode[] = [];
  readonly answers = new Map<number, Answer>();
  readonly lines: LogEntry[] = [];
  readonly exited: Promise<unknown[]>;
  loadFailure: ErrorEnvelope | undefined;
  readonly #child: ChildProcess;
  readonly #dialect: Dialect;
  readonly #directory: string;
  readonly #printed: PrintedFiles;
  readonly #connection: Connection<WorkerToNode, NodeToWorker>;
  #wake: () => void = () => undefined;
  #grants = 0;

  private constructor(dialect: Dialect, child: ChildProcess, socket: Socket, directory: string, printed: PrintedFiles) {
    this.#printed = printed;
    this.#dialect = dialect;
    this.#child = child;
    this.#directory = directory;
    this.exited = once(child, "exit");
    this.#connection = new Connection<WorkerToNode, NodeToWorker>(socket, {
      incoming: workerToNode, software: "test node", silenceMs: 0,
      onMessage: (message, body) => this.#receive(message, body),
      onClose: () => this.#wake(),
    });
  }

  /** Starts the program. Resolves when it has dialled in. */
  static async start(dialect: Dialect): Promise<WorkerBench> {
    const directory = mkdtempSync(join(tmpdir(), "burla-worker-"));
    const [stdout, stderr, path] = ["stdout", "stderr", "socket"].map((name) => join(directory, name)) as [string, string, string];
    const server = createServer().listen(path);
    await once(server, "listening");
    const dialled = once(server, "connection") as Promise<[Socket]>;
    const descriptors = [openSync(stdout, "a"), openSync(stderr, "a")] as const;
    const printed = new PrintedFiles(directory);
    const [program, ...args] = dialect.command;
    const child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", ...descriptors],
      env: {
        ...childEnvironment(), ...dialect.env, BURLA_WORKER_ID: "w-test", BURLA_WORKER_TOKEN: "token", BURLA_WORKER_SOCKET: path,
        BURLA_WORKER_STDOUT: stdout, BURLA_WORKER_STDERR: stderr,
      },
    });
    for (const descriptor of descriptors) closeSync(descriptor);
    const [socket] = await within(PATIENCE_MS, "the start of the worker", dialled);
    server.close();
    return new WorkerBench(dialect, child, socket, directory, printed);
  }

  async load(behaviour: Behaviour, { concurrency = 1, timed = false, env = {} }: { concurrency?: number; timed?: boolean; env?: Record<string, string> } = {}): Promise<void> {
    const bundlePath = this.#dialect.bundle(behaviour, this.#directory);
    this.#send({ type: "load", jobId: newJobId(), bundlePath, concurrency, timed, env: Object.entries(env), isWholeEnv: false, cwd: null, packagesPath: null });
    await this.heard("loaded");
  }

  /** @returns the id of the grant. */
  grant(inputs: readonly unknown[], { first = 0, from = 0, to = inputs.length } = {}): number {
    const grantId = ++this.#grants;
    this.#send({ type: "run", grantId, first, from, to, attempt: 1 }, this.#dialect.encode(inputs));
    return grantId;
  }

  /** The first message of a type. */
  async heard<Type extends WorkerToNode["type"]>(type: Type): Promise<Of<WorkerToNode, Type>> {
    await this.until(`the message ${type}`, () => this.messages.some((message) => message.type === type));
    return this.messages.find((message) => message.type === type) as Of<WorkerToNode, Type>;
  }

  until(what: string, isSo: () => boolean): Promise<void> {
    const look = async () => {
      while (!isSo()) {
        if (this.#connection.closed) throw new Error("the worker has hung up");
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(PATIENCE_MS, what, look());
  }

  /** The worker may write no file beyond this: the system refuses what a full disk would refuse. */
  limitFiles(bytes: number | "unlimited"): void {
    execFileSync("prlimit", ["--pid", String(this.#child.pid), `--fsize=${bytes}:unlimited`]);
  }

  hangUp(): void {
    this.#connection.close();
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #send(message: NodeToWorker, ...body: Uint8Array[]): void {
    this.#connection.send(message, ...body);
  }

  #receive(message: WorkerToNode, body: Uint8Array): void {
    this.messages.push(message);
    if (message.type === "loaded" && !message.ok) this.loadFailure = decodeEnvelopes(body)[0];
    if (message.type === "printed") this.#printed.read(({ body: entries }) => void this.lines.push(...(unpack(entries) as LogEntry[])));
    if (message.type === "workerResults") this.#take(message, body);
    this.#wake();
  }

  #take(message: Of<WorkerToNode, "workerResults">, body: Uint8Array): void {
    const values = message.valuesBytes === 0 ? [] : this.#dialect.decode(body.subarray(0, message.valuesBytes));
    const failures = decodeEnvelopes(body.subarray(message.valuesBytes));
    for (let position = 0; position < message.count; position++) {
      const index = indexAt(message, position);
      if (this.answers.has(index)) throw new Error(`input ${index} was answered twice`);
      const failure = message.failed.includes(position) ? failures.shift() : undefined;
      this.answers.set(index, failure === undefined ? { value: values.shift() } : { failure });
    }
  }
}
