/** The cluster on this machine: found through its file, or started. One per user, shared by all programs of the user. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, watch } from "node:fs";
import { homedir, totalmem } from "node:os";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { BurlaError, childEnvironment, connectionFileSchema, messageOf, type ClusterSpec, type ConnectionFile } from "@burla/protocol";
import { VERSION } from "./version.ts";

const BYTES_PER_MIB = 1024 * 1024;
const START_TIMEOUT_MS = 20_000;
const EXIT_LOCKED = 3;
const IDLE_MINUTES = 10;
/** Main's log begins anew when it has grown beyond this: it tells of the starts and ends of jobs only. */
const MAX_LOG_BYTES = 16 * BYTES_PER_MIB;
/** More nodes than this allow no more jobs at once that a person would start, and cost memory. */
const MAX_LOCAL_NODES = 4;
/** Two jobs must be able to run at once. */
const MIN_LOCAL_NODES = 2;

/** `BURLA_HOME`, or `burla` in the user's state folder. */
export function stateDirectory(): string {
  const { BURLA_HOME, XDG_STATE_HOME } = process.env;
  if (BURLA_HOME !== undefined && BURLA_HOME !== "") return BURLA_HOME;
  return join(XDG_STATE_HOME || join(homedir(), ".local", "state"), "burla");
}

export function clusterDirectory(name: string): string {
  return join(stateDirectory(), "clusters", name);
}

/** @returns null when no cluster of this name has said where it is. */
export function readConnectionFile(name: string): ConnectionFile | null {
  try {
    return v.parse(connectionFileSchema, JSON.parse(readFileSync(join(clusterDirectory(name), "cluster.json"), "utf8")));
  } catch {
    return null;
  }
}

/** As many workers as processors, on two to four nodes. */
export function localSpec(): ClusterSpec {
  const cores = availableParallelism();
  const nodes = Math.min(MAX_LOCAL_NODES, Math.max(MIN_LOCAL_NODES, cores));
  const ramMiB = Math.floor(totalmem() / BYTES_PER_MIB / nodes);
  const group = (name: string, count: number, cpu: number) => ({ name, count, cpu, ramMiB, warm: [{ runtime: "node" as const, count: cpu }] });
  const small = Math.max(1, Math.floor(cores / nodes));
  const large = cores > nodes ? cores % nodes : 0;
  return {
    name: "local",
    provider: "local",
    containers: "process",
    queue: "stream",
    groups: [group("local", nodes - large, small), ...(large > 0 ? [group("large", large, small + 1)] : [])],
    idleMinutes: Number(process.env["BURLA_IDLE_MINUTES"] ?? IDLE_MINUTES),
  };
}

/**
 * Starts main for this machine's cluster, unless another program is faster. Resolves when it takes connections.
 * @throws BurlaError BURLA_CLUSTER_START with the end of its log.
 */
export async function startLocalCluster(): Promise<ConnectionFile> {
  const directory = clusterDirectory("local");
  const logFile = join(directory, "main.log");
  const log = openLog(directory, logFile);
  const program = (name: string) => fileURLToPath(new URL(`./services/${name}.mjs`, import.meta.url));
  const config = {
    directory,
    spec: localSpec(),
    version: VERSION,
    nodeProgram: program("node"),
    workerProgram: program("worker"),
    clientPackage: fileURLToPath(new URL("..", import.meta.url)),
  };
  const child = spawn(process.execPath, [program("main")], {
    detached: true,
    cwd: directory,
    stdio: ["ignore", log, log, "pipe"],
    env: { ...childEnvironment(), BURLA_MAIN: JSON.stringify(config) },
  });
  closeSync(log);
  const ready = child.stdio[3] as NodeJS.ReadableStream & { unref?: () => void; destroy: () => void };
  let problem = "";
  const outcome = await new Promise<"ready" | "locked" | "failed">((resolve) => {
    const timer = setTimeout(() => resolve("failed"), START_TIMEOUT_MS);
    const settle = (how: "ready" | "locked" | "failed") => {
      clearTimeout(timer);
      resolve(how);
    };
    ready.once("data", (line: Buffer) => {
      problem = /^failed (.*)/.exec(line.toString())?.[1] ?? "";
      settle(problem === "" ? "ready" : "failed");
    });
    child.once("error", () => settle("failed"));
    child.once("exit", (code) => settle(code === EXIT_LOCKED ? "locked" : "failed"));
  });
  ready.destroy();
  child.removeAllListeners();
  child.unref();
  const file = outcome === "locked" ? await waitForFile(directory) : readConnectionFile("local");
  if (outcome === "failed" || file === null) throw new BurlaError("BURLA_CLUSTER_START", `the local cluster did not start: ${problem || endOf(logFile)}`);
  return file;
}

/** Another program is starting the cluster: its file appears when it is ready. */
async function waitForFile(directory: string): Promise<ConnectionFile | null> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), START_TIMEOUT_MS);
  try {
    return await new Promise((resolve) => {
      const look = () => {
        const file = readConnectionFile("local");
        if (file !== null || abort.signal.aborted) resolve(file);
      };
      watch(directory, { signal: abort.signal }, look).on("error", look);
      abort.signal.addEventListener("abort", look);
      look();
    });
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** @throws BurlaError BURLA_STORAGE when the state folder cannot be made, or written to. */
function openLog(directory: string, logFile: string): number {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const isLong = (statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES;
    return openSync(logFile, isLong ? "w" : "a", 0o600);
  } catch (cause) {
    throw new BurlaError("BURLA_STORAGE", `cannot write to the state folder ${directory}: ${messageOf(cause)}`, { cause });
  }
}

function endOf(logFile: string): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-5).join("\n");
  } catch {
    return "it wrote no log";
  }
}
