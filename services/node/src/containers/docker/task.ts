/** A program run to its end in a container of its own, as little trusted as a worker. */
import { randomBytes } from "node:crypto";
import { chownSync, lchownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import type { Task, TaskOutcome } from "../runtime.ts";
import { removeContainer } from "./container.ts";
import { refusal, statusOf, unless, type Engine } from "./engine.ts";
import { lockedDown, SCRATCH_FOLDER, WORKER_USER, type LockDown } from "./lock-down.ts";
import { LABELS } from "./names.ts";
import { waitForExit } from "./wait.ts";

/** Compilers take more than most calls do. */
const TASK_MIB = 2048;
const TASK_PROCESSES = 1024;
const TAIL_CHARACTERS = 512 * 1024;
/** An engine that stops ends what runs: it is run again as often. */
const MAX_RUNS = 3;
const NAME_BYTES = 8;
const FIRST_SERVER_ERROR = 500;
const NOT_MODIFIED = 304;
const CONFLICT = 409;

type Network = "bridge" | "none";

export type TaskLimits = Omit<LockDown, "paths" | "network" | "scratchMiB" | "maxProcesses">;

/** @throws the signal's reason when it was aborted; BurlaError BURLA_CONTAINERS when the engine stays away. */
export async function runTask(engine: Engine, task: Task, limits: TaskLimits): Promise<TaskOutcome> {
  if (task.folder !== null) giveAway(task.folder);
  let network = task.folder === null ? "none" : await engine.request(networkOf);
  for (let run = 1; ; run++) {
    // A name of its own: another task may be found by the same mark, and its container be on its way out.
    const name = `burla-${limits.space}-task-${randomBytes(NAME_BYTES).toString("hex")}`;
    try {
      const { outcome, lostEngine } = await runOnce(engine, name, task, limits, network);
      task.signal.throwIfAborted();
      if (lostEngine && outcome.code !== 0 && run < MAX_RUNS) continue;
      for (const line of outcome.tail.split("\n")) task.onLine(line);
      return outcome;
    } catch (error) {
      task.signal.throwIfAborted();
      const isRefused = (statusOf(error) ?? 0) >= FIRST_SERVER_ERROR;
      if (!isRefused) throw error;
      if (network === "none") throw refusal(error);
      // The engine's network may be broken where containers without one are not; many packages need none.
      network = "none";
    }
  }
}

async function runOnce(engine: Engine, name: string, task: Task, limits: TaskLimits, network: Network): Promise<{ outcome: TaskOutcome; lostEngine: boolean }> {
  let lostEngine = false;
  const onLost = () => void (lostEngine = true);
  const remove = () => engine.request((docker) => removeContainer(docker, name)).catch(() => undefined);
  const onAbort = () => void remove();
  task.signal.addEventListener("abort", onAbort, { once: true });
  try {
    task.signal.throwIfAborted();
    await engine.request((docker) => docker.createContainer(optionsOf(name, task, limits, network)).catch(unless(CONFLICT)), onLost);
    // While it was made there was nothing to remove.
    task.signal.throwIfAborted();
    await engine.request((docker) => docker.getContainer(name).start().catch(unless(NOT_MODIFIED)), onLost);
    const code = await engine.request((docker) => waitForExit(docker, name), onLost);
    const output = await engine.request((docker) => docker.getContainer(name).logs({ stdout: true, stderr: true, follow: false }), onLost);
    return { outcome: { code, tail: String(output).replaceAll("\r\n", "\n").slice(-TAIL_CHARACTERS).trim() }, lostEngine };
  } finally {
    task.signal.removeEventListener("abort", onAbort);
    await remove();
  }
}

/** Install scripts fetch what was built for them, where the engine has a network to give. */
async function networkOf(docker: Docker): Promise<Network> {
  const networks = await docker.listNetworks({ filters: { name: ["bridge"] } });
  return networks.some(({ Name }) => Name === "bridge") ? "bridge" : "none";
}

function optionsOf(name: string, { argv: [program, ...args], image, folder, readOnly }: Task, limits: TaskLimits, network: Network): Docker.ContainerCreateOptions {
  const bind = (path: string, isReadOnly: boolean) => ({ Type: "bind" as const, Source: path, Target: path, ReadOnly: isReadOnly });
  const mounts = [...readOnly.map((path) => bind(path, true)), ...(folder === null ? [] : [bind(folder, false)])];
  return {
    name,
    Image: image ?? "",
    Entrypoint: [program],
    Cmd: args,
    User: userOf(),
    // One stream of what it prints, as it comes.
    Tty: true,
    WorkingDir: folder ?? SCRATCH_FOLDER,
    Env: [`HOME=${SCRATCH_FOLDER}`, "NO_COLOR=1", "PYTHONDONTWRITEBYTECODE=1"],
    Labels: { [LABELS.space]: limits.space, [LABELS.node]: limits.nodeId, [LABELS.purpose]: "install" },
    ...lockedDown({ ...limits, network, scratchMiB: TASK_MIB / 2, maxProcesses: TASK_PROCESSES }, { ramMiB: TASK_MIB, cpu: Infinity, mounts, logMiB: 1 }),
  };
}

/** A node service that is no root cannot give its files away: then the container has its user, who is unprivileged. */
function userOf(): string {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? WORKER_USER : `${uid}:${process.getgid?.() ?? uid}`;
}

function giveAway(folder: string): void {
  if (process.getuid?.() !== 0) return;
  const [uid, gid] = WORKER_USER.split(":").map(Number) as [number, number];
  chownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" })) lchownSync(join(folder, entry), uid, gid);
}
