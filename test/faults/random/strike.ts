/** Faults -> what is done to processes and files. Each says what it struck, and how that is undone. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInterpreter } from "../../../scripts/python/interpreters.ts";
import type { TestCluster } from "../../support/cluster.ts";
import { isRunning, type ClusterProcess } from "../../support/processes.ts";
import type { Fault } from "./plan.ts";

const CUT = fileURLToPath(new URL("programs/cut.py", import.meta.url));
/** Main may write no file beyond this while the disk is full. */
const FULL_AT_BYTES = [1 << 10, 64 << 10, 1 << 20];

export interface Struck {
  /** For the story. */
  readonly text: string;
  /** Ends a freeze, or makes room. */
  readonly undo?: () => void;
}

/** @param programPid the program that reads the job of the fault, while there is one. @returns null when there was nothing to strike. */
export function strike(fault: Fault, cluster: TestCluster, programPid: number | null): Struck | null {
  const one = (role: ClusterProcess["role"]) => pick(cluster.processes(role), fault.which)?.pid ?? null;
  switch (fault.kind) {
    case "kill-worker":
      return kill([one("worker")]);
    case "kill-all-workers":
      return kill(cluster.processes("worker").map(({ pid }) => pid));
    case "kill-node":
      return kill([one("node")]);
    case "kill-main":
      return kill([one("main")]);
    case "kill-client":
      return kill([programPid]);
    case "freeze-worker":
      return freeze(one("worker"));
    case "freeze-node":
      return freeze(one("node"));
    case "freeze-main":
      return freeze(one("main"));
    case "freeze-client":
      return freeze(programPid);
    case "cut-client":
      return cut("main.sock", programPid);
    case "cut-node":
      return cut("main.sock", one("node"));
    case "cut-worker":
      return cut("workers.sock", one("worker"));
    case "fill-disk":
      return fillDisk(one("main"), fault.which, cluster);
    case "remove-sockets":
      return removeFolders(cluster, "sockets");
    case "remove-bundles":
      return removeFolders(cluster, "bundles");
  }
}

function pick<Item>(items: readonly Item[], which: number): Item | undefined {
  return items[which % Math.max(1, items.length)];
}

function kill(pids: readonly (number | null)[]): Struck | null {
  const struck = pids.filter((pid) => pid !== null && signal(pid, "SIGKILL"));
  return struck.length === 0 ? null : { text: `SIGKILL to ${struck.join(", ")}` };
}

function freeze(pid: number | null): Struck | null {
  if (pid === null || !signal(pid, "SIGSTOP")) return null;
  return { text: `SIGSTOP to ${pid}`, undo: () => void signal(pid, "SIGCONT") };
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  if (!isRunning(pid)) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

function cut(dialled: "main.sock" | "workers.sock", pid: number | null): Struck | null {
  const connections = pid === null ? 0 : Number(attempt(ensureInterpreter().command, [CUT, dialled, String(pid)]) ?? 0);
  return connections === 0 ? null : { text: `${connections} connections of ${pid} to ${dialled} cut` };
}

/** The system refuses what a full disk would refuse, to programs that main starts meanwhile too. */
function fillDisk(pid: number | null, which: number, cluster: TestCluster): Struck | null {
  const limit = (of: number, bytes: number | "unlimited") => attempt("prlimit", ["--pid", String(of), `--fsize=${bytes}:unlimited`]);
  const bytes = pick(FULL_AT_BYTES, which) ?? 0;
  if (pid === null || limit(pid, bytes) === null) return null;
  return {
    text: `${pid} may write no file beyond ${bytes} bytes`,
    undo: () => {
      for (const one of cluster.processes()) limit(one.pid, "unlimited");
    },
  };
}

/** @returns what it said; null when it failed, as of a process that has just ended. */
function attempt(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return null;
  }
}

function removeFolders(cluster: TestCluster, name: string): Struck | null {
  const nodes = join(cluster.directory, "nodes");
  const folders = existsSync(nodes) ? readdirSync(nodes).map((node) => join(nodes, node, name)).filter((folder) => existsSync(folder)) : [];
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  return folders.length === 0 ? null : { text: `${folders.length} folders "${name}" removed` };
}
