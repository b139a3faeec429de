/** A folder, a socket and a program that stands for the worker service: what a container runtime is tried with. */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { newWorkerId, type WorkerId } from "@burla/protocol";
import type { Container, ContainerRuntime, TaskOutcome } from "../../services/node/src/containers/runtime.ts";
import { within } from "../support/until.ts";
import { JAVASCRIPT, type Language } from "./languages.ts";

const PATIENCE_MS = 60_000;

export interface Opened {
  readonly runtime: ContainerRuntime;
  readonly image: string | null;
}

/** Makes the runtime under test for a folder. */
export type OpenRuntime = (folders: Folders) => Promise<Opened>;

export interface Folders {
  readonly directory: string;
  readonly sockets: string;
  readonly job: string;
  readonly packages: string;
  readonly workerProgram: string;
  readonly pythonWorkerProgram: string;
}

/** A program to be run to its end. */
export interface BenchTask {
  readonly code: string;
  readonly args?: readonly string[];
  readonly mark?: string;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
}

export class Workbench {
  readonly directory = mkdtempSync(join(tmpdir(), "burla-contract-"));
  readonly token = randomBytes(8).toString("hex");
  readonly language: Language;
  readonly #open: OpenRuntime;
  readonly #server: Server;
  readonly #told: { workerId: string; value: unknown }[] = [];
  readonly #connections = new Set<Socket>();
  readonly #waiting = new Set<() => void>();
  #opened: Opened | undefined;
  #program = "";

  constructor(open: OpenRuntime, language: Language = JAVASCRIPT) {
    this.#open = open;
    this.language = language;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get #folders(): Folders {
    const folder = (name: string) => join(this.directory, name);
    return {
      directory: this.directory, sockets: folder("sockets"), job: folder("job"), packages: folder("packages"),
      workerProgram: folder("program.mjs"), pythonWorkerProgram: folder("program"),
    };
  }

  /** The file that holds the text of the worker program. */
  get #programFile(): string {
    const { workerProgram, pythonWorkerProgram } = this.#folders;
    return this.language.runtime === "node" ? workerProgram : join(pythonWorkerProgram, "__main__.py");
  }

  /** Where tasks work. */
  get taskFolder(): string {
    return join(this.directory, "task");
  }

  get socketPath(): string {
    return join(this.#folders.sockets, "s");
  }

  get runtime(): ContainerRuntime {
    if (this.#opened === undefined) throw new Error("the workbench is not set up");
    return this.#opened.runtime;
  }

  get image(): string | null {
    return this.#opened?.image ?? null;
  }

  /** How many processes are connected. */
  get connections(): number {
    return this.#connections.size;
  }

  async setUp(): Promise<void> {
    for (const folder of [this.#folders.sockets, this.#folders.job, this.#folders.pythonWorkerProgram, this.taskFolder]) mkdirSync(folder);
    writeFileSync(this.#folders.workerProgram, "");
    await new Promise<void>((resolve) => this.#server.listen(this.socketPath, resolve));
    chmodSync(this.socketPath, 0o666);
    this.#opened = await this.openAgain();
    await this.runtime.prepare();
  }

  /** Another runtime over the same folder, as after a crash of the node service. */
  openAgain(): Promise<Opened> {
    return this.#open(this.#folders);
  }

  start(code: string, { ramMiB = 256, cpu = 1, image = this.image, workerId = newWorkerId() }: { ramMiB?: number; cpu?: number; image?: string | null; workerId?: WorkerId } = {}): Container {
    this.#write(`${this.language.preamble}${code}`);
    return this.runtime.start({ workerId, runtime: this.language.runtime, python: null, image, socketPath: this.socketPath, token: this.token, cpu, ramMiB });
  }

  /** Runs a program to its end; it may dial the socket. */
  run({ code, args = [], mark = "task", signal = new AbortController().signal, onLine = () => undefined }: BenchTask): Promise<TaskOutcome> {
    const { argv, runtime } = this.language;
    return this.runtime.run({ runtime, image: this.image, python: null, argv: argv(code, ...args), folder: this.taskFolder, readOnly: [this.#folders.sockets], mark, signal, onLine });
  }

  /** Containers that start at the moment may be reading it: the same text is not written again. */
  #write(program: string): void {
    if (program !== this.#program) writeFileSync(this.#programFile, program);
    this.#program = program;
  }

  /** The first values that programs told, oldest first. */
  async told(count: number): Promise<unknown[]> {
    await this.#until(`${count} values were told`, () => this.#told.length >= count);
    return this.#told.map(({ value }) => value);
  }

  async untilConnected(count: number): Promise<void> {
    await this.#until(`${count} processes are connected`, () => this.#connections.size === count);
  }

  tearDown(): void {
    for (const socket of this.#connections) socket.destroy();
    this.#server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#connections.delete(socket);
      this.#changed();
    });
    createInterface({ input: socket }).on("line", (line) => {
      this.#told.push(JSON.parse(line) as { workerId: string; value: unknown });
      this.#changed();
    });
  }

  #until(what: string, isSo: () => boolean): Promise<void> {
    const look = async () => {
      while (!isSo()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    };
    return within(PATIENCE_MS, what, look());
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
