/**
 * What watchers are told. Changes are noted as they happen and looked at together, at most ten times a second: each row
 * is made and written once, whoever reads it. A watcher is one number, the version that it has seen, so one that reads
 * slowly costs no memory.
 */
import {
  BurlaError, MAX_WATCHERS, MAX_WATCHERS_OF_OTHERS, MAX_WATCHERS_OF_PERSON, WATCH_EVERY_MS, WATCH_HEARTBEAT_MS, type ClusterStatus, type ClusterSummary, type JobId, type JobSummary,
  type NodeId, type NodeSummary, type WatchEvent,
} from "@burla/protocol";
import type { ChangeListener, Changes } from "./changes.ts";
import { Rows } from "./rows.ts";

/** Where the rows come from, as they are now. */
export interface BoardSource {
  status(): ClusterStatus;
  cluster(): ClusterSummary;
  /** Undefined when it is gone. */
  node(nodeId: NodeId): NodeSummary | undefined;
  job(jobId: JobId): JobSummary | undefined;
  /** Jobs under way that no node works for. */
  waiting(): Iterable<JobId>;
}

const HEARTBEAT = textOf({ type: "heartbeat" });

export class Board implements ChangeListener {
  readonly #source: BoardSource;
  readonly #changes: Changes;
  readonly #nodes = new Rows();
  readonly #jobs = new Rows();
  /** The cluster as a whole, a table of one row. */
  readonly #cluster = new Rows();
  #version = 0;
  readonly #dirtyNodes = new Set<NodeId>();
  readonly #dirtyJobs = new Set<JobId>();
  #dirtyWaits = false;
  #dirtyCluster = false;
  #timer: NodeJS.Timeout | undefined;
  #lookedMs = -Infinity;
  #watchers = 0;
  /** Of people beside the owner. */
  readonly #watchersOf = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #closing: string | null = null;

  constructor(source: BoardSource, changes: Changes) {
    this.#source = source;
    this.#changes = changes;
  }

  get watchers(): number {
    return this.#watchers;
  }

  job(jobId: JobId): void {
    this.#dirtyJobs.add(jobId);
    this.#lookSoon();
  }

  node(nodeId: NodeId): void {
    this.#dirtyNodes.add(nodeId);
    this.#lookSoon();
  }

  waits(): void {
    this.#dirtyWaits = true;
    this.#lookSoon();
  }

  cluster(): void {
    this.#dirtyCluster = true;
    this.#lookSoon();
  }

