/** What tells a process apart from a later one with the same pid: after a restart of the machine pids begin anew. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Fields of `/proc/PID/stat` behind the command's name; the process's start, in ticks since the machine's, is field 22. */
const START_FIELD = 22 - 3;

/** @returns the same text for the same process as long as it lives; empty where the system does not tell. */
export function processStamp(pid: number): string {
  return process.platform === "linux" ? linuxStamp(pid) : psStamp(pid);
}

function linuxStamp(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_FIELD] ?? "";
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()}:${started}`;
  } catch {
    return "";
  }
}

function psStamp(pid: number): string {
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
