/** Sessions of the built program, under this Node, and what their cells tell. */
import { fileURLToPath } from "node:url";
import { startNodeSession, type ArmedRun, type KernelEvent, type LiveKernel, type NodeSessionOptions } from "@burla/kernel-bridge";
import { run } from "../contract/live-kernel.ts";

const built = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export function startSession(directory: string, options: Partial<NodeSessionOptions> = {}): Promise<LiveKernel> {
  return startNodeSession({
    program: built("extension/dist/session.mjs"),
    burla: built("client/dist/index.js"),
    nodePath: process.execPath,
    directory,
    language: "typescript",
    ...options,
  });
}

export const armedRun: ArmedRun = { cellId: "the-cell", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null };

/** Runs a cell on the cluster. */
export async function runArmed(session: LiveKernel, code: string, run_: Partial<ArmedRun> = {}): Promise<KernelEvent[]> {
  const armed = { ...armedRun, ...run_ };
  await session.arm(armed);
  return run(session, code, { cellId: armed.cellId });
}

/** The error of an execution as one text: what a user reads. */
export function errorText(events: readonly KernelEvent[]): string {
  return events.flatMap((event) => (event.type === "error" ? event.traceback : [])).join("\n");
}

/** Without colours. */
export function plain(text: unknown): string {
  return String(text).replaceAll(/\u001b\[\d+m/g, "");
}
