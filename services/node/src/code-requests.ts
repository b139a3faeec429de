/** Code of jobs that this node was sent before and has no longer: main is asked for it, and again on each new connection. */
import { BurlaError, type JobId, type MainToNode, type NodeToMain, type Of } from "@burla/protocol";

interface Request {
  readonly resolve: (code: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

export class CodeRequests {
  readonly #send: (message: NodeToMain) => void;
  readonly #open = new Map<JobId, Request>();

  constructor(send: (message: NodeToMain) => void) {
    this.#send = send;
  }

  /** @throws BurlaError BURLA_LOAD when nobody has it any more; the signal's reason when the job is over. */
  fetch(jobId: JobId, signal: AbortSignal): Promise<Uint8Array> {
    return new Promise<Uint8Array>((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      this.#open.set(jobId, { resolve, reject });
      this.#send({ type: "nodeCodeNeeded", jobId });
    }).finally(() => this.#open.delete(jobId));
  }

  /** Main answers. */
  answered({ jobId, missing }: Of<MainToNode, "nodeCode">, code: Uint8Array): void {
    const request = this.#open.get(jobId);
    if (missing !== "") request?.reject(new BurlaError("BURLA_LOAD", missing));
    else request?.resolve(Buffer.from(code));
  }

  /** What is to be said on a new connection. */
  repeated(): NodeToMain[] {
    return [...this.#open.keys()].map((jobId) => ({ type: "nodeCodeNeeded", jobId }));
  }
}
