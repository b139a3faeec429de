/** Jobs that have ended and that somebody has cleared away: the cluster knows them still. */
import * as v from "valibot";
import * as vscode from "vscode";

const KEY = "burla.clearedJobs";
/** A cluster forgets its jobs, too; the oldest of these are long gone. */
const MAX_CLEARED = 2_000;
const idsSchema = v.array(v.string());

export class ClearedJobs implements vscode.Disposable {
  readonly #state: vscode.Memento;
  #ids: ReadonlySet<string>;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  constructor(state: vscode.Memento) {
    this.#state = state;
    const parsed = v.safeParse(idsSchema, state.get(KEY) ?? []);
    this.#ids = new Set(parsed.success ? parsed.output : []);
  }

  has(jobId: string): boolean {
    return this.#ids.has(jobId);
  }

  async clear(jobIds: readonly string[]): Promise<void> {
    this.#ids = new Set([...this.#ids, ...jobIds].slice(-MAX_CLEARED));
    this.#changed.fire();
    await this.#state.update(KEY, [...this.#ids]);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
