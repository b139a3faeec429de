/** What cells ask their user. */
import type { CurrentExecution } from "./current.ts";
import type { Reporter } from "./reporter.ts";

export class Questions {
  readonly #reporter: Reporter;
  readonly #open = new Map<number, (text: string) => void>();
  #lastId = 0;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Rejects where nobody can answer. */
  ask(execution: CurrentExecution | undefined, prompt = "", options: { readonly password?: boolean } = {}): Promise<string> {
    if (execution?.allowInput !== true) return Promise.reject(new Error("input() was called, but nobody can answer here"));
    const inputId = ++this.#lastId;
    const answer = new Promise<string>((resolve) => this.#open.set(inputId, resolve));
    this.#reporter.say({ type: "input", inputId, prompt: String(prompt), isPassword: options.password ?? false });
    return answer;
  }

  answer(inputId: number, text: string): void {
    this.#open.get(inputId)?.(text);
    this.#open.delete(inputId);
  }

  /** The execution is over: nobody waits for an answer any more. */
  forget(): void {
    this.#open.clear();
  }
}
