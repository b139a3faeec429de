/** A cluster without a shell, for tests: says what happens, asks what follows, checks the invariants in between. */
import type { BundleId, JobId, JobSpec, NodeId } from "@burla/protocol";
import type { Command, Event, NodeJoined } from "./events.ts";
import { checkInvariants } from "./invariants.ts";
import type { CoreState, Job, Node } from "./state.ts";
import { createState, settle, step } from "./step.ts";

export const jobIdOf = (name: string) => `job-${name}` as JobId;
export const nodeIdOf = (name: string) => `node-${name}` as NodeId;

export function specOf(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    name: "test", runtime: "node", image: null, cpu: 1, ramMiB: null, maxParallelism: null, concurrency: 1, onError: "continue", retries: 0,
    timeoutMs: null, grow: 0, detach: false, inputsAtHand: false, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null, python: null, queue: null, bundle: { id: "0".repeat(64) as BundleId, externals: [] }, ...changes,
  };
}

type Of<Type extends Command["type"]> = Extract<Command, { type: Type }>;
type Results = Partial<{ failed: number[]; runMs: number; bytes: number; node: string; indices: number[] | null }>;

export class TestCluster {
  readonly state: CoreState = createState();
  nowMs = 1000;

  /** One turn: these events, then `settle`. */
  turn(...events: Event[]): Command[] {
    const commands = events.flatMap((event) => {
      const following = step(this.state, event, this.nowMs);
      checkInvariants(this.state);
      return following;
    });
    commands.push(...settle(this.state));
    checkInvariants(this.state);
    return commands;
  }

  /** Time passes, and is looked at whenever something is due. */
  wait(ms: number): Command[] {
    const untilMs = this.nowMs + ms;
    const commands: Command[] = [];
    for (let next = this.state.deadlines.nextMs(); next !== null && next <= untilMs; next = this.state.deadlines.nextMs()) {
      this.nowMs = Math.max(this.nowMs, next);
      commands.push(...this.turn({ type: "tick" }));
    }
    this.nowMs = untilMs;
    return commands;
  }

  join(name: string, changes: Partial<NodeJoined> = {}): Command[] {
    const cpu = changes.cpu ?? 1;
    return this.turn({ type: "nodeJoined", nodeId: nodeIdOf(name), cpu, ramMiB: 1024, maxCpu: cpu, maxRamMiB: 1024, jobs: [], holding: [], ...changes });
  }

  /** It joins, and its containers are warm. */
  ready(name: string, changes: Partial<NodeJoined> = {}): Command[] {
    return [...this.join(name, changes), ...this.turn({ type: "nodeReady", nodeId: nodeIdOf(name) })];
  }

  /** A job with so many inputs in one chunk, which are all that there will be unless `open`. */
  submit(name: string, inputs: number, spec: Partial<JobSpec> = {}, { open = false } = {}): Command[] {
    const jobId = jobIdOf(name);
    const events: Event[] = [{ type: "jobSubmitted", jobId, spec: specOf(spec) }];
    if (inputs > 0) events.push({ type: "chunkPushed", jobId, chunkId: 0, first: 0, count: inputs, bytes: 10 * inputs });
    if (!open) events.push({ type: "inputsEnded", jobId, total: inputs });
    return this.turn(...events);
  }

  /** Results for the inputs of a grant, from its first one on. */
  results(grant: Of<"grant">, count: number, { failed = [], runMs = count, bytes = count, node, indices = null }: Results = {}): Command[] {
    const first = (this.state.jobs.get(grant.jobId)?.chunks.get(grant.chunkId)?.first ?? 0) + grant.from;
    const nodeId = node === undefined ? grant.nodeId : nodeIdOf(node);
    const batch = { first, count, indices, failed, final: [], valuesBytes: bytes };
    return this.turn({ type: "resultsArrived", nodeId, jobId: grant.jobId, grantId: grant.grantId, batch, bytes, runMs });
  }

  ended(grant: Of<"grant">, cause: Extract<Event, { type: "grantEnded" }>["cause"], unfinished: number[] = []): Command[] {
    return this.turn({ type: "grantEnded", nodeId: grant.nodeId, jobId: grant.jobId, grantId: grant.grantId, cause, detail: "exit code 1", lostWorkers: cause === "worker-exited" || cause === "out-of-memory" ? 1 : 0, unfinished });
  }

  job(name: string): Job {
    const job = this.state.jobs.get(jobIdOf(name));
    if (job === undefined) throw new Error(`there is no job ${name}`);
    return job;
  }

  node(name: string): Node {
    const node = this.state.nodes.get(nodeIdOf(name));
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }
}

/** The commands of one type. */
export function only<Type extends Command["type"]>(commands: readonly Command[], type: Type): Of<Type>[] {
  return commands.filter((command): command is Of<Type> => command.type === type);
}

/** The only command of this type. */
export function theOnly<Type extends Command["type"]>(commands: readonly Command[], type: Type): Of<Type> {
  const [first, ...more] = only(commands, type);
  if (first === undefined || more.length > 0) throw new Error(`${more.length + (first === undefined ? 0 : 1)} commands are "${type}", not one`);
  return first;
}
