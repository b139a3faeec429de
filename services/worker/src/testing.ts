/** The real worker program at the other end of a real socket, for tests: this side plays the node. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  childEnvironment, Connection, decodeEnvelopes, decodeValues, encodeValues, fromEnvelope, indexAt, newJobId, unpack, workerToNode, type LogEntry,
  type NodeToWorker, type Of, type WorkerToNode,
} from "@burla/protocol";
import { PrintedFiles } from "../../node/src/containers/printed.ts";

const PROGRAM = fileURLToPath(new URL("./main.ts", import.meta.url));

export type Outcome = { value: unknown } | { reason: unknown };

export interface RunOptions {
  readonly from?: number;
  readonly to?: number;
  readonly first?: number;
  readonly attempt?: number;
}

/** Everything that the worker has said so far, opened. */
export class TestWorker {
  readonly child: ChildProcess;
  readonly outcomes = new Map<number, Outcome>();
  readonly lines: LogEntry[] = [];
  readonly messages: WorkerToNode[] = [];
  readonly givenBack: Of<WorkerToNode, "givenBack">[] = [];
  readonly exited: Promise<unknown[]>;
  droppedLines = 0;
  /** The file behind its descriptor 1. */
  readonly stdoutFile: string;
  readonly printed: PrintedFiles;
  loadError: unknown;
  readonly #directory: string;
  readonly #connection: Connection<WorkerToNode, NodeToWorker>;
  readonly #waiting = new Set<() => void>();
  #grants = 0;

  constructor(child: ChildProcess, socket: Socket, directory: string, printed: PrintedFiles) {
    this.child = child;
    this.#directory = directory;
    this.stdoutFile = join(directory, "stdout");
    this.printed = printed;
    this.exited = once(child, "exit");
    this.#connection = new Connection<WorkerToNode, NodeToWorker>(socket, {
      incoming: workerToNode, software: "test node", silenceMs: 0,
      onMessage: (message, body) => this.#receive(message, body),
      onClose: () => this.#changed(),
    });
  }

  /** Loads a module whose default export makes the function. Resolves when it is loaded, or could not be. */
  async load(code: string, options: { concurrency?: number; timed?: boolean; env?: Record<string, string>; isWholeEnv?: boolean; cwd?: string | null } = {}): Promise<void> {
    const bundlePath = join(this.#directory, "bundle.mjs");
    writeFileSync(bundlePath, code);
    const { concurrency = 1, timed = false, env = {}, isWholeEnv = false, cwd = null } = options;
    this.send({ type: "load", jobId: newJobId(), bundlePath, concurrency, timed, env: Object.entries(env), isWholeEnv, cwd, packagesPath: null });
    await this.until(() => this.messages.some(({ type }) => type === "loaded"));
  }

  /** Grants inputs. @returns the id of the grant. */
  grant(inputs: readonly unknown[], { first = 0, from = 0, to = inputs.length, attempt = 1 }: RunOptions = {}): number {
    const grantId = ++this.#grants;
    this.send({ type: "run", grantId, first, from, to, attempt }, encodeValues(inputs));
    return grantId;
  }

  /** Grants inputs, and waits for all their outcomes. */
  async run(inputs: readonly unknown[], options: RunOptions = {}): Promise<Outcome[]> {
    const { first = 0, from = 0, to = inputs.length } = options;
    this.outcomes.clear();
    this.grant(inputs, options);
    await this.until(() => this.outcomes.size >= to - from);
    return Array.from({ length: to - from }, (_, at) => this.outcomes.get(first + from + at) as Outcome);
  }

  send(message: NodeToWorker, ...body: Uint8Array[]): void {
    this.#connection.send(message, ...body);
    this.#connection.flush();
  }

  /** Lines of one input, as texts. */
  linesOf(index: number, stream?: 1 | 2): string[] {
    return this.lines.filter(([at, which]) => at === index && (stream === undefined || which === stream)).map(([, , , text]) => text);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#connection.closed) throw new Error("the worker has hung up");
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
      this.#waiting.clear();
    }
  }

  hangUp(): void {
    this.#connection.close();
  }

  async stop(): Promise<void> {
    this.child.kill("SIGKILL");
    if (this.child.exitCode === null && this.child.signalCode === null) await this.exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** What it has printed, told or not. */
  lookAtLines(): void {
    this.printed.read(({ droppedLines, body }) => this.#takeLines(droppedLines, body));
  }

  #takeLines(droppedLines: number, body: Uint8Array): void {
    this.lines.push(...(unpack(body) as LogEntry[]));
    this.droppedLines += droppedLines;
  }

  #receive(message: WorkerToNode, body: Uint8Array): void {
    this.messages.push(message);
    if (message.type === "workerResults") this.#take(message, body);
    if (message.type === "givenBack") this.givenBack.push(message);
    if (message.type === "loaded" && !message.ok) this.loadError = decodeEnvelopes(body).map(fromEnvelope)[0];
    if (message.type === "printed") this.lookAtLines();
    this.#changed();
  }

  #take(message: Of<WorkerToNode, "workerResults">, body: Uint8Array): void {
    const values = decodeValues(body.subarray(0, message.valuesBytes));
    const errors = decodeEnvelopes(body.subarray(message.valuesBytes)).map(fromEnvelope);
    for (let position = 0; position < message.count; position++) {
      const index = indexAt(message, position);
      if (this.outcomes.has(index)) throw new Error(`input ${index} was answered twice`);
      this.outcomes.set(index, message.failed.includes(position) ? { reason: errors.shift() } : { value: values.shift() });
    }
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** Starts the program. Resolves when it has dialled in. */
export async function startWorker(): Promise<TestWorker> {
  const directory = mkdtempSync(join(tmpdir(), "burla-worker-"));
  const [stdout, stderr, path] = ["stdout", "stderr", "socket"].map((name) => join(directory, name)) as [string, string, string];
  const server = createServer();
  server.listen(path);
  await once(server, "listening");
  const dialled = once(server, "connection") as Promise<[Socket]>;
  const descriptors = [openSync(stdout, "a"), openSync(stderr, "a")] as const;
  const printed = new PrintedFiles(directory);
  const child = spawn(process.execPath, ["--import", "tsx", PROGRAM], {
    detached: true,
    stdio: ["ignore", ...descriptors],
    env: {
      ...childEnvironment(), BURLA_WORKER_ID: "w-test", BURLA_WORKER_TOKEN: "token", BURLA_WORKER_SOCKET: path,
      BURLA_WORKER_STDOUT: stdout, BURLA_WORKER_STDERR: stderr,
    },
  });
  for (const descriptor of descriptors) closeSync(descriptor);
  const [socket] = await dialled;
  server.close();
  return new TestWorker(child, socket, directory, printed);
}
