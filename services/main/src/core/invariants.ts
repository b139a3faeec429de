/** What must hold between any two events. For tests: it looks at everything, and takes its time. */
import { MAX_CHUNK_INPUTS } from "@burla/protocol";
import { isElsewhere } from "./job.ts";
import { holdsNothing } from "./nodes.ts";
import { hasIdleWorkers } from "./sizing.ts";
import type { CoreState, Job, Node } from "./state.ts";

/** @throws Error that lists what is wrong. */
export function checkInvariants(state: CoreState): void {
  const wrong = violations(state);
  if (wrong.length > 0) throw new Error(`the core is inconsistent:\n  ${wrong.join("\n  ")}`);
}

/** What is wrong, one sentence each. */
export function violations(state: CoreState): string[] {
  const wrong: string[] = [];
  const claim = (holds: boolean, text: () => string) => {
    if (!holds) wrong.push(text());
  };
  for (const job of state.jobs.values()) {
    if (!isElsewhere(job)) checkPlaces(job, claim);
    checkJobCounters(state, job, claim);
  }
  for (const node of state.nodes.values()) checkNode(state, node, claim);
  checkIndexes(state, claim);
  return wrong;
}

type Claim = (holds: boolean, text: () => string) => void;

/** Every unanswered input is in exactly one place. */
function checkPlaces(job: Job, claim: Claim): void {
  const places = new Map<number, number>();
  const keyOf = (chunkId: number, position: number) => chunkId * MAX_CHUNK_INPUTS + position;
  const put = (chunkId: number, position: number) => {
    const key = keyOf(chunkId, position);
    places.set(key, (places.get(key) ?? 0) + 1);
  };
  for (const { chunkId, from, to } of [...job.ready, ...job.delayed]) {
    claim(from < to, () => `${job.id}: an empty range of chunk ${chunkId}`);
    for (let position = from; position < to; position++) put(chunkId, position);
  }
  for (const held of job.grants.values()) {
    const { chunkId, from, to } = held.range;
    const answered = job.chunks.get(chunkId)?.answered;
    let left = 0;
    for (let position = from; position < to; position++) {
      if (held.closed.has(position) || answered?.[position] === 1) continue;
      put(chunkId, position);
      left++;
    }
    claim(left === held.left && left > 0, () => `${job.id}: grant ${held.id} counts ${held.left} open inputs and has ${left}`);
  }
  let open = 0;
  for (const chunk of job.chunks.values()) {
    let unanswered = 0;
    for (let position = 0; position < chunk.count; position++) {
      if (chunk.answered?.[position] === 1) continue;
      unanswered++;
      const found = places.get(keyOf(chunk.id, position)) ?? 0;
      claim(found === 1, () => `${job.id}: input ${chunk.first + position} is in ${found} places`);
    }
    claim(unanswered === chunk.unanswered && unanswered > 0, () => `${job.id}: chunk ${chunk.id} counts ${chunk.unanswered} open inputs and has ${unanswered}`);
    open += unanswered;
  }
  claim(places.size === open, () => `${job.id}: ${places.size} inputs are somewhere, ${open} are open`);
  claim(job.pushedInputs - job.answeredInputs === open, () => `${job.id}: of ${job.pushedInputs} inputs ${job.answeredInputs} are answered and ${open} open`);
}

