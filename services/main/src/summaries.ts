/** The cluster as people see it, made of the core's state and the registry. Reads only. */
import type { ClusterStatus, ClusterSummary, JobId, JobSummary, NodeId, NodeSummary } from "@burla/protocol";
import type { CoreState, Job } from "./core/state.ts";
import type { JobEntry } from "./job-entry.ts";
import type { NodeLine } from "./node-line.ts";
import type { Machine, Machines } from "./providers/provider.ts";
import type { JobRegistry } from "./registry.ts";
import { waitReason } from "./status.ts";

/** What main knows of itself. */
export type MainSummary = Omit<ClusterSummary, "cpu" | "cpuInUse" | "duplicates">;

export interface SummariesOptions {
  readonly state: CoreState;
  readonly registry: JobRegistry;
  readonly nodes: ReadonlyMap<NodeId, NodeLine>;
  readonly machineOf: (nodeId: NodeId) => Machine;
  readonly machines: () => Machines;
  readonly duplicates: () => number;
}

export class Summaries {
  readonly #options: SummariesOptions;

  constructor(options: SummariesOptions) {
    this.#options = options;
  }

  status(main: MainSummary): ClusterStatus {
    return { ...this.cluster(main), nodes: this.nodes(), jobs: this.jobs() };
  }

  cluster(main: MainSummary): ClusterSummary {
    let cpu = 0;
    let cpuInUse = 0;
    for (const link of this.#options.nodes.values()) {
      cpu += link.hello.cpu;
      cpuInUse += this.#cpuInUse(link);
    }
    return { ...main, cpu: roundCpu(cpu), cpuInUse: roundCpu(cpuInUse), duplicates: this.#options.duplicates() };
  }

  /** Oldest first. */
  jobs(): JobSummary[] {
    const { registry } = this.#options;
    const live = [...registry.entries].map((entry) => this.jobOf(entry));
    return [...registry.summaries, ...live].sort((a, b) => a.createdAt - b.createdAt);
  }

  /** Undefined when it is not known, or no longer. */
  job(jobId: JobId): JobSummary | undefined {
    const entry = this.#options.registry.get(jobId);
    return entry === undefined ? this.#options.registry.summary(jobId) : this.jobOf(entry);
  }

  jobOf(entry: JobEntry): JobSummary {
    if (entry.endedSummary !== null) return entry.endedSummary;
    const { state } = this.#options;
    const job = state.jobs.get(entry.jobId);
    if (job === undefined) throw new Error(`${entry.jobId} is neither under way nor ended`);
    const workers = workersOf(state, job);
    return {
      ...factsOf(entry, job),
      phase: this.phaseOf(job, workers.length),
      reason: this.waitReason(job),
      endedAt: null,
      running: job.grantedInputs,
      nodes: workers.length,
      workers: workers.reduce((sum, count) => sum + count, 0),
    };
  }

  /** Of a job that has just left the books. */
  ended(entry: JobEntry, job: Job, phase: "done" | "failed" | "cancelled", reason: string): JobSummary {
    return { ...factsOf(entry, job), phase, reason, endedAt: Date.now(), running: 0, nodes: 0, workers: 0 };
  }

  /** Jobs under way that no node works for. */
  *waiting(): Generator<JobId> {
    const { state } = this.#options;
    for (const job of state.jobs.values()) if (workersOf(state, job).length === 0) yield job.id;
  }

  /** Why a job waits; empty when it runs. */
  waitReason(job: Job): string {
    const preparing = this.#preparing(job);
    if (preparing[0] !== undefined) return preparing[0];
    const failed = [...this.#options.nodes.values()].filter((link) => link.state.state === "FAILED");
    return waitReason(this.#options.state, job, failed.map((link) => `${link.nodeId}: ${link.state.reason}`), this.#options.machines());
  }

  /** A job whose nodes are all still getting ready for it has not begun. */
  phaseOf(job: Job, nodes: number): "waiting" | "running" | "interrupted" {
    if (job.phase === "interrupted") return "interrupted";
    return nodes > this.#preparing(job).length ? "running" : "waiting";
  }

  /** What nodes do for a job before its first call, one text for each that does. */
  #preparing(job: Job): string[] {
    const links = [...this.#options.nodes.values()];
    return links.flatMap(({ nodeId, state }) => state.preparing.flatMap(({ jobId, text }) => (jobId === job.id ? [`${nodeId} ${text}`] : [])));
  }

  nodes(): NodeSummary[] {
    return [...this.#options.nodes.values()].map((link) => this.#nodeOf(link));
  }

  node(nodeId: NodeId): NodeSummary | undefined {
    const link = this.#options.nodes.get(nodeId);
    return link === undefined ? undefined : this.#nodeOf(link);
  }

  #nodeOf(link: NodeLine): NodeSummary {
    const { cpu, ramMiB, pid, nodeId } = link.hello;
    const { state, reason, workers } = link.state;
    const { provider, machineType } = this.#options.machineOf(nodeId);
    const jobs = [...(this.#options.state.nodes.get(nodeId)?.jobs.keys() ?? [])];
    return { nodeId, state, reason, provider, machineType, cpu, cpuInUse: this.#cpuInUse(link), ramMiB, pid, jobs, workers };
  }

  /** A worker may be larger than its node, where several nodes share a machine. */
  #cpuInUse({ nodeId, hello }: NodeLine): number {
    const { state } = this.#options;
    let cpuInUse = 0;
    for (const [jobId, { workers }] of state.nodes.get(nodeId)?.jobs ?? []) cpuInUse += workers * (state.jobs.get(jobId)?.spec.cpu ?? 0);
    return roundCpu(Math.min(hello.cpu, cpuInUse));
  }
}

/** Workers for the job on each node that works for it. */
export function workersOf(state: CoreState, job: Job): number[] {
  return [...(state.trees.get(job.rootId) ?? [])].flatMap((node) => node.jobs.get(job.id)?.workers ?? []);
}

function factsOf(entry: JobEntry, job: Job) {
  return {
    jobId: entry.jobId,
    name: entry.spec.name,
    detach: entry.spec.detach,
    runtime: entry.spec.runtime,
    parent: entry.spec.parent,
    person: entry.person,
    createdAt: entry.createdAt,
    startedAt: entry.startedAt,
    inputs: job.pushedInputs,
    inputsEnded: job.totalInputs !== null,
    done: job.answeredInputs - job.failedInputs,
    failed: job.failedInputs,
    lostWorkers: job.lostWorkers,
    failures: [...entry.failures.summary],
  };
}

/** Sums of fractions such as 0.1 would show their last digits. */
function roundCpu(cpu: number): number {
  return Math.round(cpu * 1000) / 1000;
}
