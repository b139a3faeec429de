/** The clusters that this user has. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { LOCAL } from "../cluster.ts";
import { isClusterName } from "../cluster-name.ts";
import { clusterDirectory, readConnectionFile } from "../local-cluster.ts";
import { readStoredSpec } from "../spec-file.ts";
import { isAlive } from "./processes.ts";
import type { ClusterEntry } from "./types.ts";

/** The local cluster, which is always there to be started, then the others that left something in the state folder. Asks nobody. */
export async function listClusters(): Promise<ClusterEntry[]> {
  const others = foldersIn(dirname(clusterDirectory(LOCAL))).filter((name) => name !== LOCAL && isClusterName(name));
  return [describe(LOCAL), ...others.sort().map(describe).filter(({ isRunning, provider }) => isRunning || provider !== LOCAL)];
}

function describe(name: string): ClusterEntry {
  const file = readConnectionFile(name);
  const isRunning = file !== null && (name !== LOCAL || isAlive(file.pid));
  return { name, provider: file?.provider ?? startedAs(name), isRunning, url: isRunning ? file.url : null };
}

/** A start that was interrupted has left its spec, and perhaps machines. */
function startedAs(name: string): string {
  try {
    return readStoredSpec(clusterDirectory(name))?.provider ?? LOCAL;
  } catch {
    return LOCAL;
  }
}

function foldersIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
