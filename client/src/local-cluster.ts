/** The cluster on this machine: found through its file, or started. One per user, shared by all programs of the user. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync, watch } from "node:fs";
import { homedir, totalmem } from "node:os";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { afterListening, BurlaError, childEnvironment, connectionFileSchema, parseClusterSpec, storageError, type ClusterSpec, type ConnectionFile } from "@burla/protocol";
import { ownFile } from "./own-files.ts";
import { isAlive } from "./process-life.ts";
import { readStoredSpec } from "./spec-file.ts";
import { BUILD, VERSION } from "./version.ts";

const BYTES_PER_MIB = 1024 * 1024;
const START_TIMEOUT_MS = 20_000;
const EXIT_LOCKED = 3;
/** Somebody or the system kills main before it is ready: by chance once or twice, on purpose always. */
const MAX_KILLS = 3;
/** Whether the program that holds the lock still lives is found out this often. */
const LOOK_AGAIN_MS = 1_000;
const IDLE_MINUTES = 10;
/** Main's log begins anew when it has grown beyond this: it tells of the starts and ends of jobs only. */
const MAX_LOG_BYTES = 16 * BYTES_PER_MIB;
/** More nodes than this allow no more jobs at once that a person would start, and cost memory. */
const MAX_LOCAL_NODES = 4;
/** Two jobs must be able to run at once. */
const MIN_LOCAL_NODES = 2;
const START_FOLDER = startFolder();

/**
 * `BURLA_HOME`, or `burla` in the user's state folder. What is relative lies in the folder in which the program was started,
 * wherever it goes later.
 */
export function stateDirectory(): string {
  const { BURLA_HOME, XDG_STATE_HOME } = process.env;
  if (BURLA_HOME !== undefined && BURLA_HOME !== "") return resolve(START_FOLDER, BURLA_HOME);
  return resolve(START_FOLDER, XDG_STATE_HOME || join(homedir(), ".local", "state"), "burla");
}

/** Of a folder that is gone, which is no trouble for absolute paths, the root. */
function startFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}

export function clusterDirectory(name: string): string {
  return join(stateDirectory(), "clusters", name);
}

export function connectionFilePath(name: string): string {
  return join(clusterDirectory(name), "cluster.json");
}

/** @returns null when no cluster of this name has said where it is. */
export function readConnectionFile(name: string): ConnectionFile | null {
  return readConnectionFileAt(connectionFilePath(name));
}

/** @returns null when there is none, or one that cannot be read. */
export function readConnectionFileAt(path: string): ConnectionFile | null {
  try {
    return v.parse(connectionFileSchema, JSON.parse(readFileSync(path, "utf8")));
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
export async function startLocalCluster(start: LocalStart = {}): Promise<ConnectionFile> {
  const directory = clusterDirectory("local");
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (let kills = 0; ; ) {
    const launch = await launchMain(directory, start);
    // The one that is faster may die before it is ready, or be one that is about to end: then it is tried again.
    const file = launch.how === "locked" ? await waitForFile(directory) : readConnectionFile("local");
    if (file !== null && (launch.how === "ready" || launch.how === "locked")) return file;
    if (launch.how === "killed") kills++;
    const again = launch.how === "locked" || (launch.how === "killed" && kills < MAX_KILLS);
    if (again && performance.now() < deadlineMs) continue;
    if (launch.how === "locked") throw unreadableFile(directory);
    throw new BurlaError("BURLA_CLUSTER_START", `the local cluster did not start: ${launch.problem || endOf(clusterLogPath("local"))}`);
  }
}

interface Launch {
  readonly how: "ready" | "locked" | "failed" | "killed";
  /** What it said, if it could. */
  readonly problem: string;
}

async function launchMain(directory: string, { nodePath, idleMinutes }: LocalStart): Promise<Launch> {
  const log = openLog(directory, clusterLogPath("local"));
  const program = (name: string) => ownFile(`services/${name}.mjs`);
  const config = {
    directory,
    spec: currentSpec(idleMinutes),
    version: VERSION,
    build: BUILD,
    nodeProgram: program("node"),
    workerProgram: program("worker"),
    pythonWorkerProgram: ownFile("python"),
    python: process.env["BURLA_PYTHON"] || "python3",
    clientPackage: ownFile(".."),
  };
  const child = spawn(nodePath ?? process.execPath, [program("main")], {
    detached: true,
    cwd: directory,
    stdio: ["ignore", log, log, "pipe"],
    env: { ...childEnvironment(), ...electronAsNode(nodePath), BURLA_MAIN: JSON.stringify(config) },
  });
  closeSync(log);
  const said = child.stdio[3] as NodeJS.ReadableStream & { destroy: () => void };
  const launch = await new Promise<Launch>((resolve) => {
    const deadline = afterListening(START_TIMEOUT_MS, () => settle("failed", `it took longer than ${START_TIMEOUT_MS / 1000} s`));
    const settle = (how: Launch["how"], problem = "") => {
      deadline.stop();
      resolve({ how, problem });
    };
    said.once("data", (line: Buffer) => {
      const problem = /^failed (.*)/s.exec(line.toString())?.[1]?.trimEnd();
      settle(problem === undefined ? "ready" : "failed", problem);
    });
    child.once("error", (error) => settle("failed", error.message));
    child.once("exit", (code, signal) => {
      if (signal !== null) settle("killed", `it was killed by ${signal}`);
      else settle(code === EXIT_LOCKED ? "locked" : "failed");
    });
  });
  said.destroy();
  child.removeAllListeners();
  child.unref();
  return launch;
}

/** An editor's own program is Electron, which is Node.js when it is told so. */
function electronAsNode(nodePath: string | undefined): NodeJS.ProcessEnv {
  return nodePath === undefined && process.versions["electron"] !== undefined ? { ELECTRON_RUN_AS_NODE: "1" } : {};
}

/** Somebody holds the cluster's lock, and its file has not become readable in all that time. */
function unreadableFile(directory: string): BurlaError {
  const cure = "`burla down` ends it and clears away what it left; then call again.";
  return new BurlaError("BURLA_CLUSTER_START", `a local cluster runs, but ${join(directory, "cluster.json")} does not say where`, { cure });
}

/** Another program is starting the cluster: its file appears when it is ready. @returns null when none does for a while. */
async function waitForFile(directory: string): Promise<ConnectionFile | null> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), LOOK_AGAIN_MS);
  try {
    return await new Promise((resolve) => {
      const look = () => {
        const file = readConnectionFile("local");
        // One that a dead main has left is there until the new one is ready.
        if (file !== null && isAlive(file.pid)) resolve(file);
        else if (abort.signal.aborted) resolve(null);
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
    throw storageError(`write to the state folder ${directory}`, cause);
  }
}

function endOf(logFile: string): string {
  try {
    return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-5).join("\n");
  } catch {
    return "it wrote no log";
  }
}
