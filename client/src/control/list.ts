/** The clusters that this user has. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { LOCAL } from "../cluster.ts";
import { clusterDirectory, readConnectionFile } from "../local-cluster.ts";
import { isAlive } from "./processes.ts";
import type { ClusterEntry } from "./types.ts";

/** The local cluster, which is always there to be started, then the others that left something in the state folder. Asks nobody. */
export async function listClusters(): Promise<ClusterEntry[]> {
  const others = foldersIn(dirname(clusterDirectory(LOCAL))).filter((name) => name !== LOCAL && readConnectionFile(name) !== null);
  return [LOCAL, ...others.sort()].map(describe);
}

function describe(name: string): ClusterEntry {
  const file = readConnectionFile(name);
  const isRunning = file !== null && (name !== LOCAL || isAlive(file.pid));
  return { name, provider: file?.provider ?? LOCAL, isRunning, url: isRunning ? file.url : null };
}

function foldersIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
