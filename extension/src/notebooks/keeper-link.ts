/** The window's end of the line to the keeper of a kernel. */
import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import * as v from "valibot";
import type { ArmedRun, KernelStatus } from "@burla/kernel-bridge";
import { nodeEnvironment } from "../node-environment.ts";
import { readLines, writeLine } from "../keeper/lines.ts";
import { PROTOCOL_VERSION, READY_FD, readySchema, toWindowSchema, type KernelProblemText, type Snapshot, type startSchema, type ToKeeper, type ToWindow } from "../keeper/messages.ts";

/** Starting a kernel has deadlines of its own; this one holds when the program that starts it does not answer. */
const START_TIMEOUT_MS = 100_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** The kernel has deadlines of its own; this one holds when its keeper does not answer. */
const REQUEST_TIMEOUT_MS = 90_000;

/** What happens to the executions of a kernel. */
export interface LinkListener {
  onMessage(message: Exclude<ToWindow, { type: "welcome" | "reply" }>): void;
  /** The keeper is gone, and the kernel with it. */
  onGone(): void;
}

export class KernelProblem extends Error {
  readonly code: string;
  readonly cure: string;

  constructor({ message, code, cure }: KernelProblemText) {
    super(message);
    this.code = code;
    this.cure = cure;
  }
}

/** Starts a keeper of its own process group: it outlives the window by the time of a reload. Resolves when it listens. */
export async function startKeeper(program: string, nodePath: string | undefined, request: v.InferInput<typeof startSchema>): Promise<void> {
  const child = spawn(nodePath ?? process.execPath, [program], { detached: true, stdio: ["pipe", "ignore", "pipe", "pipe"], env: nodeEnvironment(nodePath === undefined) });
  const ready = child.stdio[READY_FD] as Readable;
  let stderr = "";
  let timer: NodeJS.Timeout | undefined;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-4000)));
  child.stdin?.on("error", () => undefined).end(`${JSON.stringify(request)}\n`);
  try {
    const line = await new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new Error(`the program that holds the kernel did not answer within ${START_TIMEOUT_MS / 1000} s`));
      }, START_TIMEOUT_MS);
      createInterface({ input: ready }).once("line", resolve);
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`the program that holds the kernel ended with ${signal ?? `code ${code}`}: ${stderr.trim() || "it said nothing"}`)));
    });
    const { problem } = v.parse(readySchema, JSON.parse(line));
    if (problem !== null) throw new KernelProblem(problem);
  } finally {
    clearTimeout(timer);
    child.removeAllListeners();
    ready.destroy();
    child.stderr?.destroy();
    child.unref();
  }
}

export class KeeperLink {
  readonly #socket: Socket;
  readonly #listener: LinkListener;
  readonly #requests = new Map<number, (problem: KernelProblemText | null) => void>();
  #lastRequestId = 0;
  status: KernelStatus;

  private constructor(socket: Socket, listener: LinkListener, status: KernelStatus) {
    this.#socket = socket;
    this.#listener = listener;
    this.status = status;
  }

  /**
   * @returns the link, and the executions that an earlier window has left running.
   * @throws Error when nobody listens there.
   */
  static async open(address: string, listener: LinkListener): Promise<{ readonly link: KeeperLink; readonly executions: readonly Snapshot[] }> {
    const socket = connect(address);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(new Error("the kernel's keeper does not answer")), CONNECT_TIMEOUT_MS);
      let link: KeeperLink | undefined;
      socket.once("connect", () => writeLine(socket, { type: "hello", version: PROTOCOL_VERSION } satisfies ToKeeper));
      socket.on("error", reject);
      socket.once("close", () => {
        clearTimeout(timer);
        reject(new Error("the kernel's keeper has closed the connection"));
        if (link !== undefined) link.#gone();
      });
      readLines(socket, (line) => {
        const message = v.parse(toWindowSchema, line);
        if (message.type !== "welcome") return link === undefined ? undefined : link.#hear(message);
        clearTimeout(timer);
        link = new KeeperLink(socket, listener, message.status);
        resolve({ link, executions: message.executions });
      });
    });
  }

  execute(executionId: string, options: { readonly code: string; readonly cellId: string; readonly mark: string }): void {
    this.#send({ type: "execute", executionId, ...options });
  }

  answer(executionId: string, inputId: number, text: string): void {
    this.#send({ type: "answer", executionId, inputId, text });
  }

  arm(run: ArmedRun): Promise<void> {
    return this.#ask((requestId) => ({ type: "arm", requestId, run: { attachStep: 0, ...run, onlyInputs: run.onlyInputs === null ? null : [...run.onlyInputs] } }));
  }

  interrupt(): Promise<void> {
    return this.#ask((requestId) => ({ type: "interrupt", requestId }));
  }

  restart(): Promise<void> {
    return this.#ask((requestId) => ({ type: "restart", requestId }));
  }

  /** Ends the kernel. */
  end(): void {
    this.#send({ type: "end" });
    this.#socket.end();
  }

  /** The window goes; the kernel waits for it a while. */
  leave(): void {
    this.#socket.destroy();
  }

  #send(message: ToKeeper): void {
    writeLine(this.#socket, message);
  }

  #ask(message: (requestId: number) => ToKeeper): Promise<void> {
    const requestId = ++this.#lastRequestId;
    return new Promise((resolve, reject) => {
      const settle = (problem: KernelProblemText | null) => {
        clearTimeout(timer);
        this.#requests.delete(requestId);
        if (problem === null) resolve();
        else reject(new KernelProblem(problem));
      };
      const timer = setTimeout(() => settle({ message: "the kernel's keeper does not answer", code: "", cure: "Restart the kernel." }), REQUEST_TIMEOUT_MS);
      this.#requests.set(requestId, settle);
      this.#send(message(requestId));
    });
  }

  #hear(message: Exclude<ToWindow, { type: "welcome" }>): void {
    if (message.type === "reply") return this.#requests.get(message.requestId)?.(message.problem);
    if (message.type === "status") this.status = message.status;
    this.#listener.onMessage(message);
  }

  #gone(): void {
    this.status = "dead";
    for (const settle of [...this.#requests.values()]) settle({ message: "the kernel has ended", code: "", cure: "Run the cell again: that starts a new one." });
    this.#listener.onGone();
  }
}
