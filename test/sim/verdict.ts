/** What must have come of a schedule. */
import type { JobId } from "@burla/protocol";
import type { SimClient } from "./client.ts";
import type { Outcome } from "./messages.ts";
import type { Call } from "./plan.ts";
import type { SimJob, World } from "./world.ts";

/** Node losses that may add up to one input being given up, though it did no harm. */
const INNOCENT_LOSSES = 8;

/** @throws Error unless each input of a job was answered exactly once, by what its call came to. */
export function checkJob(world: World, jobId: JobId, { plan, owner, reader }: SimJob): void {
  for (const client of [owner, reader]) {
    if (client === null) continue;
    checkOutcomes(world, jobId, client);
    if (!client.isDead) checkEnd(world, jobId, client, owner.isDead);
  }
  const attached = reader?.finished?.outcome === "done" || owner.finished?.outcome === "done";
  world.expect(!attached || plan.calls.length >= owner.taken.size, () => `${jobId} has more answers than inputs`);
}

function checkEnd(world: World, jobId: JobId, client: SimClient, ownerDied: boolean): void {
  const { plan, finished, refused, taken } = client;
  if (refused) return world.expect(!client.feeds, () => `${jobId} was refused`);
  if (finished === null) throw new Error(`${jobId} has not ended: ${describe(world, jobId)}`);
  const mayFail = plan.spec.onError === "throw" && plan.calls.some(mayEndBadly);
  switch (finished.outcome) {
    case "cancelled":
      return world.expect(plan.cancelMs !== null || plan.spec.parent !== null, () => `${jobId} was cancelled: ${finished.reason}`);
    case "failed":
      return world.expect(mayFail || ownerDied || world.nodesLost > INNOCENT_LOSSES, () => `${jobId} failed: ${finished.reason}`);
    case "done":
      world.expect(taken.size === plan.calls.length, () => `${jobId} is done with ${taken.size} answers to ${plan.calls.length} inputs`);
  }
}

function checkOutcomes(world: World, jobId: JobId, { taken, plan }: SimClient): void {
  for (const [index, outcome] of taken) {
    const call = plan.calls[index];
    if (call === undefined) throw new Error(`${jobId}: an answer to input ${index}, which was never pushed`);
    world.expect(fits(world, plan.spec, call, outcome), () => `${jobId}: input ${index}, which ${call.kind}, came to "${outcome}"`);
  }
}

function mayEndBadly(call: Call): boolean {
  return call.kind !== "ok";
}

function fits(world: World, { retries, timeoutMs }: { retries: number; timeoutMs: number | null }, call: Call, outcome: Outcome): boolean {
  if (outcome === "gaveUp" && world.nodesLost > INNOCENT_LOSSES) return true;
  switch (call.kind) {
    case "ok":
      return outcome === "ok";
    case "throws":
      return outcome === (call.times <= retries ? "ok" : "error") || (outcome === "ok" && call.times < Infinity);
    case "kills":
      return outcome === "ok" ? call.times < Infinity : outcome === "gaveUp";
    case "hangs":
      return outcome === "timeout";
    case "spawns":
      return outcome === "ok" || outcome === "error" || (outcome === "timeout" && timeoutMs !== null);
  }
}

/** @throws Error if anything is left in the core that belongs to nobody. */
export function checkQuiet(world: World): void {
  const { main } = world;
  if (main === null) throw new Error("main did not come back");
  const { state } = main;
  for (const job of state.jobs.values()) {
    world.expect(job.phase === "interrupted", () => `${job.id} is left over: ${describe(world, job.id)}`);
  }
  for (const node of state.nodes.values()) {
    world.expect(node.grants.size === 0 && node.connected, () => `${node.id} holds ${node.grants.size} grants of nobody, connected: ${node.connected}`);
  }
  const deadlines = state.nodes.size + 2;
  world.expect(state.deadlines.size <= deadlines, () => `${state.deadlines.size} deadlines are left of ${deadlines}`);
}

/** For the reader of a failure. */
function describe(world: World, jobId: JobId): string {
  const state = world.main?.state;
  const job = state?.jobs.get(jobId);
  if (job === undefined || state === undefined) return "main does not know it";
  const { phase, client, abandoned, pushedInputs, totalInputs, answeredInputs, readyInputs, grantedInputs, workers, usableWorkers, creditInputs, ackedInputs } = job;
  const nodes = [...state.nodes.values()].map((node) => ({
    id: node.id, connected: node.connected, ready: node.ready, rootId: node.rootId, draining: node.draining, grants: node.grants.size, jobs: [...node.jobs.keys()],
  }));
  return JSON.stringify({
    job: { phase, client, abandoned, pushedInputs, totalInputs, answeredInputs, readyInputs, grantedInputs, delayed: job.delayed.size, workers, usableWorkers, creditInputs, ackedInputs, takers: job.takers.size },
    nodes,
  });
}
