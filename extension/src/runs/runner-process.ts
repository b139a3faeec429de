/** Starts the runner under the user's Node or Python, and hears what it says. */
import * as v from "valibot";
import { eventSchema, type Problem, type Request, type RunnerEvent } from "../runner/messages.ts";
import { startRunner, type RunnerLink, type RunnerProgram } from "./runner-link.ts";

export interface RunnerOptions {
  readonly program: RunnerProgram;
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
  readonly #link: RunnerLink;
  #stderr = "";
  #end: RunnerEnd | undefined;
  /** Resolves when the program has ended, however. */
  readonly ended: Promise<RunnerEnd>;

  constructor({ program, cwd, request, onEvent }: RunnerOptions) {
    this.#link = startRunner(program, cwd);
    const { child } = this.#link;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_LENGTH)));
    this.#link.onMessage((message) => this.#hear(message, onEvent));
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(this.#end ?? failed(`the program that runs the job could not be started: ${error.message}`)));
      child.once("close", (code, signal) => resolve(this.#end ?? failed(`the program that runs the job ended with ${signal ?? `code ${code}`}: ${this.#stderr.trim() || "it said nothing"}`)));
    });
    this.#link.send(request);
  }

  /** Ends the job. What does not answer is ended by force. */
  cancel(): void {
    if (this.#end !== undefined) return;
    this.#link.send({ type: "cancel" });
    const timer = setTimeout(() => {
      this.#end ??= { outcome: "cancelled", problem: null };
      this.kill();
    }, CANCEL_TIMEOUT_MS);
    void this.ended.then(() => clearTimeout(timer));
  }

  /** The window goes: from here on the program decides by itself what becomes of the job. */
  leave(): void {
    this.#link.leave();
    this.#link.child.unref();
  }

  kill(): void {
    this.#link.child.kill("SIGKILL");
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
  return { outcome: "failed", problem: { code: null, message, cure: "Look into the output \"Burla\"; the settings burla.local.nodePath and burla.notebooks.pythonPath choose another Node.js or Python.", place: null } };
}
