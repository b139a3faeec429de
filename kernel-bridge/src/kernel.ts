/**
 * The port to a live kernel: a Jupyter kernel, or the Node session for TypeScript and JavaScript. Whoever drives one
 * sees the same events in the same order, whatever the kernel speaks.
 *
 * The life of an execution: `started`, any number of outputs, `ended`, and nothing after that. An execution that was
 * begun always ends, also when the kernel dies, is restarted or does not answer.
 */

export type Language = "python" | "typescript" | "javascript";

/** One value in several forms, by MIME type: text, JSON, or base64 for images. */
export type MimeBundle = Readonly<Record<string, unknown>>;

export type KernelEvent =
  | { readonly type: "started"; readonly executionCount: number }
  | { readonly type: "stream"; readonly name: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "display"; readonly data: MimeBundle; readonly metadata: MimeBundle; readonly displayId: string | null }
  /** Replaces what was shown with the same id, in this execution or an earlier one. */
  | { readonly type: "displayUpdate"; readonly data: MimeBundle; readonly metadata: MimeBundle; readonly displayId: string }
  /** The value of the last expression, as the kernel displays it. */
  | { readonly type: "value"; readonly data: MimeBundle; readonly metadata: MimeBundle; readonly executionCount: number }
  | { readonly type: "error"; readonly name: string; readonly message: string; readonly traceback: readonly string[] }
  /** Removes the outputs so far; with `wait`, when the next one comes. */
  | { readonly type: "clear"; readonly wait: boolean }
  /** The code asks its user; it waits until `answer` is called. */
  | { readonly type: "input"; readonly prompt: string; readonly isPassword: boolean; readonly answer: (text: string) => void }
  | { readonly type: "ended"; readonly outcome: ExecutionOutcome };

/** `aborted`: not run, because something before it failed or was interrupted. `lost`: the kernel died or was restarted. */
export type ExecutionOutcome = "ok" | "error" | "aborted" | "lost";

export type KernelStatus = "starting" | "idle" | "busy" | "restarting" | "reconnecting" | "dead";

export interface ExecuteOptions {
  /** Nothing is shown and no number is taken. */
  readonly silent?: boolean;
  /** May ask its user; else asking is an error in the user's code. */
  readonly allowInput?: boolean;
  /** Id of the cell, which reaches the kernel with the request; what is armed for this cell applies. */
  readonly cellId?: string;
  /** Interrupts the kernel. */
  readonly signal?: AbortSignal;
}

export interface LiveKernel {
  readonly language: Language;
  readonly status: KernelStatus;
  /** @returns takes the listener away. */
  onStatus(listener: (status: KernelStatus) => void): () => void;
  /** Runs code after what was given before. The events can be read once. Never throws for an error of the code. */
  execute(code: string, options?: ExecuteOptions): AsyncIterable<KernelEvent>;
  /**
   * The next execution with this `cellId` runs on the cluster: its maps are rewritten (`../README.md`). Puts the
   * client into the kernel when it is not there yet.
   * @throws BurlaError BURLA_KERNEL when the kernel cannot take it (no cloudpickle, no answer in time).
   */
  arm(run: ArmedRun): Promise<void>;
  /** Stops what runs. Resolves when the kernel has taken note. @throws BurlaError BURLA_KERNEL when it does not in time. */
  interrupt(): Promise<void>;
  /** A fresh kernel; open executions end as `lost`. @throws BurlaError BURLA_KERNEL */
  restart(): Promise<void>;
  /** Ends the kernel if this side started it, else only leaves it. A job of the cell that runs is cancelled. Never rejects. */
  dispose(): Promise<void>;
  /**
   * The same when nobody is left who waits for the cell that runs: its job goes on, to be taken up by `attachTo`. So a busy
   * kernel of a server is left there, since servers interrupt what they end. Never rejects.
   */
  leave(): Promise<void>;
}

/** How one cell is to run on the cluster. */
export interface ArmedRun {
  readonly cellId: string;
  /** Where the cluster is; `null` for the local one, started on demand. */
  readonly cluster: { readonly url: string; readonly token: string; readonly certificate: string | null } | null;
  /** For people: shown as where it ran. */
  readonly clusterName: string;
  /**
   * Only these inputs of the map, by index: what failed in an earlier run, whose other results are kept. When they are none,
   * or as many as a cell shows (`MAX_VIEW_FAILURES`), all others that failed run again too.
   */
  readonly onlyInputs: readonly number[] | null;
  /** Take up this job again, whose display was left behind, instead of starting one. */
  readonly attachTo: string | null;
  /** Which job of the cell that is (`step` of what the cell shows); those before it run again. Default 0. */
  readonly attachStep?: number;
}
