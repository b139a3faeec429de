/**
 * Which nodes change hands: those whose tree is done with them, those that nobody uses, and, where jobs wait and trees
 * have more than their even share, those that are asked back. A node asked back finishes what it has begun.
 */
import type { JobId } from "@burla/protocol";
import { comesBefore, missingWorkers, tenantsOf, treeOf } from "./assign.ts";
import type { Command } from "./events.ts";
import { drainNode, holdsNothing, releaseNode, unassignNode, workersOn } from "./nodes.ts";
import type { CoreState, Job, Node } from "./state.ts";

/** A node for which its tree has had nothing for this long may be taken by a job that waits. */
const SURPLUS_AFTER_MS = 250;
/**
 * A node without work stays this long with a job that others still work for: its restart would take processors from
 * them where nodes share a machine, and the job's end, at which all start over together, is mostly near.
 */
export const RELEASE_AFTER_MS = 100;

/**
 * Where there are more trees than nodes, each has a node for so long in turn. A node that changes hands starts over with
 * fresh containers, which takes about 0.3 s: 6 % of this.
 */
export const TURN_MS = 5_000;

/** Releases nodes, and asks for some back. Called when everything has been granted that can be. */
export function releaseNodes(state: CoreState, commands: Command[]): void {
  stopDrained(state, commands);
  if (state.idle.size > 0) releaseFinished(state, commands);
  const waiting = [...state.jobs.values()].filter((job) => {
    const others = state.trees.size - (state.trees.has(job.rootId) ? 1 : 0);
    return others > 0 && job.readyInputs > 0 && missingWorkers(state, job) > 0;
  });
  const trees = new Set([...state.trees.keys(), ...waiting.map((job) => job.rootId)]);
  const share = Math.max(1, Math.floor(state.connected / trees.size));
  const someMayTake = waiting.some((job) => sizeOf(state, job.rootId) < share || (isStarved(job) && state.turnCheck === null));
  if (state.idle.size > 0 || someMayTake) makeRoom(state, waiting, { trees, share }, commands);
}

/**
 * A job that has nothing under way on a draining node leaves it, though others of its tree are not done there: they may
 * wait for this very job, which its limit would keep from other nodes as long as it has workers here.
 */
function stopDrained(state: CoreState, commands: Command[]): void {
  for (const node of [...state.draining]) {
    for (const [jobId, { outstanding }] of [...node.jobs]) {
      if (outstanding > 0) continue;
      unassignNode(state, node, jobId);
      commands.push({ type: "stop", nodeId: node.id, jobId, reason: node.leaving ? "its machine is about to go" : "another job waits for this node" });
    }
  }
}

/** Gives back nodes whose tree will have nothing more for them. */
function releaseFinished(state: CoreState, commands: Command[]): void {
  const tenants = tenantsOf(state);
  for (const node of [...state.idle]) {
    if (node.rootId === null) continue;
    const lastOfTree = sizeOf(state, node.rootId) === 1;
    if (lastOfTree || tenants.get(node.rootId)?.every(hasNothingLeft) !== true) continue;
    if (state.trees.size > 1 || isIdleSince(state, node, RELEASE_AFTER_MS)) {
      releaseNode(state, node, "no inputs are left for this node", commands);
    }
  }
}

function hasNothingLeft(job: Job): boolean {
  return (job.totalInputs !== null || job.abandoned) && job.readyInputs === 0 && job.delayed.size === 0;
}

/** Finds nodes for jobs that wait: those that come back anyway, those that nobody uses, those above the even share. */
function makeRoom(state: CoreState, waiting: readonly Job[], { trees, share }: { trees: ReadonlySet<JobId>; share: number }, commands: Command[]): void {
  const nodes = [...state.nodes.values()].filter((node) => node.connected && !node.leaving);
  const coming = new Set(nodes.filter((node) => node.draining || (node.rootId === null && !node.ready)));
  for (const job of [...waiting].sort((a, b) => (comesBefore(state, a, b) ? -1 : 1))) {
    const nodesBelowShare = share - heldBy(state, job.rootId).length;
    const need = { workers: missingWorkers(state, job), nodes: isStarved(job) ? Math.max(1, nodesBelowShare) : nodesBelowShare };
    const booked = take(coming, job, need, need.nodes);
    for (const node of booked) coming.delete(node);
    for (const node of take(surplusNodes(state, job), job, need, Infinity)) releaseNode(state, node, "another job has a use for this node", commands);
    while (need.workers > 0 && need.nodes > 0) {
      const node = fromRichest(state, trees, job, share);
      if (node === undefined) break;
      booked.push(...take([node], job, need, 1));
      askBack(state, node, commands);
    }
    if (booked.length === 0 && need.workers > 0 && isStarved(job)) takeTurn(state, job, commands);
  }
}