function checkJobCounters(state: CoreState, job: Job, claim: Claim): void {
  const equal = (name: string, counted: number, actual: number) =>
    claim(counted === actual, () => `${job.id}: ${name} says ${counted} and is ${actual}`);
  const nodes = [...state.nodes.values()].filter((node) => node.jobs.has(job.id));
  const usable = nodes.filter((node) => node.connected && !node.draining);
  const workers = (some: Node[]) => sum(some.map((node) => node.jobs.get(job.id)?.workers ?? 0));
  const elsewhere = isElsewhere(job);
  const granted = elsewhere ? sum(nodes.map((node) => node.jobs.get(job.id)?.outstanding ?? 0)) : sum([...job.grants.values()].map((held) => held.left));
  const ready = elsewhere ? Math.max(0, job.pushedInputs - job.answeredInputs - granted) : sum([...job.ready].map(({ from, to }) => to - from));
  equal("readyInputs", job.readyInputs, ready);
  equal("grantedInputs", job.grantedInputs, granted);
  equal("workers", job.workers, workers(nodes));
  equal("usableWorkers", job.usableWorkers, workers(usable));
  equal("unackedBytes", job.unackedBytes, sum([...job.unacked].map((batch) => batch.bytes)));
  const idlers = usable.filter((node) => hasIdleWorkers(job, node.jobs.get(job.id) ?? { workers: 0, outstanding: 0, stalled: false }));
  claim(job.idlers.size === idlers.length && idlers.every((node) => job.idlers.has(node)), () => `${job.id} has ${job.idlers.size} nodes with idle workers, should have ${idlers.length}`);
  for (const taker of job.takers) claim(nodes.includes(taker), () => `${job.id}: ${taker.id} might take inputs and is not assigned`);
  claim(job.phase === "running" || nodes.length === 0, () => `${job.id} is interrupted and has nodes`);
  claim(elsewhere || job.totalInputs === null || job.totalInputs === job.pushedInputs, () => `${job.id} has ${job.pushedInputs} inputs of ${job.totalInputs}`);
  claim(job.totalInputs !== null || job.client !== "reads" || !job.abandoned, () => `${job.id} waits for inputs that nobody will push`);
}

function checkNode(state: CoreState, node: Node, claim: Claim): void {
  for (const [grantId, jobId] of node.grants) {
    claim(state.jobs.get(jobId)?.grants.get(grantId)?.nodeId === node.id, () => `${node.id} holds grant ${grantId}, which is not its`);
  }
  for (const [jobId, assignment] of node.jobs) {
    const job = state.jobs.get(jobId);
    claim(job !== undefined, () => `${node.id} works for ${jobId}, which has ended`);
    if (job === undefined) continue;
    claim(job.rootId === node.rootId, () => `${node.id} works for the tree of ${node.rootId} and for ${jobId} of ${job.rootId}`);
    if (isElsewhere(job)) continue;
    const held = [...job.grants.values()].filter((grant) => grant.nodeId === node.id);
    const outstanding = sum(held.map((grant) => grant.left));
    claim(assignment.outstanding === outstanding, () => `${node.id}: outstanding of ${jobId} says ${assignment.outstanding} and is ${outstanding}`);
    for (const grant of held) claim(node.grants.get(grant.id) === jobId, () => `${node.id} does not know of grant ${grant.id}`);
  }
  for (const jobId of node.grants.values()) claim(node.jobs.has(jobId), () => `${node.id} holds a grant of ${jobId}, which it does not work for`);
  claim((node.rootId === null) === (node.jobs.size === 0), () => `${node.id} works for ${node.rootId} with ${node.jobs.size} jobs`);
  claim(node.rootId !== null || !node.draining, () => `${node.id} drains and works for nobody`);
  claim(node.rootId === null || !node.ready, () => `${node.id} is ready and at work`);
  claim(node.leaseCheck !== null, () => `nobody looks after the lease of ${node.id}`);
}

function checkIndexes(state: CoreState, claim: Claim): void {
  const nodes = [...state.nodes.values()];
  const same = (name: string, indexed: Iterable<Node>, actual: Node[]) => {
    const set = new Set(indexed);
    claim(set.size === actual.length && actual.every((node) => set.has(node)), () => `${name} is [${[...set].map((node) => node.id)}], should be [${actual.map((node) => node.id)}]`);
  };
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-6;
  const connected = nodes.filter((node) => node.connected && (!node.leaving || node.rootId !== null));
  same("free", state.free, connected.filter((node) => node.ready && node.rootId === null));
  same("idle", state.idle, nodes.filter((node) => node.rootId !== null && holdsNothing(node)));
  same("draining", state.draining, nodes.filter((node) => node.draining));
  for (const rootId of new Set([...state.trees.keys(), ...nodes.flatMap((node) => node.rootId ?? [])])) {
    same(`tree ${rootId}`, state.trees.get(rootId) ?? [], nodes.filter((node) => node.rootId === rootId));
  }
  claim(state.connected === connected.length, () => `connected says ${state.connected}`);
  claim(near(state.cpu, sum(connected.map((node) => node.cpu))), () => `cpu says ${state.cpu}`);
  claim(near(state.ramMiB, sum(connected.map((node) => node.ramMiB))), () => `ramMiB says ${state.ramMiB}`);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
