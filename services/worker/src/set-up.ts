/** Runs the function `setup` of a job, once, before the first call in this worker. */
import { format } from "node:util";
import { BurlaError, messageOf, SETUP_INDEX } from "@burla/protocol";
import type { Guarded } from "./guard.ts";
import type { UserFunctions } from "./load.ts";
import type { Call, Output } from "./output.ts";
import type { Runner } from "./run.ts";

/** What the function `setup` threw. */
export class SetupFailure extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super("the function `setup` threw");
    this.thrown = thrown;
  }

  /** As the error of the job, of which `thrown` is the cause. */
  get told(): BurlaError {
    return new BurlaError("BURLA_SETUP", `the function \`setup\` threw: ${messageOf(this.thrown)}`);
  }
}

export class SetUp implements Guarded {
  readonly #runner: Runner;
  readonly #output: Output;
  readonly #call: Call = { index: SETUP_INDEX };
  #fail: (error: unknown) => void = () => undefined;

  constructor(runner: Runner, output: Output) {
    this.#runner = runner;
    this.#output = output;
  }

  /** @throws SetupFailure */
  async run(setup: NonNullable<UserFunctions["setup"]>): Promise<unknown> {
    const log = (...parts: unknown[]) => this.#output.log(this.#call, format(...parts));
    const context = { signal: this.#runner.signal, log };
    const failed = new Promise<never>((_resolve, reject) => (this.#fail = reject));
    try {
      // What it gives is taken up in the scope of the set-up, whether it is a promise or only has a `then`.
      return await Promise.race([this.#output.run(this.#call, async () => await setup(context), undefined, undefined), failed]);
    } catch (thrown) {
      throw new SetupFailure(thrown);
    } finally {
      this.#output.ended(this.#call);
    }
  }

  failRunningCall(error: unknown): boolean {
    this.#fail(error);
    return true;
  }

  cancel(): void {
    this.#runner.cancel();
  }

  end(): void {
    this.#runner.end();
  }
}
