/** Keeps what people see of a cluster where the next main finds it: rows as they are by then, once in a while. */
import { messageOf, type ClusterSpec, type JobId, type JobSummary, type NodeId, type NodeSummary } from "@burla/protocol";
import type { ChangeListener } from "../watch/changes.ts";
import type { StateKind, StateStore } from "./state-store.ts";

/** One document may be written about once a second for long. */
const WRITE_MS = 2_000;

export interface StateMirrorOptions {
  readonly store: StateStore;
  /** Undefined when it is gone. */
  readonly node: (nodeId: NodeId) => NodeSummary | undefined;
  readonly job: (jobId: JobId) => JobSummary | undefined;
  readonly log: { error(fields: object, text: string): void };
}

export class StateMirror implements ChangeListener {
  readonly #options: StateMirrorOptions;
  readonly #dirty = { nodes: new Set<NodeId>(), jobs: new Set<JobId>() };
  readonly #written = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #complained = false;

  constructor(options: StateMirrorOptions) {
    this.#options = options;
  }

  spec(spec: ClusterSpec): void {
    this.#writing = this.#writing.then(() => this.#put("spec", spec.name, spec));
  }

  job(jobId: JobId): void {
    this.#dirty.jobs.add(jobId);
    this.#writeSoon();
  }

  node(nodeId: NodeId): void {
    this.#dirty.nodes.add(nodeId);
    this.#writeSoon();
  }

  waits(): void {}

  cluster(): void {}

  /** Writes what is not written. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await (this.#writing = this.#writing.then(() => this.#write()));
    await this.#options.store.close();
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    }, WRITE_MS).unref();
  }

  async #write(): Promise<void> {
    const [jobs, nodes] = [[...this.#dirty.jobs], [...this.#dirty.nodes]];
    this.#dirty.jobs.clear();
    this.#dirty.nodes.clear();
    for (const jobId of jobs) await this.#put("jobs", jobId, this.#options.job(jobId));
    for (const nodeId of nodes) await this.#put("nodes", nodeId, this.#options.node(nodeId));
  }

  async #put(kind: StateKind, id: string, value: unknown): Promise<void> {
    const key = `${kind}/${id}`;
    const text = value === undefined ? undefined : JSON.stringify(value);
    if (text === this.#written.get(key)) return;
    try {
      if (text === undefined) await this.#options.store.delete(kind, id);
      else await this.#options.store.put(kind, id, value);
      if (text === undefined) this.#written.delete(key);
      else this.#written.set(key, text);
    } catch (error) {
      // What people see is a copy: the job logs are what main lives by.
      if (!this.#complained) this.#options.log.error({ error: messageOf(error) }, "the state of the cluster cannot be kept");
      this.#complained = true;
    }
  }
}
