/** What runs came to, for people: one line a run, a table at the end, and all that is known of a run that was bad. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FAULT_KINDS, PHASES, type Fault, type Plan, type PlanOptions } from "./plan.ts";
import { WRONGS, type History, type Wrong } from "./oracle.ts";
import type { Moment, Played } from "./run.ts";
import { descriptorsOf, type World } from "./world.ts";

const ARTEFACTS = fileURLToPath(new URL("../../artefacts", import.meta.url));
const MAX_LOG_CHARS = 20_000;

export interface RunReport {
  readonly plan: Plan;
  readonly history: History;
  readonly wrongs: readonly Wrong[];
  readonly tookMs: number;
}

/** Repeats the same jobs and faults. */
export function commandOf(seed: number, { isShort = false, without = [] }: PlanOptions): string {
  const options = [`--seed ${seed}`, "--runs 1", ...(isShort ? ["--short"] : []), ...(without.length > 0 ? [`--without ${without.join()}`] : [])];
  return `npm run faults -- ${options.join(" ")}`;
}

export const textOf = ({ atMs, text }: Moment) => `${String(atMs).padStart(7)} ms  ${text}`;

export function lineOf({ plan, history, wrongs, tookMs }: RunReport): string {
  const faults = history.struck.map(({ kind, phase }) => `${kind} ${phase}`).join(", ") || "no fault";
  const inputs = history.jobs.map(({ readings }) => readings.at(-1)?.reads.length ?? 0).join(" + ");
  const verdict = wrongs.length === 0 ? "well" : wrongs.map(({ kind, count, job, detail }) => `${count} ${kind}${job === null ? "" : ` in job ${job}`} (${detail})`).join("; ");
  return `seed ${plan.seed}: ${inputs} results, ${(tookMs / 1000).toFixed(1)} s, ${faults}: ${verdict}`;
}

/** Counts of many runs. */
export class Tally {
  readonly #reports: RunReport[] = [];
  readonly #leftovers: string[] = [];

  add(report: RunReport): void {
    this.#reports.push(report);
  }

  /** Of the last cluster, when the time was over before its last run. */
  addLeftovers(leftovers: readonly string[]): void {
    this.#leftovers.push(...leftovers);
  }

  /** What was wrong, for a person; empty when all was well. */
  get complaints(): string[] {
    const bad = this.#reports.filter(({ wrongs }) => wrongs.length > 0).map(lineOf);
    return [...bad, ...this.#leftovers.map((left) => `left behind: ${left}`)];
  }

  get runs(): number {
    return this.#reports.length;
  }

  /** Markdown. */
  get text(): string {
    const struck = this.#reports.flatMap(({ history }) => history.struck);
    const wrongs = this.#reports.flatMap((report) => report.wrongs);
    const leftBehind = (kind: Wrong["kind"]) => (kind === "left behind" ? this.#leftovers.length : 0);
    const sum = (kind: Wrong["kind"]) => wrongs.filter((wrong) => wrong.kind === kind).reduce((total, { count }) => total + count, leftBehind(kind));
    const results = this.#reports.flatMap(({ history }) => history.jobs).reduce((total, { readings }) => total + (readings.at(-1)?.reads.length ?? 0), 0);
    const jobs = this.#reports.reduce((total, { plan }) => total + plan.jobs.length, 0);
    return [
      `${this.#reports.length} runs, ${jobs} jobs, ${results} results, ${this.#repeated} calls repeated, ${struck.length} faults from outside, ${this.#inCalls} in calls.`,
      `${WRONGS.map((kind) => `${kind}: ${sum(kind)}`).join(", ")}.`,
      "",
      `| fault | ${PHASES.join(" | ")} | lost | doubled | other |`,
      `| --- |${" ---: |".repeat(PHASES.length + 3)}`,
      ...FAULT_KINDS.map((kind) => {
        const counts = PHASES.map((phase) => struck.filter((fault) => fault.kind === kind && fault.phase === phase).length);
        return `| ${[kind, ...counts, ...this.#wrongsWith((fault) => fault.kind === kind)].join(" | ")} |`;
      }),
    ].join("\n");
  }

  /** In runs with such a fault. */
  #wrongsWith(fits: (fault: Fault) => boolean): [lost: number, doubled: number, other: number] {
    const wrongs = this.#reports.filter(({ history }) => history.struck.some(fits)).flatMap(({ wrongs: some }) => some);
    const of = (kind: string) => wrongs.filter((wrong) => wrong.kind === kind).reduce((total, { count }) => total + count, 0);
    return [of("lost"), of("doubled"), wrongs.filter(({ kind }) => kind !== "lost" && kind !== "doubled").length];
  }

  get #inCalls(): number {
    return this.#reports.flatMap(({ plan }) => plan.jobs).reduce((total, { exitsAt, exhaustsAt }) => total + exitsAt.length + exhaustsAt.length, 0);
  }

  get #repeated(): number {
    return this.#reports.flatMap(({ history }) => history.jobs).reduce((total, { calls }) => {
      const begun = calls.filter(({ what }) => what === "begin").map(({ index }) => index);
      return total + begun.length - new Set(begun).size;
    }, 0);
  }
}

/** Writes down all of a bad run. @returns where. */
export function writeDown(report: RunReport, { story, states }: Pick<Played, "story" | "states">): string {
  const folder = join(ARTEFACTS, `faults-seed-${report.plan.seed}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "story.txt"), [lineOf(report), ...story.map(textOf), ""].join("\n"));
  writeFileSync(join(folder, "plan.json"), JSON.stringify(report.plan, null, 2));
  writeFileSync(join(folder, "history.json"), JSON.stringify(report.history));
  for (const [at, state] of states.entries()) writeFileSync(join(folder, `state-${at}.txt`), state);
  return folder;
}

/** The cluster as it stands: its status, its logs, and what its processes do. */
export async function describeWorld({ cluster }: World): Promise<string> {
  const status = await Promise.race([cluster.status(), new Promise((resolve) => setTimeout(() => resolve("main does not answer"), 5_000))]).catch(String);
  const processes = cluster.processes().map(({ pid, role, command }) => `${pid} ${role} ${command}\n${threadsOf(pid).join("\n")}\n  ${descriptorsOf(pid).join(" ")}`);
  const logs = readdirSync(cluster.directory, { recursive: true, encoding: "utf8" })
    .filter((name) => /(main|node)\.log$/.test(name))
    .map((name) => `--- ${name}\n${read(join(cluster.directory, name)).slice(-MAX_LOG_CHARS)}`);
  return [JSON.stringify(status, null, 1), ...processes, ...logs].join("\n\n");
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      const of = (file: string) => read(`/proc/${pid}/task/${thread}/${file}`).trim();
      return `  ${thread} ${of("comm")} ${/\) (\w)/.exec(of("stat"))?.[1] ?? ""} ${of("wchan")}`;
    });
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
