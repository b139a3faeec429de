/** `burla run`: a function of a file over inputs from files, results on stdout. */
import { Option, type Command } from "commander";
import { BurlaError } from "@burla/protocol";
import { mapCapture } from "../../map-capture.ts";
import { compileOptions, SETUP_TIMEOUT_MS, type CompiledOptions } from "../../options.ts";
import type { JobOutput } from "../../output.ts";
import type { MapOptions } from "../../types.ts";
import { controlOf } from "../../control/requests.ts";
import { EXIT, type ExitCode, type EndWith } from "../exit-codes.ts";
import { captureNamed, parseFunctionName } from "../function-file.ts";
import type { ReadMode } from "../inputs/files.ts";
import { FORMATS, openInputs, type InputFormat } from "../inputs/inputs.ts";
import { createJobView } from "../job-view.ts";
import { clusterOption, definedOnly, jsonOption, parseCount, parseNumber, parseVariable, viewOptions, type ClusterOptions } from "../options.ts";
import { readJob } from "../read-job.ts";
import { ResultLines, type ResultFlags } from "../results.ts";
import type { Terminal } from "../terminal.ts";

interface RunFlags extends ClusterOptions, ResultFlags {
  readonly inputs: string[];
  readonly format?: InputFormat;
  readonly read?: ReadMode;
  readonly limit?: number;
  readonly cpu?: number;
  readonly ram?: string;
  readonly image?: string;
  readonly grow?: number;
  readonly maxParallelism?: number;
  readonly concurrency?: number;
  readonly retries?: number;
  readonly timeoutMs?: number;
  readonly onError: "throw" | "continue";
  readonly order: "completion" | "input";
  readonly setup?: string;
  readonly setupTimeoutMs?: number;
  readonly lookahead?: number;
  readonly env?: Record<string, string>;
  readonly name?: string;
  readonly detach?: boolean;
}

const HELP = `
Inputs:
  data.ndjson, .jsonl     one JSON value per line, streamed
  data.json               a JSON array, each element one input
  data.csv, .tsv          one object per row, keys from the first row, values as text; streamed
  'docs/**/*.md'          each file one input: its path, or with --read what is in it
  -                       NDJSON from stdin
  --format overrides what the name says.

Results, one line of JSON each, as they complete:
  {"index":0,"value":...}   or, with --values, the value alone
  {"index":1,"error":{"name":"RangeError","message":"...","stack":"..."}}

Examples:
  $ burla run score.ts#score --inputs documents.ndjson > scores.ndjson
  $ burla run resize.ts --inputs 'photos/*.jpg' --ram 2GiB --on-error continue
  $ burla run clean.ts#clean --inputs rows.csv --order input --values | jq .total
  $ tail -f urls.ndjson | burla run fetch.ts#fetchPage --inputs - --concurrency 50
  $ burla run train.ts#fold --inputs folds.json --detach

Ctrl-C cancels the job; a second one ends the program at once.`;

export function addRun(program: Command, terminal: Terminal, endWith: EndWith): void {
  const command = program
    .command("run")
    .summary("run a function over inputs, results on stdout")
    .description("Run a function of a TypeScript or JavaScript file over inputs on the cluster, and print the results as NDJSON.\nProgress and what the function prints go to stderr.")
    .argument("<function>", "file.ts#function; file.ts alone is its default export")
    .requiredOption("--inputs <source...>", "file, pattern of files, or - for stdin")
    .addOption(new Option("--format <format>", "how the source holds the inputs").choices(FORMATS))
    .addOption(new Option("--read <how>", "for files as inputs: pass their content").choices(["text", "json", "buffer"]))
    .option("--limit <n>", "only the first n inputs", parseCount)
    .addOption(new Option("--order <order>", "results in order of completion, or of the inputs").choices(["completion", "input"]).default("completion"))
    .addOption(new Option("--on-error <how>", "stop at the first failure, or run every input").choices(["throw", "continue"]).default("throw"))
    .option("--values", "print only the values")
    .option("--cpu <n>", "processors for one call (default: 1)", parseNumber)
    .option("--ram <amount>", "memory for one call, such as 2GiB or 512MiB")
    .option("--image <name>", "image of the containers, one that the cluster spec names")
    .option("--grow <n>", "nodes that the cluster may add for this job (default: 0)", parseNumber)
    .option("--max-parallelism <n>", "calls at once over the whole cluster", parseNumber)
    .option("--concurrency <n>", "calls at once in one worker, for work that mostly waits (default: 1)", parseNumber)
    .option("--retries <n>", "further calls after an error (default: 0)", parseNumber)
    .option("--timeout-ms <n>", "longest time of one call", parseNumber)
    .option("--setup <function>", "a function of the same file that runs once in each worker; its result is context.worker")
    .option("--setup-timeout-ms <n>", "longest time of --setup in one worker (default: 600000)", parseNumber)
    .option("--lookahead <n>", "inputs that may have been read whose results were not printed", parseNumber)
    .option("--env <name=value>", "environment variable of the calls; repeatable; NAME alone passes on its value here", parseVariable)
    .option("--name <name>", "what the job is called (default: the function's name)")
    .option("--detach", "print the job's id when all inputs are sent, and end; `burla attach` collects the results");
  for (const option of [...viewOptions(), clusterOption(), jsonOption()]) command.addOption(option);
  command.addHelpText("after", HELP).action(async (text: string, flags: RunFlags) => endWith(await run(text, flags, terminal)));
}

