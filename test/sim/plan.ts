/** What a seed decides before anything runs: the cluster, the jobs, what each call does, and what goes wrong when. */
import { MAX_WORKER_LOSSES, type BundleId, type JobSpec } from "@burla/protocol";
import type { Random } from "./random.ts";

/** What the user's function does with one input. */
export type Call =
  | { readonly kind: "ok"; readonly runMs: number }
  /** Throws so many times, then succeeds. */
  | { readonly kind: "throws"; readonly runMs: number; readonly times: number }
  /** Ends its worker so many times, then succeeds. */
  | { readonly kind: "kills"; readonly runMs: number; readonly times: number; readonly cause: "worker-exited" | "out-of-memory" }
  /** Never comes to an end. */
  | { readonly kind: "hangs" }
  /** Waits for a job of its own. */
  | { readonly kind: "spawns"; readonly runMs: number; readonly child: JobPlan };

export interface JobPlan {
  readonly spec: JobSpec;
  readonly calls: readonly Call[];
  readonly submitMs: number;
  /** Between two inputs of the generator. */
  readonly pullMs: number;
  /** Between two batches of the consumer. */
  readonly consumeMs: number;
  readonly cancelMs: number | null;
  /** The program dies, and a reader may attach later. */
  readonly deathMs: number | null;
  readonly attachMs: number | null;
  readonly lostAtMs: readonly { atMs: number; forMs: number }[];
}

export type Fault =
  | { readonly kind: "kill-node" | "kill-worker"; readonly atMs: number; readonly which: number; readonly forMs: number; readonly known: boolean }
  | { readonly kind: "cut-node" | "freeze-node"; readonly atMs: number; readonly which: number; readonly forMs: number; readonly known: boolean }
  | { readonly kind: "kill-main"; readonly atMs: number; readonly forMs: number; readonly afterRecords: number; readonly tornRecords: number };

export interface NodePlan {
  readonly cpu: number;
  readonly ramMiB: number;
  readonly bootMs: number;
}

export interface Plan {
  readonly nodes: readonly NodePlan[];
  readonly jobs: readonly JobPlan[];
  readonly faults: readonly Fault[];
  /** From here on nothing goes wrong, and all must come to its end. */
  readonly calmMs: number;
}

export function makePlan(random: Random): Plan {
  const calmMs = random.spread(200, 20_000);
  const nodes = Array.from({ length: random.int(1, 6) }, () => ({
    cpu: random.int(1, 4), ramMiB: random.pick([1024, 4096]), bootMs: random.spread(1, 500),
  }));
  const largest = { cpu: Math.max(...nodes.map((node) => node.cpu)), ramMiB: Math.min(...nodes.map((node) => node.ramMiB)) };
  const jobs = Array.from({ length: random.int(1, 4) }, () => makeJob(random, calmMs, largest, 0));
  const faulty = random.chance(0.8);
  const faults = faulty ? Array.from({ length: random.int(1, 8) }, () => makeFault(random, calmMs)) : [];
  return { nodes, jobs, faults, calmMs };
}

function makeJob(random: Random, calmMs: number, largest: { cpu: number; ramMiB: number }, depth: number): JobPlan {
  const inputs = random.chance(0.1) ? 0 : Math.round(random.spread(1, depth === 0 ? 120 : 10));
  const scaleMs = random.spread(0.01, 300);
  const trouble = random.chance(0.5) ? random.spread(0.01, 0.2) : 0;
  const timeoutMs = random.chance(0.2) ? random.spread(300, 3000) : null;
  const calls = Array.from({ length: inputs }, () => makeCall(random, { calmMs, largest, depth, scaleMs, trouble, timeoutMs }));
  const spec: JobSpec = {
    name: "simulated", runtime: "node", image: null,
    cpu: random.pick([0.5, 1, 1, 1, largest.cpu]),
    ramMiB: random.pick([null, null, largest.ramMiB]),
    grow: 0, maxParallelism: random.chance(0.3) ? random.int(1, 6) : null,
    concurrency: random.chance(0.25) ? random.int(2, 8) : 1,
    onError: random.pick(["throw", "continue", "continue"]),
    retries: random.pick([0, 0, 1, 3]),
    timeoutMs, detach: random.chance(0.15), inputsAtHand: inputs % 2 === 0, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null,
    python: null, queue: null,
    bundle: { id: "0".repeat(64) as BundleId, externals: [] },
  };
  const nested = depth > 0;
  return {
    spec, calls,
    submitMs: nested ? 0 : random.chance(0.5) ? random.spread(1, 50) : random.spread(1, calmMs),
    pullMs: random.chance(0.7) ? 0 : random.spread(0.01, 100),
    consumeMs: random.chance(0.7) ? 0 : random.spread(0.01, 100),
    cancelMs: !nested && random.chance(0.1) ? random.spread(1, calmMs) : null,
    deathMs: !nested && random.chance(0.12) ? random.spread(1, calmMs) : null,
    attachMs: random.chance(0.7) ? random.spread(1, 9000) : null,
    lostAtMs: nested || random.chance(0.6) ? [] : Array.from({ length: random.int(1, 3) }, () => ({ atMs: random.spread(1, calmMs), forMs: random.spread(1, 9000) })),
  };
}

interface CallOptions {
  calmMs: number;
  largest: { cpu: number; ramMiB: number };
  depth: number;
  scaleMs: number;
  trouble: number;
  timeoutMs: number | null;
}

function makeCall(random: Random, { calmMs, largest, depth, scaleMs, trouble, timeoutMs }: CallOptions): Call {
  const straggler = random.chance(0.02) ? 50 : 1;
  const longest = timeoutMs === null ? 5000 : timeoutMs / 3;
  const runMs = Math.min(longest, scaleMs * random.spread(0.2, 5) * straggler);
  if (depth < 2 && random.chance(0.01)) return { kind: "spawns", runMs, child: makeJob(random, calmMs, largest, depth + 1) };
  if (!random.chance(trouble)) return { kind: "ok", runMs };
  const kind = random.pick(["throws", "throws", "kills", "hangs"] as const);
  if (kind === "throws") return { kind, runMs, times: random.pick([1, 2, Infinity]) };
  if (kind === "kills") return { kind, runMs, times: random.pick([1, MAX_WORKER_LOSSES - 1, Infinity]), cause: random.pick(["worker-exited", "out-of-memory"]) };
  return timeoutMs === null ? { kind: "ok", runMs } : { kind: "hangs" };
}

function makeFault(random: Random, calmMs: number): Fault {
  const kind = random.pick(["kill-node", "kill-worker", "cut-node", "cut-node", "freeze-node", "kill-main"] as const);
  const atMs = random.spread(1, calmMs);
  const forMs = random.spread(1, 14_000);
  if (kind === "kill-main") {
    return { kind, atMs, forMs: random.spread(1, 4000), afterRecords: random.int(0, 10), tornRecords: random.pick([0, 0, 1, 5]) };
  }
  return { kind, atMs, which: random.int(0, 1000), forMs, known: random.chance(0.5) };
}