  /**
   * Events as lines of JSON, without end: the reader takes the next when it has room for it. It stays until the signal.
   * @param person who watches; null for the owner of the cluster.
   * @throws BurlaError BURLA_TOO_LARGE when too many watch already.
   */
  watch(signal: AbortSignal, person: string | null = null): AsyncGenerator<string> {
    this.#checkPlace(person);
    if (++this.#watchers === 1) this.#begin();
    this.#count(person, 1);
    signal.addEventListener("abort", () => {
      this.#count(person, -1);
      if (--this.#watchers === 0) this.#end();
    }, { once: true });
    return this.#events(signal);
  }

  #checkPlace(person: string | null): void {
    if (this.#watchers >= MAX_WATCHERS) throw new BurlaError("BURLA_TOO_LARGE", `${MAX_WATCHERS} programs watch this cluster already`);
    if (person === null) return;
    if ((this.#watchersOf.get(person) ?? 0) >= MAX_WATCHERS_OF_PERSON) throw new BurlaError("BURLA_TOO_LARGE", `${MAX_WATCHERS_OF_PERSON} programs of yours watch this cluster already`);
    const others = [...this.#watchersOf.values()].reduce((sum, count) => sum + count, 0);
    if (others >= MAX_WATCHERS_OF_OTHERS) throw new BurlaError("BURLA_TOO_LARGE", `${MAX_WATCHERS_OF_OTHERS} programs watch this cluster already, and the other places are its owner's`);
  }

  #count(person: string | null, more: 1 | -1): void {
    if (person === null) return;
    const count = (this.#watchersOf.get(person) ?? 0) + more;
    if (count === 0) this.#watchersOf.delete(person);
    else this.#watchersOf.set(person, count);
  }

  /** Tells the watchers how things stand at the end, and that it is the end. */
  close(reason: string): void {
    this.#closing = reason;
    this.#look();
  }

  async *#events(signal: AbortSignal): AsyncGenerator<string> {
    const snapshot = this.#snapshot();
    let seen = this.#version;
    yield snapshot;
    while (!signal.aborted) {
      if (seen === this.#version && this.#closing === null && !(await this.#news(signal))) yield HEARTBEAT;
      if (signal.aborted) return;
      const text = seen === this.#version ? null : this.#since(seen);
      seen = this.#version;
      if (text !== null) yield text;
      if (this.#closing !== null && seen === this.#version) return yield textOf({ type: "shutdown", reason: this.#closing });
    }
  }

  #begin(): void {
    this.#changes.listen(this);
    const { nodes, jobs } = this.#source.status();
    for (const node of nodes) this.#nodes.put(node.nodeId, node, this.#version);
    for (const job of jobs) this.#jobs.put(job.jobId, job, this.#version);
    this.#cluster.put("", this.#source.cluster(), this.#version);
  }

  #end(): void {
    this.#changes.listen(null);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const rows of [this.#nodes, this.#jobs, this.#cluster]) rows.clear();
    this.#clean();
  }

  #clean(): void {
    this.#dirtyNodes.clear();
    this.#dirtyJobs.clear();
    this.#dirtyWaits = false;
    this.#dirtyCluster = false;
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => this.#look(), Math.max(0, this.#lookedMs + WATCH_EVERY_MS - performance.now()));
  }

  /** Makes a new version if anything is different, and wakes those who wait for one. */
  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lookedMs = performance.now();
    const isNew = this.#watchers > 0 && this.#update(this.#version + 1);
    if (isNew) this.#version++;
    if (isNew || this.#closing !== null) for (const wake of [...this.#waiting]) wake();
  }

  #update(version: number): boolean {
    if (this.#dirtyWaits) for (const jobId of this.#source.waiting()) this.#dirtyJobs.add(jobId);
    let different = false;
    for (const nodeId of this.#dirtyNodes) different = this.#nodes.put(nodeId, this.#source.node(nodeId), version) || different;
    for (const jobId of this.#dirtyJobs) different = this.#jobs.put(jobId, this.#source.job(jobId), version) || different;
    if (this.#dirtyCluster || this.#dirtyNodes.size > 0) different = this.#cluster.put("", this.#source.cluster(), version) || different;
    this.#clean();
    return different;
  }

  #snapshot(): string {
    this.#look();
    return textOf({ type: "snapshot", status: this.#source.status() });
  }

  #since(seen: number): string {
    const [nodes, jobs, cluster] = [this.#nodes.since(seen), this.#jobs.since(seen), this.#cluster.since(seen)];
    if (nodes === null || jobs === null) return this.#snapshot();
    const list = (rows: readonly string[]) => `[${rows.join(",")}]`;
    return (
      `{"type":"changes","cluster":${cluster?.changed[0] ?? "null"},` +
      `"nodes":${list(nodes.changed)},"nodesGone":${JSON.stringify(nodes.gone)},` +
      `"jobs":${list(jobs.changed)},"jobsGone":${JSON.stringify(jobs.gone)}}\n`
    );
  }

  /** Resolves with true when there may be something new or the watcher goes, with false after a time without. */
  #news(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isNews: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve(isNews);
      };
      const wake = () => settle(true);
      const timer = setTimeout(() => settle(false), WATCH_HEARTBEAT_MS);
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }
}

function textOf(event: WatchEvent): string {
  return `${JSON.stringify(event)}\n`;
}