async function run(text: string, flags: RunFlags, terminal: Terminal): Promise<ExitCode> {
  const functionName = parseFunctionName(text);
  const compiled = compileOptions(mapOptions(flags));
  const inputs = await openInputs({ names: flags.inputs, format: flags.format, read: flags.read, limit: flags.limit, stdin: terminal.stdin });
  const capture = await captureNamed({ ...functionName, setup: flags.setup });
  const view = createJobView(terminal, compiled.name ?? capture.name, flags);
  const setupTimeoutMs = flags.setup === undefined ? null : (flags.setupTimeoutMs ?? SETUP_TIMEOUT_MS);
  const options: CompiledOptions = { ...compiled, setupTimeoutMs, onLog: (line) => view.line(line), progress: (progress) => view.progress(progress) };
  const stream = mapCapture<unknown>(capture, inputs, options);
  const leave = async () => {
    await stream.cancel();
    await confirmCancelled(stream.jobId, flags.cluster);
  };
  if (compiled.detach) return detach(stream, { terminal, view, leave, json: flags.json === true });
  stream.begin(compiled.onError);
  const results = new ResultLines({ terminal, view, flags, name: compiled.name ?? capture.name });
  const exitCode = await readJob(stream, { terminal, view, results, leave, farewell: "burla: cancelling the job (Ctrl-C again ends at once)" });
  if (exitCode === EXIT.failed && compiled.onError === "throw" && flags.json !== true) {
    terminal.say("  The job stopped at its first failure; --on-error continue runs every input.");
  }
  return exitCode;
}

function mapOptions(flags: RunFlags): MapOptions {
  const { image, cpu, grow, maxParallelism, concurrency, order, onError, retries, timeoutMs, setupTimeoutMs, lookahead, detach, name, env, cluster } = flags;
  const ram = flags.ram !== undefined && /^[\d.]+$/.test(flags.ram) ? Number(flags.ram) : flags.ram;
  return definedOnly({ image, cpu, ram, grow, maxParallelism, concurrency, order, onError, retries, timeoutMs, setupTimeoutMs, lookahead, detach, name, env, cluster });
}

interface DetachOptions {
  readonly terminal: Terminal;
  readonly view: JobOutput;
  readonly leave: () => Promise<void>;
  readonly json: boolean;
}

/** Waits until the cluster has all inputs: from then on it needs this program no more. */
async function detach(stream: { readonly jobId: string; readonly uploaded: Promise<void> }, { terminal, view, leave, json }: DetachOptions): Promise<ExitCode> {
  const early: { exitCode?: ExitCode; left?: Promise<void> } = {};
  const stop = terminal.onInterrupt((exitCode) => {
    terminal.say("burla: cancelling the job: not all of its inputs were sent");
    Object.assign(early, { exitCode, left: leave() });
  });
  try {
    await stream.uploaded;
  } catch (error) {
    if (early.exitCode === undefined) throw error;
  } finally {
    await early.left;
    view.clear();
    stop();
  }
  if (early.exitCode !== undefined) return early.exitCode;
  await terminal.line(json ? JSON.stringify({ jobId: stream.jobId }) : stream.jobId);
  return EXIT.ok;
}

/** The stream has asked to cancel; this asks again over a way that answers, so that nothing is left behind. */
async function confirmCancelled(jobId: string, cluster: string | undefined): Promise<void> {
  try {
    await controlOf(cluster).cancelJob(jobId);
  } catch (error) {
    // The cluster never knew the job, or is gone: either way nothing runs.
    if (!(error instanceof BurlaError)) throw error;
  }
}
