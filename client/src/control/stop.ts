/** Ends a cluster and waits until nothing of it is left, also one that does not answer. */
import { rmSync } from "node:fs";
import { BurlaError, removeSocketsFolder } from "@burla/protocol";
import { LOCAL } from "../cluster.ts";
import { clusterDirectory, connectionFilePath, readConnectionFile } from "../local-cluster.ts";
import { forgetSpec } from "../spec-file.ts";
import { findCluster, type RunningCluster } from "./find.ts";
import { findProcesses, isAlive, signalProcess, untilGone } from "./processes.ts";
import type { ClusterStatus, Stopped } from "./types.ts";

/** Main gives its nodes three seconds, then kills them. */
const GRACE_MS = 10_000;
const KILL_MS = 2_000;

/**
 * Ends the local cluster, with whatever jobs run on it: ask first. Detached jobs go on when it starts again. Resolves when
 * all of its processes are gone, those that a killed cluster has left too, and forgets its spec. Nothing to do when it does not run.
 * @throws BurlaError BURLA_UNREACHABLE when processes do not end.
 */
export async function stopCluster(name: string = LOCAL): Promise<Stopped> {
  if (name !== LOCAL) throw new BurlaError("BURLA_UNREACHABLE", `there is no cluster "${name}"`, { cure: `This version ends the cluster "${LOCAL}" only.` });
  const found = await findAnswering(name);
  const pids = [...new Set([...pidsOf(found?.status), ...findProcesses(clusterDirectory(name)).map(({ pid }) => pid)])];
  await end(found, pids);
  removeStale(name);
  forgetSpec(clusterDirectory(name));
  return { processes: pids.length };
}

/** A cluster that answers but refuses, or speaks another version, is ended as one that does not answer. */
export async function findAnswering(name: string): Promise<RunningCluster | null> {
  try {
    return await findCluster(name);
  } catch {
    return null;
  }
}

function pidsOf(status: ClusterStatus | undefined): number[] {
  if (status === undefined) return [];
  return [status.pid, ...status.nodes.flatMap(({ pid, workers }) => [pid, ...workers.map((worker) => worker.pid)])].filter((pid) => pid > 0);
}

async function end(found: RunningCluster | null, pids: readonly number[]): Promise<void> {
  if (found === null) for (const pid of pids) signalProcess(pid, "SIGTERM");
  else await found.control.shutdown();
  const stubborn = await untilGone(pids, GRACE_MS);
  for (const pid of stubborn) signalProcess(pid, "SIGKILL");
  const left = await untilGone(stubborn, KILL_MS);
  if (left.length === 0) return;
  throw new BurlaError("BURLA_UNREACHABLE", `processes of the cluster do not end: ${left.join(", ")}`, { cure: "They are not yours, or hang in the operating system: look at them with `ps`." });
}

/** What a main that died has left. One that runs removes its own, and somebody may have started a new one by now. */
function removeStale(name: string): void {
  const file = readConnectionFile(name);
  if (file !== null && isAlive(file.pid)) return;
  rmSync(connectionFilePath(name), { force: true });
  if (file !== null) removeSocketsFolder(clusterDirectory(name));
}
