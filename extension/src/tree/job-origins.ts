/** Which function or cell of this window a job comes from: the cluster knows its name alone. */
import * as vscode from "vscode";

export interface JobOrigin {
  /** Where it is, such as `report.ipynb · cell 3`; empty where the job's name says enough. */
  readonly place: string;
  /** Shows its results. */
  show(): unknown;
  /** Goes to the function or cell. */
  goTo(): unknown;
  runAgain(): unknown;
}

/** Jobs beyond these are forgotten, the oldest first: no cluster keeps as many. */
const MAX_ORIGINS = 1_000;

export class JobOrigins implements vscode.Disposable {
  readonly #origins = new Map<string, JobOrigin>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  add(jobId: string, origin: JobOrigin): void {
    const isNew = !this.#origins.delete(jobId);
    this.#origins.set(jobId, origin);
    const [oldest] = this.#origins.keys();
    if (this.#origins.size > MAX_ORIGINS && oldest !== undefined) this.#origins.delete(oldest);
    if (isNew) this.#changed.fire();
  }

  of(jobId: string): JobOrigin | undefined {
    return this.#origins.get(jobId);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
