/** Starts the runner under the user's Node, and hears what it says. */
import { fork, type ChildProcess } from "node:child_process";
import * as v from "valibot";
import { nodeEnvironment } from "../node-environment.ts";
import { eventSchema, type Problem, type Request, type RunnerEvent } from "../runner/messages.ts";

export interface RunnerOptions {
  /** The program. */
  readonly program: string;
  /** Undefined for the editor's own, used as Node. */
  readonly nodePath: string | undefined;
  readonly cwd: string;
  readonly request: Request;
  readonly onEvent: (event: RunnerEvent) => void;
}

export interface RunnerEnd {
  readonly outcome: "done" | "cancelled" | "failed";
  readonly problem: Problem | null;
}

/** After `cancel` the cluster has this long to confirm it. */
const CANCEL_TIMEOUT_MS = 10_000;
const MAX_STDERR_LENGTH = 4_000;

export class RunnerProcess {
  readonly #child: ChildProcess;
  #stderr = "";
  #end: RunnerEnd | undefined;
  /** Resolves when the program has ended, however. */
  readonly ended: Promise<RunnerEnd>;

  constructor({ program, nodePath, cwd, request, onEvent }: RunnerOptions) {
    this.#child = fork(program, [], {
      cwd,
      execArgv: [],
      execPath: nodePath ?? process.execPath,
      env: nodeEnvironment(nodePath === undefined),
      // A group of its own: it outlives the window by the moment that it takes to cancel the job.
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "json",
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_LENGTH)));
    this.#child.on("message", (message) => this.#hear(message, onEvent));
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(this.#end ?? failed(`the program that runs the job could not be started: ${error.message}`)));
      this.#child.once("close", (code, signal) => resolve(this.#end ?? failed(`the program that runs the job ended with ${signal ?? `code ${code}`}: ${this.#stderr.trim() || "it said nothing"}`)));
    });
    this.#child.send(request, () => undefined);
  }

  /** Ends the job. What does not answer is ended by force. */
  cancel(): void {
    if (!this.#child.connected) return;
    this.#child.send({ type: "cancel" }, () => undefined);
    const timer = setTimeout(() => {
      this.#end ??= { outcome: "cancelled", problem: null };
      this.kill();
    }, CANCEL_TIMEOUT_MS);
    void this.ended.then(() => clearTimeout(timer));
  }

  /** The window goes: from here on the program decides by itself what becomes of the job. */
  leave(): void {
    this.#child.removeAllListeners("message");
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #hear(message: unknown, onEvent: (event: RunnerEvent) => void): void {
    const parsed = v.safeParse(eventSchema, message);
    if (!parsed.success) {
      this.#end = failed(`the program that runs the job says what this version does not know: ${parsed.issues[0].message}`);
      return this.kill();
    }
    if (parsed.output.type === "ended") this.#end = { outcome: parsed.output.outcome, problem: parsed.output.problem };
    else onEvent(parsed.output);
  }
}

function failed(message: string): RunnerEnd {
  return { outcome: "failed", problem: { code: null, message, cure: "Look into the output \"Burla\"; the setting burla.local.nodePath chooses another Node.js.", place: null } };
}
