/**
 * The program that runs a job for the extension, under the user's own Node: values are made and opened by one and the
 * same V8, and nothing of the user's code comes near the editor. One request, then it ends.
 */
import { existsSync, watch } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { bundleCapture, explainText, failureOf } from "burla/tools";
import * as v from "valibot";
import { claimFile, commandSchema, MAX_CURE_LENGTH, MAX_PROBLEM_LENGTH, requestSchema, type JobRequest, type Problem, type Request, type RunnerEvent } from "./messages.ts";
import { captureRef, startJob, type RunningJob } from "./run-job.ts";
import { placeOfProblem } from "./place.ts";
import { saveResults } from "./save.ts";
import { clip } from "./text.ts";

/** A window that is reloaded claims its runs within this time, with many extensions on a slow host too; a window that was closed does not. */
const CLAIM_TIMEOUT_MS = 75_000;

/** Resolves when the event is in the pipe. The extension being gone is no error: what is said then is lost. */
function say(event: RunnerEvent): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected !== true || process.send === undefined) return resolve();
    process.send(event, undefined, undefined, () => resolve());
  });
}

async function answer(request: Request): Promise<void> {
  switch (request.type) {
    case "explain": {
      const capture = await captureRef(request.file, request.fn);
      return say({ type: "explained", text: explainText(capture, await bundleCapture(capture)) });
    }
    case "save":
      return say({ type: "saved", rows: await saveResults(request) });
    case "run":
    case "attach":
      return runJob(request);
  }
}

async function runJob(request: JobRequest): Promise<void> {
  const state: { job?: RunningJob; isCancelled: boolean; cancelling?: Promise<void> | undefined } = { isCancelled: false };
  const cancel = () => {
    state.isCancelled = true;
    return (state.cancelling = state.job?.cancel());
  };
  process.on("message", (message) => {
    if (v.is(commandSchema, message)) void cancel();
  });
  process.once("disconnect", () => void goOnAlone(request, () => state.job, cancel));
  state.job = await startJob(request, say);
  if (state.isCancelled) await state.job.cancel();
  // The results end at once; the cluster has to hear of it before this program goes.
  await state.job.over.finally(() => state.cancelling?.catch(() => undefined));
}

/** The window has gone. */
async function goOnAlone({ outlivesWindow, spool }: JobRequest, job: () => RunningJob | undefined, cancel: () => Promise<void> | undefined): Promise<void> {
  const leaves = outlivesWindow || (await isClaimed(claimFile(spool)));
  if (leaves) await leave(job(), spool);
  else await cancel();
  process.exit();
}

/** The window that has claimed the run waits until nobody else writes to the spool: then the claim is taken away. */
async function leave(job: RunningJob | undefined, spool: string): Promise<void> {
  const leaving = job?.leave();
  leaving?.uploaded.catch(() => undefined);
  await leaving?.stopped.catch(() => undefined);
  await rm(claimFile(spool), { force: true });
  await leaving?.uploaded.catch(() => undefined);
}

function isClaimed(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const watcher = watch(dirname(file), () => look());
    const settle = (claimed: boolean) => {
      clearTimeout(timer);
      watcher.close();
      resolve(claimed);
    };
    const look = () => (existsSync(file) ? settle(true) : undefined);
    const timer = setTimeout(() => settle(false), CLAIM_TIMEOUT_MS);
    look();
  });
}

function problemOf(error: unknown): Problem {
  const { code, message, cure } = failureOf(error);
  return { code, message: clip(message, MAX_PROBLEM_LENGTH), cure: clip(cure, MAX_CURE_LENGTH), place: placeOfProblem(error) };
}

async function main(message: unknown): Promise<void> {
  try {
    await answer(v.parse(requestSchema, message));
    await say({ type: "ended", outcome: "done", problem: null });
  } catch (error) {
    const problem = problemOf(error);
    await say({ type: "ended", outcome: problem.code === "BURLA_CANCELLED" ? "cancelled" : "failed", problem });
  }
  process.exit();
}

process.once("message", (message) => void main(message));