/** It has no worker to give an input to. */
const isStarved = (job: Job) => job.usableWorkers === 0;

/** Asks for the node that its tree has had the longest, once it has had its turn. */
function takeTurn(state: CoreState, job: Job, commands: Command[]): void {
  let longest: Node | undefined;
  for (const node of state.nodes.values()) {
    if (mayTakeTurn(node, job) && (longest === undefined || node.tenantSinceMs < longest.tenantSinceMs)) longest = node;
  }
  if (longest === undefined) return;
  const endMs = longest.tenantSinceMs + TURN_MS;
  if (endMs <= state.nowMs) return askBack(state, longest, commands);
  if (state.turnCheck !== null) return;
  state.turnCheck = { kind: "turn" };
  state.deadlines.add(endMs, state.turnCheck);
}

/** Whether a job that waits may have this node when the turn of its tree is over. */
export function mayTakeTurn(node: Node, job: Job): boolean {
  return node.connected && node.rootId !== null && node.rootId !== job.rootId && !node.draining && !node.pinned && workersOn(node, job) > 0;
}

/** What a waiting job still needs: so many workers, on at most so many nodes if they are taken from others. */
interface Need {
  workers: number;
  nodes: number;
}

/** Books up to so many nodes that fit for a job. */
function take(nodes: Iterable<Node>, job: Job, need: Need, atMost: number): Node[] {
  const taken: Node[] = [];
  for (const node of nodes) {
    const workers = workersOn(node, job);
    if (need.workers <= 0 || taken.length >= atMost || workers === 0) continue;
    need.workers -= workers;
    need.nodes--;
    taken.push(node);
  }
  return taken;
}

/** Nodes of other trees that hold nothing, and have not for a while. */
function surplusNodes(state: CoreState, job: Job): Node[] {
  const surplus: Node[] = [];
  for (const node of state.idle) {
    if (node.rootId === job.rootId || !node.connected || node.draining) continue;
    if (isIdleSince(state, node, SURPLUS_AFTER_MS)) surplus.push(node);
  }
  return surplus;
}

/** Whether a node has held nothing for so long; asks to look again when it may get there. */
function isIdleSince(state: CoreState, node: Node, forMs: number): boolean {
  const fromMs = node.idleSinceMs + forMs;
  if (fromMs <= state.nowMs) return true;
  if (state.idleCheck === null) {
    state.idleCheck = { kind: "idle" };
    state.deadlines.add(fromMs, state.idleCheck);
  }
  return false;
}

const sizeOf = (state: CoreState, rootId: JobId): number => state.trees.get(rootId)?.size ?? 0;

/** Nodes of a tree that are not on their way to another. */
function heldBy(state: CoreState, rootId: JobId): Node[] {
  return treeOf(state, rootId).filter((node) => node.connected && !node.draining);
}

/** The node with the least to finish, of the tree that has the most nodes above its share. */
function fromRichest(state: CoreState, trees: Iterable<JobId>, job: Job, share: number): Node | undefined {
  let best: Node | undefined;
  let most = share;
  for (const rootId of trees) {
    const held = heldBy(state, rootId);
    if (rootId === job.rootId || held.length <= most) continue;
    const fitting = held.filter((node) => !node.pinned && workersOn(node, job) > 0).sort((a, b) => a.grants.size - b.grants.size);
    if (fitting[0] === undefined) continue;
    best = fitting[0];
    most = held.length;
  }
  return best;
}

/** Asks for a node: one that holds nothing is free at once, another when it has finished what it has begun. */
export function askBack(state: CoreState, node: Node, commands: Command[]): void {
  if (holdsNothing(node)) return releaseNode(state, node, "another job waits for this node", commands);
  drainNode(state, node);
  for (const jobId of node.jobs.keys()) commands.push({ type: "drain", nodeId: node.id, jobId });
}
