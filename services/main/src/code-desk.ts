/** The code of jobs, for nodes that have it no longer: from the disk, else from the program that started the job. */
import type { JobId, NodeId } from "@burla/protocol";
import type { JobEntry } from "./job-entry.ts";
import type { NodeLine } from "./node-line.ts";
import type { Bundles } from "./store/bundles.ts";

/** The program of the job, if it is not there at the moment, comes back within this time or not at all. */
const PATIENCE_MS = 30_000;

interface Waiting {
  readonly nodes: Set<NodeId>;
  readonly timer: NodeJS.Timeout;
}

export interface CodeDeskOptions {
  readonly nodes: ReadonlyMap<NodeId, NodeLine>;
  readonly bundles: Bundles;
}

export class CodeDesk {
  readonly #options: CodeDeskOptions;
  readonly #waiting = new Map<JobId, Waiting>();

  constructor(options: CodeDeskOptions) {
    this.#options = options;
  }

  /** A node asks. */
  asked(nodeId: NodeId, entry: JobEntry): void {
    const { jobId } = entry;
    const code = this.#options.bundles.find(entry.spec);
    if (code !== null) return this.#send(nodeId, jobId, code);
    const waiting = this.#waiting.get(jobId) ?? this.#begin(entry);
    waiting.nodes.add(nodeId);
    ask(entry);
  }

  /** The program that feeds the job has come back. */
  feederBack(entry: JobEntry): void {
    if (this.#waiting.has(entry.jobId)) ask(entry);
  }

  /** @throws BurlaError BURLA_PROTOCOL when it is not the code of that job. */
  arrived(entry: JobEntry, code: Uint8Array): void {
    this.#options.bundles.put(entry.spec, code);
    for (const nodeId of this.#end(entry.jobId)) this.#send(nodeId, entry.jobId, code);
  }

  close(): void {
    for (const jobId of [...this.#waiting.keys()]) this.#end(jobId);
  }

  #begin(entry: JobEntry): Waiting {
    const timer = setTimeout(() => this.#giveUp(entry.jobId), PATIENCE_MS).unref();
    const waiting = { nodes: new Set<NodeId>(), timer };
    this.#waiting.set(entry.jobId, waiting);
    return waiting;
  }

  #giveUp(jobId: JobId): void {
    for (const nodeId of this.#end(jobId)) {
      this.#options.nodes.get(nodeId)?.send({ type: "nodeCode", jobId, missing: "the code of the function is damaged on the disk of the cluster, and its program is not there to send it again: run it again" });
    }
  }

  #end(jobId: JobId): Iterable<NodeId> {
    const waiting = this.#waiting.get(jobId);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(jobId);
    return waiting?.nodes ?? [];
  }

  #send(nodeId: NodeId, jobId: JobId, code: Uint8Array): void {
    this.#options.nodes.get(nodeId)?.send({ type: "nodeCode", jobId, missing: "" }, code);
  }
}

function ask({ jobId, owner }: JobEntry): void {
  owner?.send({ type: "codeNeeded", jobId });
}
