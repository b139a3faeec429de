/**
 * What a container gets, and nothing else: the code of users runs in it. Pure, so that a test can read it.
 *
 * Not set on purpose: a seccomp profile (the engine's default is the one to have), and any user mapping (the engine's).
 */
import type { ContainerCreateOptions } from "dockerode";
import { heapMiBOf, type ContainerOptions } from "../runtime.ts";
import { containerName, LABELS } from "./names.ts";

const BYTES_PER_MIB = 1024 * 1024;
const NANOS_PER_CPU = 1e9;
/** `nobody`: owns nothing, in any image. */
export const WORKER_USER = "65534:65534";
export const SCRATCH_FOLDER = "/tmp";
const PROGRAM = "/burla/worker.mjs";
const PYTHON_PROGRAM = "/burla/python";
/** Files of output lie on the disk of the node. Workers empty them as they go, but cannot while a call blocks. */
const MAX_OUTPUT_BYTES = 2 * 1024 * BYTES_PER_MIB;
const OUTPUT_FOLDER = "/burla/output";
const MAX_LOG_MIB = 1 / 16;

/** Folders and files of the node that a container sees, by their path on the node. */
export interface NodePaths {
  /** Holds the socket that workers dial. */
  readonly sockets: string;
  /** Bundles and packages of the job that the node works for. */
  readonly job: string;
  /** Packages that jobs have needed, by content hash. */
  readonly packages: string;
  readonly workerProgram: string;
  /** The same for Python, a folder. */
  readonly pythonWorkerProgram: string;
  /** Files `stdout` and `stderr` of this worker. */
  readonly output: string;
}

export interface LockDown {
  readonly space: string;
  readonly nodeId: string;
  readonly paths: NodePaths;
  readonly network: "none" | "bridge";
  readonly scratchMiB: number;
  readonly maxProcesses: number;
  /** Processors of the engine's machine: it refuses to give more. */
  readonly engineCpus: number;
}

/** All that the engine is told of the container of a worker. */
export function createOptions(options: ContainerOptions, limits: LockDown): ContainerCreateOptions & { name: string } {
  const { workerId, image, ramMiB } = options;
  const walls = lockedDown(limits, { ramMiB, cpu: options.cpu, mounts: mountsOf(limits.paths), logMiB: MAX_LOG_MIB });
  return {
    ...walls,
    name: containerName(limits.space, workerId),
    Image: image ?? "",
    ...(options.runtime === "python"
      ? { Entrypoint: ["python3"], Cmd: [PYTHON_PROGRAM] }
      : { Entrypoint: ["node"], Cmd: [`--max-old-space-size=${heapMiBOf(ramMiB)}`, PROGRAM] }),
    User: WORKER_USER,
    WorkingDir: SCRATCH_FOLDER,
    Env: environmentOf(options),
    Labels: { [LABELS.space]: limits.space, [LABELS.node]: limits.nodeId, [LABELS.worker]: workerId, [LABELS.purpose]: "worker" },
  };
}

/** What one container has to itself. */
export interface Allowance {
  readonly ramMiB: number;
  readonly cpu: number;
  readonly mounts: NonNullable<ContainerCreateOptions["HostConfig"]>["Mounts"];
  /** What the engine keeps of what it prints. */
  readonly logMiB: number;
}

type Walls = Pick<LockDown, "network" | "scratchMiB" | "maxProcesses" | "engineCpus">;

/** What holds for every container in which code of others runs. */
export function lockedDown({ network, scratchMiB, maxProcesses, engineCpus }: Walls, { ramMiB, cpu, mounts, logMiB }: Allowance): Pick<ContainerCreateOptions, "StopSignal" | "Healthcheck" | "NetworkDisabled" | "HostConfig"> {
  const memoryBytes = ramMiB * BYTES_PER_MIB;
  const scratchBytes = Math.floor(Math.min(scratchMiB, ramMiB / 2) * BYTES_PER_MIB);
  return {
    // An engine that is stopped ends workers at once: a call that could react would answer with an error of its own.
    StopSignal: "SIGKILL",
    Healthcheck: { Test: ["NONE"] },
    NetworkDisabled: network === "none",
    HostConfig: {
      // Its own first process, which reaps what calls leave behind and passes signals on.
      Init: true,
      NetworkMode: network,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      Tmpfs: { [SCRATCH_FOLDER]: `rw,exec,nosuid,nodev,mode=1777,size=${scratchBytes}` },
      Mounts: mounts,
      IpcMode: "private",
      NanoCpus: Math.round(Math.min(cpu, engineCpus) * NANOS_PER_CPU),
      Memory: memoryBytes,
      // Together with swap: none of it.
      MemorySwap: memoryBytes,
      PidsLimit: maxProcesses,
      Ulimits: [
        { Name: "core", Soft: 0, Hard: 0 },
        { Name: "fsize", Soft: MAX_OUTPUT_BYTES, Hard: MAX_OUTPUT_BYTES },
      ],
      LogConfig: { Type: "json-file", Config: { "max-size": `${Math.round(logMiB * 1024)}k`, "max-file": "1" } },
    },
  };
}

function environmentOf({ workerId, token, socketPath }: ContainerOptions): string[] {
  return [
    `HOME=${SCRATCH_FOLDER}`,
    `BURLA_WORKER_ID=${workerId}`,
    `BURLA_WORKER_TOKEN=${token}`,
    `BURLA_WORKER_SOCKET=${socketPath}`,
    `BURLA_WORKER_STDOUT=${OUTPUT_FOLDER}/stdout`,
    `BURLA_WORKER_STDERR=${OUTPUT_FOLDER}/stderr`,
  ];
}

/** Folders keep their path, so that what the node tells a worker means the same in the container. */
function mountsOf({ sockets, job, packages, workerProgram, pythonWorkerProgram, output }: NodePaths): NonNullable<ContainerCreateOptions["HostConfig"]>["Mounts"] {
  const bind = (source: string, target: string, isReadOnly: boolean) => ({ Type: "bind" as const, Source: source, Target: target, ReadOnly: isReadOnly });
  const shared = [sockets, job, packages].map((path) => bind(path, path, true));
  return [...shared, bind(workerProgram, PROGRAM, true), bind(pythonWorkerProgram, PYTHON_PROGRAM, true), bind(output, OUTPUT_FOLDER, false)];
}
