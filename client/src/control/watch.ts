/** The state of a cluster as it changes, over its starts, ends and lost connections. */
import { BurlaError, CONNECTION_SILENCE_MS, PROTOCOL_VERSION, type ConnectionFile } from "@burla/protocol";
import { addressIn, resolveCluster, type ClusterTarget } from "../cluster.ts";
import { Bell } from "./bell.ts";
import { FileWatch } from "./file-watch.ts";
import { Latest } from "./latest.ts";
import { Control } from "./requests.ts";
import { applyEvent, stateOf } from "./state.ts";
import type { ClusterState, ClusterStatus, ControlOptions, WatchOptions } from "./types.ts";

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 10_000;

/** How a conversation with a cluster was over. */
type Ending =
  | { readonly kind: "shutdown"; readonly reason: string }
  /** `answered`: it was there, or took the connection. */
  | { readonly kind: "lost"; readonly reason: string; readonly answered: boolean }
  | { readonly kind: "refused"; readonly error: BurlaError };

const DEAD: Ending = { kind: "lost", reason: "its program has ended", answered: false };

/**
 * States of a cluster, the first one at once, then each change as the cluster tells it. Dials again by itself, and waits
 * for a cluster that is not there; it starts none and keeps none from ending itself. A reader that is slow gets the
 * newest state next, not all of them. Ends with the signal, or when the loop is left.
 */
export async function* watchCluster(cluster?: ControlOptions["cluster"], { signal }: WatchOptions = {}): AsyncGenerator<ClusterState, void, undefined> {
  const left = new AbortController();
  const end = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const latest = new Latest<ClusterState>();
  const watch = new Watch(resolveCluster(cluster), (state) => latest.set(state), end);
  const running = watch.run().then(() => latest.end(), (error: unknown) => latest.fail(error));
  try {
    yield* latest.values(end);
  } finally {
    left.abort();
    await running;
  }
}

class Watch {
  readonly #target: ClusterTarget;
  readonly #onState: (state: ClusterState) => void;
  readonly #signal: AbortSignal;
  /** The file that names the cluster may say something else now. */
  readonly #moved = new Bell();
  #status: ClusterStatus | null = null;
  #endReason = "";
  #told: ClusterState | null = null;
  /** Since when it has been out of reach; null while it is not. */
  #since: number | null = null;
  #retryMs = FIRST_RETRY_MS;

  constructor(target: ClusterTarget, onState: (state: ClusterState) => void, signal: AbortSignal) {
    this.#target = target;
    this.#onState = onState;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { file } = this.#target;
    const fileWatch = file === null ? null : new FileWatch(file.path, () => this.#moved.ring());
    try {
      while (!this.#signal.aborted) await this.#once(file === null ? null : file.read());
    } finally {
      fileWatch?.close();
    }
  }

  async #once(file: ConnectionFile | null): Promise<void> {
    if (this.#target.file !== null && file === null) return this.#off(this.#endReason);
    const address = file === null ? this.#target.address() : addressIn(file);
    const { url } = address;
    if (file !== null && file.protocolVersion !== PROTOCOL_VERSION) {
      return this.#refused(url, new BurlaError("BURLA_VERSION", `the cluster at ${url} has version ${file.version}, with another protocol than this client`));
    }
    const isLeft = file !== null && this.#target.file?.isLeft(file) === true;
    const ending = isLeft ? DEAD : await this.#converse(new Control(address));
    if (this.#signal.aborted) return;
    switch (ending.kind) {
      case "shutdown":
        this.#endReason = ending.reason;
        return file === null ? this.#unreachable(url, `it was shut down (${ending.reason})`) : this.#off(ending.reason);
      case "refused":
        return this.#refused(url, ending.error);
      case "lost":
        // A file that a cluster left behind when it was killed, or the machine went down.
        if (file !== null && this.#status === null && !ending.answered) return this.#off("", this.#nextRetryMs());
        return this.#unreachable(url, ending.reason);
    }
  }

  async #converse(control: Control): Promise<Ending> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), CONNECTION_SILENCE_MS);
    let answered = false;
    try {
      for await (const event of control.watch(AbortSignal.any([this.#signal, silence.signal]))) {
        answered = true;
        timer.refresh();
        if (event.type === "shutdown") return { kind: "shutdown", reason: event.reason };
        if (event.type !== "heartbeat") this.#heard(applyEvent(this.#status, event), control.url);
      }
      if (silence.signal.aborted) return { kind: "lost", reason: `it has said nothing for ${CONNECTION_SILENCE_MS / 1000} s`, answered: true };
      return { kind: "lost", reason: "it has closed the connection", answered };
    } catch (error) {
      if (!(error instanceof BurlaError)) throw error;
      return error.code === "BURLA_UNREACHABLE" ? { kind: "lost", reason: firstLine(error), answered } : { kind: "refused", error };
    } finally {
      clearTimeout(timer);
    }
  }

  #heard(status: ClusterStatus | null, url: string): void {
    if (status === null) return;
    this.#status = status;
    this.#endReason = "";
    this.#since = null;
    this.#retryMs = FIRST_RETRY_MS;
    this.#tell(stateOf(status, url));
  }

  #tell(state: ClusterState): void {
    this.#told = state;
    this.#onState(state);
  }

  async #off(reason: string, timeoutMs = Infinity): Promise<void> {
    this.#status = null;
    this.#since = null;
    // The file's folder may change without a word about the cluster.
    if (this.#told?.phase !== "off" || this.#told.reason !== reason) this.#tell({ phase: "off", reason });
    await this.#moved.wait(this.#signal, timeoutMs);
  }

  async #refused(url: string, error: BurlaError): Promise<void> {
    this.#tell({ phase: "refused", url, error });
    await this.#moved.wait(this.#signal, MAX_RETRY_MS);
  }

  async #unreachable(url: string, reason: string): Promise<void> {
    this.#since ??= Date.now();
    this.#tell({ phase: "unreachable", url, reason, since: this.#since, last: this.#status });
    await this.#moved.wait(this.#signal, this.#nextRetryMs());
  }

  #nextRetryMs(): number {
    const retryMs = this.#retryMs;
    this.#retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
    return retryMs;
  }
}

function firstLine({ message }: Error): string {
  return message.split("\n")[0] ?? "";
}
