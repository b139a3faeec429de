/** Nodes as programs on this machine. They outlive main, so that its restart loses no work. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { afterListening, messageOf, namedKinds, type Deadline, removeSocketsFolder, type ClusterSpec, type NodeGroup, type NodeId } from "@burla/protocol";
import { isAlive } from "../lock.ts";
import type { Machine as MachineDescription, MachineProvider, Machines, WorkerSize } from "./provider.ts";

const BYTES_PER_MIB = 1024 * 1024;
/** A node that an earlier main started is looked after this often. */
const WATCH_MS = 50;
/** A node that ends at once is started again after a pause that doubles up to this. */
const MAX_RESTART_MS = 10_000;
const FIRST_RESTART_MS = 50;
/** A node that ran this long has not failed to start. */
const SETTLED_MS = 5_000;
/** A node that ends at once so often is a trouble that people are told of. */
const TROUBLE_STARTS = 3;
const MAX_REASON_CHARS = 300;
/** When a node whose connection was lost is looked at again: a dying process is still there for a moment, and only a
 * child's end is told. */
const LOOKS_MS = [50, 500, 5_000];
/** How long main waits for nodes to end by themselves; an engine removes containers one after the other. */
const STOP_MS = { process: 3_000, docker: 6_000 } as const;
/** Without main for this long a local node ends itself: a restart takes well under a second. */
const ORPHAN_MS = 60_000;
/** A node takes far less than this until it connects, or connects again, also on a busy machine. */
const JOIN_MS = 60_000;
const NOTHING: Deadline = { stop: () => undefined };

export interface LocalProviderOptions {
  readonly spec: ClusterSpec;
  readonly version: string;
  readonly directory: string;
  readonly connectionFile: string;
  readonly nodeProgram: string;
  readonly workerProgram: string;
  readonly pythonWorkerProgram: string;
  readonly python: string;
  readonly clientPackage: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Nodes of another build, which an earlier main left, are replaced. */
  readonly build: string;
  readonly onGone: (nodeId: NodeId) => void;
  /** What people are told of the machines has changed. */
  readonly onChange: () => void;
  readonly log: { error(fields: object, text: string): void };
}

interface Machine {
  readonly nodeId: NodeId;
  readonly group: NodeGroup;
  pid: number;
  startedMs: number;
  restartMs: number;
  /** Starts in a row that ended at once. */
  failedStarts: number;
  /** What the last of them said; the next one's log takes the place of its. */
  failure: string;
  /** Ends it unless it connects. */
  awaited: Deadline;
  ended: Promise<void>;
}

export class LocalProvider implements MachineProvider {
  /** A worker may have the whole machine, although its node is a part of it. */
  readonly largestWorker: WorkerSize = { cpu: cpus().length, ramMiB: Math.floor(totalmem() / BYTES_PER_MIB) };
  readonly #options: LocalProviderOptions;
  readonly #machines = new Map<NodeId, Machine>();
  #stopping = false;

  constructor(options: LocalProviderOptions) {
    this.#options = options;
  }

  machineOf(): MachineDescription {
    return { provider: "local", machineType: "local process" };
  }

  get machines(): Machines {
    const { groups } = this.#options.spec;
    return { wanted: groups.reduce((sum, { count }) => sum + count, 0), booting: 0, troubles: this.#troubles, costPerHour: null };
  }

  /**
   * Its process is watched, from its start on. One of the same name that is not known was started by a main that was killed
   * before it could write that down: the two would take turns in this place for ever.
   */
  joined(nodeId: NodeId, pid: number): void {
    const machine = this.#machines.get(nodeId);
    if (machine === undefined) return;
    if (pid !== machine.pid && runsNode(pid, nodeId)) signal(pid, "SIGKILL");
    else this.#hasJoined(machine);
  }

  #hasJoined(machine: Machine): void {
    machine.awaited.stop();
    this.#countFailedStarts(machine, 0);
  }

