/** The benchmark suite: every scenario on every system, one after another, on this machine. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { stepsPerMs } from "./harness/calibrate.ts";
import { describeContext } from "./harness/context.ts";
import { measureEfficiency, type References } from "./harness/efficiency.ts";
import { measureFirstResult } from "./harness/first-result.ts";
import { type Job, measure, type Measurement } from "./harness/measure.ts";
import { mergeFigures, type Figures } from "./harness/merge.ts";
import { ProcessGroup } from "./harness/processes.ts";
import { untilQuiet } from "./harness/quiet.ts";
import type { Context, Note, Row } from "./harness/results.ts";
import { suiteId } from "./harness/runner-process.ts";
import { scenarioNotes, scenarioTable } from "./harness/table.ts";
import { scenarios } from "./scenarios/index.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { PRODUCT } from "./targets.ts";
import { buildRunners, builtRunner } from "./setup/build-runners.ts";
import { preparePeer, pythonProgram, type System, systemNames } from "./setup/peers.ts";

interface Options {
  readonly only?: string[];
  readonly systems?: string[];
  readonly quick: boolean;
  readonly output: string;
  readonly add: boolean;
}

function readOptions(): Options {
  const list = (text: string) => text.split(",");
  return new Command("npm run bench --")
    .option("--only <scenarios>", `some of: ${scenarios.map(({ name }) => name).join(",")}`, list)
    .option("--systems <names>", `some of: ${systemNames.join(",")}`, list)
    .option("--quick", "smaller numbers, for a look", false)
    .option("--add", "put the figures among those that are there, instead of replacing all of them", false)
    .option("--output <file>", "where the figures go", join(import.meta.dirname, "results/latest.json"))
    .parse()
    .opts<Options>();
}

function chosenScenarios(only: readonly string[] | undefined): readonly Scenario[] {
  const unknown = only?.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new Error(`No scenario "${unknown}". There are: ${scenarios.map(({ name }) => name).join(", ")}`);
  return scenarios.filter(({ name }) => only?.includes(name) ?? true);
}

async function prepare(names: readonly string[], notes: Note[]): Promise<System[]> {
  const ready: System[] = [];
  for (const name of names) {
    const peer = await preparePeer(name);
    if ("reason" in peer) {
      notes.push({ scenario: "all", system: name, text: `cannot be had here: ${peer.reason}` });
      console.log(`${name.padEnd(12)} cannot be had here: ${peer.reason}`);
    } else {
      console.log(`${name.padEnd(12)} ${peer.version}`);
      ready.push(peer);
    }
  }
  return ready;
}

/** Bare loops, and what is known of the speed of each language on this machine. */
async function calibrate(systems: readonly System[]) {
  const python = systems.find(({ language }) => language === "python")?.program.command;
  const references: References = {
    javascript: { command: process.execPath, args: [builtRunner("reference")], env: {} },
    python: pythonProgram(python ?? "python3", "reference.py"),
  };
  const speed = {
    javascript: await stepsPerMs(references.javascript),
    python: python === undefined ? NaN : await stepsPerMs(references.python),
  };
  return { references, speed };
}

/** A scenario with a runner of its own is about the product alone. */
function systemsFor(scenario: Scenario, systems: readonly System[]): readonly System[] {
  const { runner } = scenario;
  if (runner === undefined) return systems;
  const program = { command: process.execPath, args: [builtRunner(runner)], env: {} };
  return systems.filter(({ name }) => name === PRODUCT).map((system) => ({ ...system, program }));
}

async function runOne(job: Job, references: References): Promise<Measurement> {
  if (job.scenario.procedure === "first-result") return measureFirstResult(job);
  if (job.scenario.procedure === "spin") return measureEfficiency(job, references);
  return measure(job);
}

function contextFile(file: string): string {
  return file.replace(/\.json$/, "-context.json");
}

function load(file: string): Figures | null {
  if (!existsSync(file)) return null;
  return { rows: JSON.parse(readFileSync(file, "utf8")) as Row[], context: JSON.parse(readFileSync(contextFile(file), "utf8")) as Context };
}

function save(file: string, earlier: Figures | null, measured: Figures): void {
  const { rows, context } = earlier === null ? measured : mergeFigures(earlier, measured, systemNames);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `[\n${rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n")}\n]\n`);
  writeFileSync(contextFile(file), `${JSON.stringify(context, null, 2)}\n`);
}

/** An interrupted suite leaves no server of a peer behind. */
function clearWhenInterrupted(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void new ProcessGroup(suiteId()).killAll().then(() => process.exit(130)));
  }
}

async function main(): Promise<void> {
  const options = readOptions();
  clearWhenInterrupted();
  const chosen = chosenScenarios(options.only);
  const notes: Note[] = [];
  const rows: Row[] = [];
  const earlier = options.add ? load(options.output) : null;
  await buildRunners();
  const systems = await prepare(options.systems ?? systemNames, notes);
  await untilQuiet();
  const { references, speed } = await calibrate(systems);
  for (const scenario of chosen) {
    for (const system of systemsFor(scenario, systems)) {
      if (!(await untilQuiet())) notes.push({ scenario: scenario.name, system: system.name, text: "the machine was not idle before it" });
      const numbers = options.quick ? scenario.quick : scenario.full;
      const timeoutMs = options.quick ? scenario.timeoutMs.quick : scenario.timeoutMs.full;
      const job = { scenario, system, params: { ...numbers, stepsPerMs: speed[system.language] }, timeoutMs };
      process.stderr.write(`${scenario.name} on ${system.name} … `);
      const start = performance.now();
      const measured = await runOne(job, references);
      process.stderr.write(`${((performance.now() - start) / 1000).toFixed(0)} s\n`);
      rows.push(...measured.rows);
      notes.push(...measured.notes);
      save(options.output, earlier, { rows, context: describeContext(systems, options.quick, notes) });
    }
    console.log(scenarioTable(scenario, rows));
    console.log(scenarioNotes(scenario, notes));
  }
}

await main();
