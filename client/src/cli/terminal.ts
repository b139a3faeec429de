/** The outside world of a command: the three streams, and the signals that end it early. */
import { hasLeft } from "@burla/protocol";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** Written at once when so much has been gathered. */
const GATHER_CHARACTERS = 1 << 16;

export class Terminal {
  readonly stdin = process.stdin;
  readonly stdout = process.stdout;
  readonly stderr = process.stderr;
  readonly #readerGone = new AbortController();
  #pending = "";
  #scheduled: NodeJS.Immediate | undefined;

  constructor() {
    this.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      this.#readerGone.abort();
    });
    // Nobody reads the messages any more: the command goes on without them.
    this.stderr.on("error", () => undefined);
  }

  /** Aborts when whoever read stdout has closed it, such as `head`. */
  get readerGone(): AbortSignal {
    return this.#readerGone.signal;
  }

  /** A line to stdout; lines of one turn leave together. A promise where the reader is slower than the lines. */
  line(text: string): Promise<void> | undefined {
    this.#pending += `${text}\n`;
    if (this.#pending.length >= GATHER_CHARACTERS) return this.flush();
    this.#scheduled ??= setImmediate(() => void this.flush());
    return undefined;
  }

  /** Resolves when the reader of stdout has room again, or has gone. */
  async flush(): Promise<void> {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const text = this.#pending;
    this.#pending = "";
    if (text === "" || this.readerGone.aborted || this.stdout.write(text)) return;
    await new Promise<void>((resolve) => {
      this.stdout.once("drain", resolve);
      this.readerGone.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Resolves when all that was written has left this program, or its reader has gone: then the program may end. */
  async end(): Promise<void> {
    await this.flush();
    await Promise.all([hasLeft(this.stdout), hasLeft(this.stderr)]);
  }

  /** A message for the person, on stderr. */
  say(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  /**
   * Calls back at the first Ctrl-C or SIGTERM, with the status to end with; the second ends the program at once.
   * @returns stops listening.
   */
  onInterrupt(callback: (exitCode: ExitCode) => void): () => void {
    let interrupted = false;
    const listen = (exitCode: ExitCode) => () => {
      if (interrupted) process.exit(exitCode);
      interrupted = true;
      callback(exitCode);
    };
    const listeners = { SIGINT: listen(EXIT.interrupted), SIGTERM: listen(EXIT.terminated) };
    for (const [signal, listener] of Object.entries(listeners)) process.on(signal, listener);
    return () => {
      for (const [signal, listener] of Object.entries(listeners)) process.off(signal, listener);
    };
  }
}