  #countFailedStarts(machine: Machine, failedStarts: number): void {
    const before = machine.failedStarts;
    machine.failedStarts = failedStarts;
    if (isTrouble(before) !== isTrouble(failedStarts)) this.#options.onChange();
  }

  get #troubles(): string[] {
    return [...this.#machines.values()].filter(({ failedStarts }) => isTrouble(failedStarts)).map(({ nodeId, failure }) =>
      `the node ${nodeId} ends as soon as it is started (${failure}; all of it in ${this.#logOf(nodeId)})`);
  }

  start(): void {
    this.#endStrays();
    for (const group of this.#options.spec.groups) {
      for (const nodeId of nodeIdsOf(group)) this.#startOrAdopt(nodeId, group);
    }
  }

  /** What else its workers have started is ended by the node that takes its place. */
  replace(nodeId: NodeId): void {
    const machine = this.#machines.get(nodeId);
    if (machine === undefined || machine.pid === 0) return;
    // Each worker leads a group of its own.
    for (const pid of childrenOf(machine.pid)) signal(-pid, "SIGKILL");
    signal(machine.pid, "SIGKILL");
    this.#look(nodeId, LOOKS_MS);
  }

  /** Of one that runs and does not come, or not back, nothing else tells that it hangs. */
  #await(machine: Machine): void {
    machine.awaited.stop();
    if (this.#stopping || machine.pid === 0) return;
    machine.awaited = afterListening(JOIN_MS, () => {
      this.#options.log.error({ nodeId: machine.nodeId }, "a node runs and has not connected; it is replaced");
      this.replace(machine.nodeId);
    });
  }

  check(nodeId: NodeId): void {
    const machine = this.#machines.get(nodeId);
    if (machine !== undefined) this.#await(machine);
    this.#look(nodeId, LOOKS_MS);
  }

  #look(nodeId: NodeId, [nextMs, ...later]: readonly number[]): void {
    const machine = this.#machines.get(nodeId);
    if (machine === undefined) return;
    if (!isAlive(machine.pid)) this.#gone(machine);
    else if (nextMs !== undefined) setTimeout(() => this.#look(nodeId, later), nextMs).unref();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const machines = [...this.#machines.values()];
    for (const machine of machines) machine.awaited.stop();
    // A node that has not connected yet hears of it in no other way.
    for (const machine of machines) signal(machine.pid, "SIGTERM");
    const timer = setInterval(() => {
      for (const machine of machines) signal(machine.pid, "SIGKILL");
    }, STOP_MS[this.#options.spec.containers.runtime]);
    await Promise.all(machines.map((machine) => machine.ended));
    clearInterval(timer);
    for (const machine of machines) this.#removeFolders(machine.nodeId);
  }

  /** Nodes that an earlier main had by another spec would join this one. */
  #endStrays(): void {
    const wanted = new Set(this.#options.spec.groups.flatMap(nodeIdsOf));
    for (const name of namesIn(this.#options.directory).filter((nodeId) => !wanted.has(nodeId as NodeId))) {
      const nodeId = name as NodeId;
      const pid = readPid(join(this.#directoryOf(nodeId), "pid"));
      const gone = pid > 0 && runsNode(pid, nodeId) ? endNode(pid) : Promise.resolve();
      void gone.then(() => this.#removeFolders(nodeId));
    }
  }

  #startOrAdopt(nodeId: NodeId, group: NodeGroup): void {
    const pid = readPid(join(this.#directoryOf(nodeId), "pid"));
    const machine: Machine = { nodeId, group, pid: 0, startedMs: 0, restartMs: FIRST_RESTART_MS, failedStarts: 0, failure: "", awaited: NOTHING, ended: Promise.resolve() };
    this.#machines.set(nodeId, machine);
    const runs = pid > 0 && runsNode(pid, nodeId);
    if (runs && hasInEnvironment(pid, `BURLA_NODE_BUILD=${this.#options.build}`) && hasInEnvironment(pid, `BURLA_NODE=${this.#configOf(nodeId, group)}`)) {
      machine.pid = pid;
      machine.startedMs = performance.now();
      machine.ended = untilGone(pid).then(() => this.#gone(machine));
      this.#await(machine);
    } else {
      if (runs) signal(pid, "SIGKILL");
      this.#spawn(machine);
    }
  }

  /** A node that cannot be started is tried again later, as one that ends at once. */
  #spawn(machine: Machine): void {
    machine.startedMs = performance.now();
    try {
      this.#launch(machine);
    } catch (error) {
      this.#options.log.error({ nodeId: machine.nodeId, error: messageOf(error) }, "a node could not be started");
      this.#restartLater(machine, messageOf(error));
    }
  }

  #launch(machine: Machine): void {
    const { group, nodeId } = machine;
    const directory = this.#directoryOf(nodeId);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const log = openSync(this.#logOf(nodeId), "w", 0o600);
    const { nodeProgram, environment } = this.#options;
    const child = spawn(process.execPath, [nodeProgram], {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...environment, BURLA_NODE: this.#configOf(nodeId, group), BURLA_NODE_ID: nodeId, BURLA_NODE_BUILD: this.#options.build },
    });
    closeSync(log);
    child.unref();
    recordPid(child, join(directory, "pid"));
    machine.pid = child.pid ?? 0;
    this.#await(machine);
    machine.ended = new Promise((resolve) => {
      const end = () => {
        resolve();
        this.#gone(machine);
      };
      child.once("exit", end);
      child.once("error", end);
    });
  }

  /** All that a node is told: one that was told something else is another node. */
  #configOf(nodeId: NodeId, group: NodeGroup): string {
    const { connectionFile, workerProgram, pythonWorkerProgram, python, clientPackage, spec, version } = this.#options;
    const { runtime, network, scratchMiB, maxProcesses } = spec.containers;
    return JSON.stringify({
      nodeId, directory: this.#directoryOf(nodeId), connectionFile, workerProgram, pythonWorkerProgram, python, clientPackage,
      cpu: group.cpu, ramMiB: group.ramMiB, maxCpu: this.largestWorker.cpu, maxRamMiB: this.largestWorker.ramMiB,
      containers: { runtime, network, scratchMiB, maxProcesses },
      warm: namedKinds(spec.containers, version).map(({ warmPerCpu, ...kind }) => ({ ...kind, count: Math.round(warmPerCpu * group.cpu) })),
      orphanMs: ORPHAN_MS,
      aloneMs: spec.firestore.aloneMinutes * 60_000,
    });
  }

  #gone(machine: Machine): void {
    machine.awaited.stop();
    if (machine.pid === 0) return;
    machine.pid = 0;
    this.#options.onGone(machine.nodeId);
    if (!this.#stopping) this.#restartLater(machine);
  }

  #restartLater(machine: Machine, reason?: string): void {
    const settled = performance.now() - machine.startedMs > SETTLED_MS;
    // The log of one that ran for long may be long.
    if (!settled) machine.failure = reason ?? reasonIn(this.#logOf(machine.nodeId));
    this.#countFailedStarts(machine, settled ? 0 : machine.failedStarts + 1);
    machine.restartMs = settled ? FIRST_RESTART_MS : Math.min(MAX_RESTART_MS, machine.restartMs * 2);
    setTimeout(() => {
      if (!this.#stopping) this.#spawn(machine);
    }, machine.restartMs);
  }

  #removeFolders(nodeId: NodeId): void {
    const directory = this.#directoryOf(nodeId);
    removeSocketsFolder(directory);
    rmSync(directory, { recursive: true, force: true });
  }

  #logOf(nodeId: NodeId): string {
    return join(this.#directoryOf(nodeId), "node.log");
  }

  #directoryOf(nodeId: NodeId): string {
    return join(this.#options.directory, nodeId);
  }
}

const isTrouble = (failedStarts: number) => failedStarts >= TROUBLE_STARTS;

function nodeIdsOf({ name, count }: NodeGroup): NodeId[] {
  return Array.from({ length: count }, (_, at) => `${name}-${at + 1}` as NodeId);
}

/** The line of a log that is most likely to say why its program has ended. */
function reasonIn(log: string): string {
  try {
    const lines = readFileSync(log, "utf8").trim().split("\n");
    return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? "").slice(0, MAX_REASON_CHARS);
  } catch {
    return "it says nothing";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Lets it end what it has started first. */
async function endNode(pid: number): Promise<void> {
  signal(pid, "SIGTERM");
  const timer = setTimeout(() => signal(pid, "SIGKILL"), STOP_MS.docker);
  await untilGone(pid);
  clearTimeout(timer);
}

/** The next main finds the node by it: one that cannot be found later must not run. @throws Error when the disk refuses. */
function recordPid(child: ChildProcess, path: string): void {
  try {
    writeFileSync(path, String(child.pid ?? 0), { mode: 0o600 });
  } catch (error) {
    child.on("error", () => undefined);
    child.kill("SIGKILL");
    throw error;
  }
}

function readPid(path: string): number {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
}

/** A pid may belong to another program by now. */
function runsNode(pid: number, nodeId: NodeId): boolean {
  return isAlive(pid) && hasInEnvironment(pid, `BURLA_NODE_ID=${nodeId}`);
}

function hasInEnvironment(pid: number, entry: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(entry);
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    if (pid !== 0) process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Of the thread that starts workers. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter((child) => child !== "").map(Number);
  } catch {
    return [];
  }
}

/** For a process that is not our child there is no event. */
async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, WATCH_MS).unref());
}
