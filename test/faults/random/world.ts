/** The processes of some runs: a local cluster with a folder of its own, and the programs that use it. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TestCluster } from "../../support/cluster.ts";
import { Script, type ScriptEnd } from "../../support/script.ts";
import { pause, until } from "../../support/until.ts";
import type { JobPlan } from "./plan.ts";
import { Program } from "./program.ts";

const programText = (name: string) => readFileSync(fileURLToPath(new URL(`programs/${name}`, import.meta.url)), "utf8");
/** Far above what anything takes on a busy machine: only a hang is meant to be found. */
const CALM_MS = 120_000;
const DOWN_MS = 60_000;
const LOOK_MS = 100;
const CALM = `console.log((await remoteParallelMap((x) => x * 2, Array.from({ length: 20 }, (_, x) => x)).toArray()).join());`;
const CALM_SAYS = Array.from({ length: 20 }, (_, x) => x * 2).join();
const OPEN_PHASES: ReadonlySet<string> = new Set(["waiting", "running"]);
/** Beside one for each node: the one that asks, and one of a program that has just ended. */
const SPARE_SOCKETS = 3;

export class World {
  readonly cluster = new TestCluster("burla-faults-");
  /** Where calls write themselves down. */
  readonly records = join(this.cluster.home, "records");
  readonly #temporary = join(this.cluster.home, "tmp");
  readonly #programs = new Set<Program>();

  constructor() {
    for (const folder of [this.records, this.#temporary]) mkdirSync(folder, { recursive: true });
  }

  get #env(): Record<string, string> {
    return { TMPDIR: this.#temporary };
  }

  /** Starts a program that runs or attaches to a job. */
  start(job: JobPlan, records: string, attachTo: string | null): Program {
    const env = { ...this.#env, BURLA_FAULT_JOB: JSON.stringify({ job, records, attachTo }) };
    const script = job.language === "python" ? Script.python(this.cluster, programText("job.py"), { env }) : Script.start(this.cluster, programText("job.mjs"), { env });
    const program = new Program(script, attachTo === null ? job.view : "settled");
    this.#programs.add(program);
    return program;
  }

  /** After the last fault: the cluster works, is idle, and has kept nothing of what is over. @returns what is not so. */
  async settle(): Promise<string[]> {
    const { cluster } = this;
    const calm = Script.start(cluster, CALM, { env: this.#env });
    const end = await calm.ended(CALM_MS).catch((error: Error) => error);
    calm.kill();
    if (end instanceof Error) return [`a small job afterwards hangs: ${end.message}`];
    if (end.stdout.trim() !== CALM_SAYS) return [`a small job afterwards ended with ${describeEnd(end)}`];
    const complaints = [
      await complaint("jobs are over and nodes are ready", async () => {
        const { nodes, jobs } = await cluster.status();
        const busy = jobs.filter(({ phase }) => OPEN_PHASES.has(phase)).map(({ jobId, phase }) => `${jobId} is ${phase}`);
        return [...busy, ...nodes.filter(({ state }) => state !== "READY").map(({ nodeId, state }) => `${nodeId} is ${state}`), ...(nodes.length === 0 ? ["there is no node"] : [])];
      }),
      await complaint("there is one main, each node once, and nothing else", async () => {
        const { nodes } = await cluster.status();
        const count = (role: "main" | "node" | "other") => cluster.processes(role).length;
        return [
          ...(count("main") === 1 ? [] : [`${count("main")} mains`]),
          ...(count("node") === nodes.length ? [] : [`${count("node")} programs for ${nodes.length} nodes`]),
          ...cluster.processes("other").map(({ pid, command }) => `${pid} ${command}`),
        ];
      }),
      await complaint("main has no connection of programs that are gone", async () => {
        const { nodes } = await cluster.status();
        const sockets = descriptorsOf(cluster.main.pid).filter((target) => target.startsWith("socket:")).length;
        return sockets <= nodes.length + SPARE_SOCKETS ? [] : [`${sockets} sockets for ${nodes.length} nodes`];
      }),
    ];
    return complaints.flat();
  }

  /** What became of a job, as the cluster says. */
  async phaseOf(jobId: string): Promise<string | null> {
    return (await this.cluster.job(jobId).catch(() => null))?.phase ?? null;
  }

  /** `burla down`. @returns what is left behind. */
  async end(): Promise<string[]> {
    for (const program of this.#programs) program.kill();
    const down = Script.command(this.cluster, ["down", "--force"], { env: this.#env });
    const end = await down.ended(DOWN_MS).catch((error: Error) => error);
    down.kill();
    const complaints = end instanceof Error ? [`burla down hangs: ${end.message}`] : end.code === 0 ? [] : [`burla down ended with ${describeEnd(end)}`];
    const left = await complaint("no process is left", () => this.cluster.processes().map(({ pid, command }) => `${pid} ${command}`), DOWN_MS);
    return [...complaints, ...left, ...this.#filesLeft()];
  }

  /** Ends what is there, by force. */
  discard(): void {
    for (const program of this.#programs) program.kill();
    for (let round = 0; round < 3; round++) {
      for (const { pid } of this.cluster.processes()) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has just ended.
        }
      }
    }
    rmSync(this.cluster.home, { recursive: true, force: true, maxRetries: 5 });
  }

  #filesLeft(): string[] {
    const inCluster = readdirSync(this.cluster.directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isSocket() || entry.name.endsWith(".part") || entry.parentPath === join(this.cluster.directory, "nodes"))
      .map(({ parentPath, name }) => join(parentPath, name));
    const temporary = readdirSync(this.#temporary).map((name) => join(this.#temporary, name));
    return [...inCluster, ...temporary].map((path) => `the file ${path.slice(this.cluster.home.length + 1)}`);
  }
}

/** @returns what still keeps it from being so after a long while. */
async function complaint(what: string, look: () => string[] | Promise<string[]>, patienceMs = CALM_MS): Promise<string[]> {
  let last: string[] = [];
  try {
    await until(what, async () => {
      // A cluster that does not answer now may do so in a moment.
      last = await Promise.resolve(look()).catch((error: Error) => [error.message]);
      if (last.length > 0) await pause(LOOK_MS);
      return last.length === 0;
    }, patienceMs);
    return [];
  } catch {
    return last;
  }
}

function describeEnd({ code, signal, stdout, stderr }: ScriptEnd): string {
  return `${signal ?? code ?? ""}: ${`${stdout}\n${stderr}`.trim().slice(-600)}`;
}

/** What the descriptors of a process stand for. */
export function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
