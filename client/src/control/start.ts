/** Starts a cluster and waits until its nodes are ready. */
import { BurlaError } from "@burla/protocol";
import { LOCAL } from "../cluster.ts";
import { mayBeUsed } from "../hand-over.ts";
import { readConnectionFile, startLocalCluster } from "../local-cluster.ts";
import { findCluster } from "./find.ts";
import { stopCluster } from "./stop.ts";
import type { ClusterState, ClusterStatus, Started, StartOptions } from "./types.ts";
import { watchCluster } from "./watch.ts";

const READY_TIMEOUT_MS = 20_000;
/** A main that ends so often before its nodes are ready will not last. */
const MAX_REVIVALS = 3;

/**
 * Starts the cluster unless it runs, and resolves when all of its nodes are ready, or after a time with those that are.
 * One of another build makes way if it has no work; else it is the one that runs.
 * Cancelled by the signal, it ends what it has started and then throws the signal's reason.
 * @throws BurlaError BURLA_CLUSTER_START, BURLA_UNAUTHORIZED, BURLA_VERSION
 */
export async function startCluster(name: string = LOCAL, { signal, onPhase, nodePath, idleMinutes }: StartOptions = {}): Promise<Started> {
  if (name !== LOCAL) {
    throw new BurlaError("BURLA_CLUSTER_START", `there is no cluster "${name}"`, { cure: `This version starts the cluster "${LOCAL}" only, which is on this machine.` });
  }
  signal?.throwIfAborted();
  let started = !(await runs(name));
  signal?.throwIfAborted();
  try {
    const start = async () => {
      onPhase?.({ phase: "main" });
      await startLocalCluster({ nodePath, idleMinutes });
    };
    if (started) await start();
    const revive = async () => {
      if (await runs(name)) return;
      started = true;
      await start();
    };
    const ready = await untilReady(name, { ...(signal && { signal }), ...(onPhase && { onPhase }) }, READY_TIMEOUT_MS, revive);
    onPhase?.({ phase: "ready" });
    return { started, ...ready };
  } catch (error) {
    if (started && signal?.aborted === true) await stopUnlessUsed(name);
    throw error;
  }
}

/** One of another build that has no work makes way for this one. */
async function runs(name: string): Promise<boolean> {
  const file = readConnectionFile(name);
  return file !== null && (await mayBeUsed(file)) && (await findCluster(name)) !== null;
}

/**
 * Resolves when all nodes are ready, or after a time with those that are.
 * @param revive is called when it is not there any more, and nobody has shut it down.
 * @throws BurlaError, or the signal's reason.
 */
export async function untilReady(name: string, { signal, onPhase }: StartOptions, timeoutMs: number, revive: () => Promise<void> = async () => undefined): Promise<{ url: string; status: ClusterStatus }> {
  const late = AbortSignal.timeout(timeoutMs);
  let last: ClusterState | null = null;
  let revivals = 0;
  for await (const state of watchCluster(name, { signal: signal === undefined ? late : AbortSignal.any([late, signal]) })) {
    last = state;
    if (state.phase === "refused") throw state.error;
    if (state.phase === "running") return { url: state.url, status: state.status };
    if (isLost(state) && revivals++ < MAX_REVIVALS) await revive();
    if (state.phase === "starting") onPhase?.({ phase: "nodes", ready: state.ready, wanted: state.wanted });
  }
  signal?.throwIfAborted();
  if (last?.phase === "starting") return { url: last.url, status: last.status };
  throw new BurlaError("BURLA_CLUSTER_START", `the cluster "${name}" started and then did not answer`);
}

function isLost(state: ClusterState): boolean {
  return state.phase === "unreachable" || (state.phase === "off" && state.reason === "");
}

/** Somebody else may have begun to use what was started here. */
async function stopUnlessUsed(name: string): Promise<void> {
  const found = await findCluster(name);
  if (found === null || found.status.jobs.some(({ endedAt }) => endedAt === null)) return;
  await stopCluster(name);
}
