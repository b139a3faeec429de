/**
 * Imports case scripts, captures the functions that they hand to `check(title, fn, ...inputs)`, bundles them, and writes
 * for each what it gave here. `load-bundles.mjs` does the same with the bundles, in a process of its own.
 *
 * Arguments: folder to write to, then the case scripts.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { bundleCapture } from "../bundle.ts";
import { CaptureError, captureFunction, type Capture } from "../capture.ts";

type AnyFunction = (...args: unknown[]) => unknown;

interface Check {
  title: string;
  inputs: unknown[];
  capture: Capture | CaptureError;
  /** What the function gives here, asked for right after the capture. */
  local: Promise<string>[];
}

/** What the test compares, by case and title. */
export interface CaseReport {
  folder: string;
  title: string;
  /** The results, or the refusal. */
  local: string[] | undefined;
  refusal: string | undefined;
  externals: string[];
}

export async function outcome(fn: AnyFunction, input: unknown): Promise<string> {
  try {
    return inspect(await fn(input, { index: 0 }), { depth: 12, sorted: false });
  } catch (error) {
    return `throws ${(error as Error).name}: ${(error as Error).message}`;
  }
}

async function runCase(script: string, directory: string): Promise<CaseReport[]> {
  const checks: Check[] = [];
  const folder = basename(dirname(script));
  const check = (title: string, fn: AnyFunction, ...inputs: unknown[]) => {
    const capture = tryCapture(fn, script);
    const local = capture instanceof CaptureError ? [] : inputs.map((input) => outcome(fn, input));
    checks.push({ title, inputs, capture, local });
  };
  // A getter, so that a case's own functions that name it do not close over it.
  Object.defineProperty(globalThis, "check", { get: () => check, configurable: true });
  await import(pathToFileURL(script).href);
  const reports: CaseReport[] = [];
  for (const check of checks) reports.push(await runCheck(check, folder, join(directory, `${folder}-${reports.length}`)));
  return reports;
}

async function runCheck(check: Check, folder: string, target: string): Promise<CaseReport> {
  const { title, inputs, capture } = check;
  const base = { folder, title, externals: [] as string[] };
  try {
    if (capture instanceof CaptureError) throw capture;
    const bundle = await bundleCapture(capture);
    await mkdir(target, { recursive: true });
    await writeFile(join(target, "bundle.mjs"), bundle.code);
    await writeFile(join(target, "values"), capture.values);
    const externals = bundle.externals.map(({ name, version, directory }) => ({ name, version, directory }));
    await writeFile(join(target, "check.json"), JSON.stringify({ folder, title, inputs, externals }));
    const local = await Promise.all(check.local);
    return { ...base, local, refusal: undefined, externals: externals.map(({ name }) => name) };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { ...base, local: undefined, refusal: error.message };
  }
}

function tryCapture(fn: AnyFunction, script: string): Capture | CaptureError {
  try {
    return captureFunction(fn, { entryScript: script, directory: dirname(script) });
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
}

const [directory, ...scripts] = process.argv.slice(2) as [string, ...string[]];
const reports: CaseReport[] = [];
for (const script of scripts) {
  try {
    reports.push(...(await runCase(script, directory)));
  } catch (error) {
    reports.push({ folder: basename(dirname(script)), title: "(the script)", local: undefined, refusal: `HARNESS ${(error as Error).stack}`, externals: [] });
  }
}
await writeFile(join(directory, "reports.json"), JSON.stringify(reports));
process.exit(0);
