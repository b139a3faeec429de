/** What a scenario is. */

/** What the harness watches from outside while the runner works. */
export type Watch = "nothing" | "memory" | "idle" | "output";

/** Numbers that a runner gets. A unit is part of each name. */
export type Params = Readonly<Record<string, number>>;

export interface Scenario {
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  readonly watch: Watch;
  readonly full: Params;
  /** Smaller numbers for `--quick`; what they give is for a look, not for a comparison. */
  readonly quick: Params;
  /** A runner that needs longer is stopped and reported as timed out. */
  readonly timeoutMs: { readonly full: number; readonly quick: number };
  /** The driver procedure that runs it; two scenarios may differ in their numbers only. */
  readonly procedure: "noop" | "spin" | "echo" | "print" | "kill" | "cancel" | "generator" | "first-result" | "thousand-nodes";
  /** A program of its own in place of the systems' runners: the scenario is about this product alone. */
  readonly runner?: string;
}
