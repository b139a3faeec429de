/** A folder, a socket and a program that stands for the worker service: what a container runtime is tried with. */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { newWorkerId, type WorkerId } from "@burla/protocol";
import type { Container, ContainerRuntime } from "../../services/node/src/containers/runtime.ts";
import { within } from "../support/until.ts";

const PATIENCE_MS = 60_000;

/**
 * Every program begins with this: `tell(value)` sends a value to the test, and resolves when it is on its way;
 * `dial(text)` opens another connection, as a child that is to be watched does.
 */
const PREAMBLE = `
import { connect } from "node:net";
import { spawn } from "node:child_process";
const { BURLA_WORKER_SOCKET: path, BURLA_WORKER_ID: workerId } = process.env;
const socket = connect(path);
socket.on("error", () => undefined);
const tell = (value) => new Promise((resolve) => socket.write(JSON.stringify({ workerId, value }) + "\\n", () => resolve()));
const stay = () => setInterval(() => undefined, 1000);
`;

/** A child that dials the socket itself, so that its end is seen, and does not listen to SIGTERM. */
export const CHILD = `
spawn(process.execPath, ["-e", \`
  process.on("SIGTERM", () => undefined);
  const socket = require("node:net").connect(\${JSON.stringify(path)});
  socket.write(JSON.stringify({ workerId: \${JSON.stringify(workerId)}, value: "child" }) + "\\\\n");
  setInterval(() => undefined, 1000);
\`], { stdio: "ignore" }).unref();
`;

export interface Opened {
  readonly runtime: ContainerRuntime;
  readonly image: string | null;
}

/** Makes the runtime under test for a folder. */
export type OpenRuntime = (folders: { directory: string; sockets: string; job: string; packages: string; workerProgram: string }) => Promise<Opened>;

export class Workbench {
  readonly directory = mkdtempSync(join(tmpdir(), "burla-contract-"));
  readonly token = randomBytes(8).toString("hex");
  readonly #open: OpenRuntime;
  readonly #server: Server;
  readonly #told: { workerId: string; value: unknown }[] = [];
  readonly #connections = new Set<Socket>();
  readonly #waiting = new Set<() => void>();
  #opened: Opened | undefined;
  #program = "";

  constructor(open: OpenRuntime) {
    this.#open = open;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get #folders() {
    const folder = (name: string) => join(this.directory, name);
    return { directory: this.directory, sockets: folder("sockets"), job: folder("job"), packages: folder("packages"), workerProgram: folder("program.mjs") };
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
    for (const folder of [this.#folders.sockets, this.#folders.job]) mkdirSync(folder);
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
    this.#write(`${PREAMBLE}${code}`);
    return this.runtime.start({ workerId, runtime: "node", python: null, image, socketPath: this.socketPath, token: this.token, cpu, ramMiB });
  }

  /** Containers that start at the moment may be reading it: the same text is not written again. */
  #write(program: string): void {
    if (program !== this.#program) writeFileSync(this.#folders.workerProgram, program);
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
