import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import type { System } from "../setup/peers.ts";
import type { Context, Note } from "./results.ts";

/** Describes this machine and what is compared on it. */
export function describeContext(systems: readonly System[], quick: boolean, notes: readonly Note[]): Context {
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    quick,
    machine: {
      processor: cpus()[0]?.model.trim() ?? "unknown",
      cores: String(availableParallelism()),
      memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
      kernel: `Linux ${release()}`,
      node: process.version,
    },
    versions: Object.fromEntries(systems.map(({ name, version }) => [name, version])),
    notes,
  };
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { cwd: import.meta.dirname, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
