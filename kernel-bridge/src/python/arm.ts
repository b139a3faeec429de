/**
 * Arms one cell of a Python kernel. Code and answer are text, so that it is the same whoever runs the code: a kernel of
 * this package, or the Jupyter extension by its public API.
 */
import * as v from "valibot";
import { BurlaError } from "@burla/protocol";
import { within } from "../deadline.ts";
import type { ArmedRun, KernelEvent, LiveKernel } from "../kernel.ts";
import type { PythonSources } from "./sources.ts";

const ARM_TIMEOUT_MS = 30_000;
const ANSWER = "burla-answer:";

const answerSchema = v.object({ ok: v.boolean(), needs: v.nullable(v.picklist(["sources", "cloudpickle"])), message: v.string() });

export interface PythonClient {
  readonly sources: PythonSources;
  /** Starts the `burla` command line, for a local cluster on demand. */
  readonly command: readonly string[];
}

/** Runs code in the kernel. @returns what it wrote to stdout. */
export type RunCode = (code: string) => Promise<string>;

/** @throws BurlaError BURLA_KERNEL when the kernel cannot run cells on a cluster; the cure says what to install. */
export async function armWith(runCode: RunCode, run: ArmedRun, client: PythonClient): Promise<void> {
  let answer = await ask(runCode, codeFor(run, client, { withSources: false }));
  if (answer.needs === "sources") answer = await ask(runCode, codeFor(run, client, { withSources: true }));
  if (answer.ok) return;
  if (answer.needs === "cloudpickle") throw new BurlaError("BURLA_KERNEL", `this kernel has no cloudpickle, by which functions travel: ${answer.message}`, { cure: "Install it in the kernel's environment: `pip install cloudpickle`." });
  throw new BurlaError("BURLA_KERNEL", `this kernel cannot run cells on a cluster: ${answer.message}`, { cure: "Cells run on a cluster from ipykernel 6 or later, with Python 3.9 or later." });
}

/** The same for a kernel of this package. @throws BurlaError BURLA_KERNEL */
export function armPython(kernel: LiveKernel, run: ArmedRun, client: PythonClient): Promise<void> {
  return within(armWith((code) => stdoutOf(kernel.execute(code, { silent: true })), run, client), ARM_TIMEOUT_MS, "preparing the kernel", "Stop what runs in the kernel, or restart it.");
}

async function stdoutOf(events: AsyncIterable<KernelEvent>): Promise<string> {
  let text = "";
  for await (const event of events) {
    if (event.type === "stream" && event.name === "stdout") text += event.text;
    if (event.type === "error") throw new BurlaError("BURLA_KERNEL", `the kernel did not take the cell: ${event.name}: ${event.message}`);
    if (event.type === "ended" && event.outcome === "lost") throw new BurlaError("BURLA_KERNEL", "the kernel died or was restarted");
  }
  return text;
}

async function ask(runCode: RunCode, code: string): Promise<v.InferOutput<typeof answerSchema>> {
  const stdout = await runCode(code);
  const line = stdout.split("\n").findLast((candidate) => candidate.startsWith(ANSWER));
  if (line === undefined) throw new BurlaError("BURLA_KERNEL", "the kernel did not answer as a Python kernel does");
  return v.parse(answerSchema, JSON.parse(line.slice(ANSWER.length)));
}

function codeFor(run: ArmedRun, { sources, command }: PythonClient, { withSources }: { withSources: boolean }): string {
  const request = { version: sources.version, run, client: command, workerHalf: sources.workerHalf, sources: withSources ? sources.modules : null };
  // JSON text in a string of JSON is a string of Python, too.
  return `_burla_request = __import__("json").loads(${JSON.stringify(JSON.stringify(request))})\n${sources.bootstrap}`;
}
