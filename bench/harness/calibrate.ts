/** How many steps of the busy loop a processor does in a millisecond, measured with bare processes. */
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import type { Program } from "./runner-process.ts";

const run = promisify(execFile);

/** Calls of the reference, each of about 10 ms. */
const CALLS = 100;
const TRIES = 3;

/**
 * Processor milliseconds for one step, with one bare process on every processor at once, since processors that all
 * work are slower than one alone.
 */
export async function cpuMsPerStep(reference: Program, stepsPerCall: number): Promise<number> {
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const args = [...reference.args, String(stepsPerCall), String(CALLS)];
  const runs = Array.from({ length: availableParallelism() }, () => run(reference.command, args, { env }));
  const times = (await Promise.all(runs)).map(({ stdout }) => (JSON.parse(stdout) as { cpuMs: number }).cpuMs);
  return times.reduce((sum, ms) => sum + ms, 0) / times.length / (stepsPerCall * CALLS);
}

/** Steps for one millisecond of processor time: the best of several, since other guests of the machine only slow it. */
export async function stepsPerMs(reference: Program): Promise<number> {
  const rough = 1 / (await cpuMsPerStep(reference, 10_000));
  let best = Infinity;
  for (let i = 0; i < TRIES; i++) best = Math.min(best, await cpuMsPerStep(reference, Math.round(rough * 10)));
  return Math.round(1 / best);
}
