/**
 * The program that holds one kernel for the extension, under the user's own Node. It listens on a socket for the window
 * that shows the notebook, and ends the kernel and itself when there is no window for longer than a reload takes.
 */
import { closeSync, writeSync } from "node:fs";
import { appendFile, mkdir, rm, stat } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { Keeper, problemOf, type Tell } from "./keeper.ts";
import { readLines, writeLine } from "./lines.ts";
import { PROTOCOL_VERSION, READY_FD, startSchema, toKeeperSchema, type KernelProblemText, type StartRequest } from "./messages.ts";
import { startKernel } from "./start-kernel.ts";

/** What runs the kernel ends with this program, however it ends. */
const END_TIMEOUT_MS = 15_000;

interface Ends {
  /** The notebook is closed, or has another kernel: nobody wants what runs any more. */
  readonly byWindow: () => Promise<void>;
  /** No window is left: a job that runs is to be found again. */
  readonly alone: () => Promise<void>;
}

class Program {
  readonly #request: StartRequest;
  #server: Server | undefined;
  #window: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isEnding = false;
  #spooled = 0;

  constructor(request: StartRequest) {
    this.#request = request;
  }

  async run(): Promise<void> {
    const kernel = await startKernel(this.#request.kernel);
    const keeper = new Keeper(kernel, (text) => this.#spool(text));
    const ends: Ends = { byWindow: () => this.#end(() => kernel.dispose()), alone: () => this.#end(() => kernel.leave()) };
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, ends.alone);
    this.#server = createServer((socket) => this.#accept(socket, keeper, ends));
    await this.#listen(this.#server);
    this.#waitForWindow(ends);
  }

  async #end(endKernel: () => Promise<void>): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#removeSocket();
    setTimeout(() => process.exit(), END_TIMEOUT_MS);
    await endKernel();
    process.exit();
  }

  async #listen(server: Server): Promise<void> {
    const { socket } = this.#request;
    if (isFile(socket)) await makeOwnFolder(dirname(socket));
    await this.#removeSocket();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(socket, resolve);
    });
  }

  #accept(socket: Socket, keeper: Keeper, ends: Ends): void {
    const tell: Tell = (message) => void writeLine(socket, message);
    let isWindow = false;
    socket.on("error", () => undefined);
    socket.once("close", () => {
      keeper.detach(tell);
      if (this.#window === socket) this.#waitForWindow(ends);
    });
    readLines(socket, (line) => {
      const parsed = v.safeParse(toKeeperSchema, line);
      if (!parsed.success) return void socket.destroy();
      const message = parsed.output;
      if (message.type === "end") return void ends.byWindow();
      if (message.type !== "hello") return isWindow ? keeper.hear(message) : void socket.destroy();
      if (message.version !== PROTOCOL_VERSION) return void socket.destroy();
      isWindow = true;
      this.#window?.destroy();
      this.#window = socket;
      clearTimeout(this.#timer);
      keeper.attach(tell);
    });
  }

  #waitForWindow({ alone }: Ends): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void alone(), this.#request.aloneTimeoutMs);
  }

  /** Keeps what is too long for a cell. */
  #spool(text: string): string {
    const file = join(this.#request.spoolFolder, `output-${process.pid}.log`);
    const before = this.#spooled++ === 0 ? mkdir(this.#request.spoolFolder, { recursive: true, mode: 0o700 }) : this.#writing;
    this.#writing = before.then(() => appendFile(file, text, { mode: 0o600 })).catch(() => undefined);
    return file;
  }

  #writing: Promise<unknown> = Promise.resolve();

  async #removeSocket(): Promise<void> {
    if (isFile(this.#request.socket)) await rm(this.#request.socket, { force: true });
  }
}

/** Others may write to the folder for temporary files. @throws Error when somebody else has made the folder. */
async function makeOwnFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(folder);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Error(`The folder ${folder} is not this user's alone: remove it.`);
}

/** Windows has named pipes, which are no files. */
function isFile(socket: string): boolean {
  return !socket.startsWith("\\\\");
}

function say(problem: KernelProblemText | null): void {
  writeSync(READY_FD, `${JSON.stringify({ problem })}\n`);
  closeSync(READY_FD);
}

// Libraries print what nobody reads, and the pipe is closed once the window has heard that the kernel is there.
process.stderr.on("error", () => undefined);

/** The libraries of kernels drop promises that a dying kernel rejects: that must not end the keeper of another cell's output. */
process.on("unhandledRejection", () => undefined);

createInterface({ input: process.stdin }).once("line", (line) => {
  const program = new Program(v.parse(startSchema, JSON.parse(line)));
  program.run().then(
    () => say(null),
    (error: unknown) => {
      say(problemOf(error));
      process.exit(1);
    },
  );
});
