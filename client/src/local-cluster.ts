/** The cluster on this machine: found through its file, or started. One per user, shared by all programs of the user. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, watch } from "node:fs";
import { homedir, totalmem } from "node:os";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { BurlaError, childEnvironment, connectionFileSchema, parseClusterSpec, type ClusterSpec, type ConnectionFile } from "@burla/protocol";
import { readStoredSpec } from "./spec-file.ts";
import { VERSION } from "./version.ts";

const BYTES_PER_MIB = 1024 * 1024;
const START_TIMEOUT_MS = 20_000;
const EXIT_LOCKED = 3;
const IDLE_MINUTES = 10;
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

export function connectionFilePath(name: string): string {
  return join(clusterDirectory(name), "cluster.json");
}

/** @returns null when no cluster of this name has said where it is. */
export function readConnectionFile(name: string): ConnectionFile | null {
  try {
    return v.parse(connectionFileSchema, JSON.parse(readFileSync(connectionFilePath(name), "utf8")));
  } catch {
    return null;
  }
}

/** What its services print. */
export function clusterLogPath(name: string): string {
  return join(clusterDirectory(name), "main.log");
}

/** As many workers as processors, on two to four nodes. */
export function localSpec(idleMinutes = Number(process.env["BURLA_IDLE_MINUTES"] ?? IDLE_MINUTES)): ClusterSpec {
  const cores = availableParallelism();
  const nodes = Math.min(MAX_LOCAL_NODES, Math.max(MIN_LOCAL_NODES, cores));
  const ramMiB = Math.floor(totalmem() / BYTES_PER_MIB / nodes);
  const group = (name: string, count: number, cpu: number) => ({ name, count, cpu, ramMiB });
  const small = Math.max(1, Math.floor(cores / nodes));
  const large = cores > nodes ? cores % nodes : 0;
  return parseClusterSpec({
    groups: [group("local", nodes - large, small), ...(large > 0 ? [group("large", large, small + 1)] : [])],
    idleMinutes,
  });
}

/** What the cluster is started with: what the user gave it last, or what fits this machine. @throws BurlaError BURLA_SPEC */
export function currentSpec(idleMinutes?: number): ClusterSpec {
  return readStoredSpec(clusterDirectory("local")) ?? localSpec(idleMinutes);
}

export interface LocalStart {
  /** The Node.js that runs the services; default the one of this process. */
  readonly nodePath?: string | undefined;
  readonly idleMinutes?: number | undefined;
}

/**
 * Starts main for this machine's cluster, unless another program is faster. Resolves when it takes connections.
 * @throws BurlaError BURLA_CLUSTER_START with the end of its log.
 */
export async function startLocalCluster({ nodePath, idleMinutes }: LocalStart = {}): Promise<ConnectionFile> {
  const directory = clusterDirectory("local");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const logFile = clusterLogPath("local");
  const log = openSync(logFile, "a", 0o600);
  const program = (name: string) => fileURLToPath(new URL(`./services/${name}.mjs`, import.meta.url));
  const config = {
    directory,
    spec: currentSpec(idleMinutes),
    version: VERSION,
    nodeProgram: program("node"),
    workerProgram: program("worker"),
    clientPackage: fileURLToPath(new URL("..", import.meta.url)),
  };
  const child = spawn(nodePath ?? process.execPath, [program("main")], {
    detached: true,
    cwd: directory,
    stdio: ["ignore", log, log, "pipe"],
    env: { ...childEnvironment(), ...electronAsNode(nodePath), BURLA_MAIN: JSON.stringify(config) },
  });
  closeSync(log);
  const ready = child.stdio[3] as NodeJS.ReadableStream & { unref?: () => void; destroy: () => void };
  const outcome = await new Promise<"ready" | "locked" | "failed">((resolve) => {
    const timer = setTimeout(() => resolve("failed"), START_TIMEOUT_MS);
    const settle = (how: "ready" | "locked" | "failed") => {
      clearTimeout(timer);
      resolve(how);
    };
    ready.once("data", () => settle("ready"));
    child.once("error", () => settle("failed"));
    child.once("exit", (code) => settle(code === EXIT_LOCKED ? "locked" : "failed"));
  });
  ready.destroy();
  child.removeAllListeners();
  child.unref();
  const file = outcome === "locked" ? await waitForFile(directory) : readConnectionFile("local");
  if (outcome === "failed" || file === null) throw new BurlaError("BURLA_CLUSTER_START", `the local cluster did not start: ${endOf(logFile)}`);
  return file;
}

/** An editor's own program is Electron, which is Node.js when it is told so. */
function electronAsNode(nodePath: string | undefined): NodeJS.ProcessEnv {
  return nodePath === undefined && process.versions["electron"] !== undefined ? { ELECTRON_RUN_AS_NODE: "1" } : {};
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

function endOf(logFile: string): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-5).join("\n");
  } catch {
    return "it wrote no log";
  }
}
