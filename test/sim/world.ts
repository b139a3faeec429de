/** The whole cluster in one thread: runs a plan, and checks what came of it. */
import type { JobId, NodeId } from "@burla/protocol";
import { SimClient } from "./client.ts";
import { Link, type End } from "./link.ts";
import { Loop } from "./loop.ts";
import { ClientLink, Disk, NodeLink, SimMain } from "./main.ts";
import type { FromClient, FromNode, Outcome, ToClient, ToNode } from "./messages.ts";
import { SimNode } from "./node.ts";
import { makePlan, type Call, type Fault, type JobPlan, type NodePlan, type Plan } from "./plan.ts";
import { Random } from "./random.ts";
import { checkJob, checkQuiet } from "./verdict.ts";
import type { Worker } from "./worker.ts";

/** How long the calm may last in virtual time: leases, pauses before retries and 20 calls of 5 s one after the other. */
const CALM_LIMIT_MS = 30 * 60_000;

/** After the end: all leases, graces and pauses that were pending are over. */
const QUIET_MS = 36_000;

export interface SimJob {
  readonly plan: JobPlan;
  readonly owner: SimClient;
  reader: SimClient | null;
  readonly trouble: Map<number, number>;
}

export class World {
  readonly random: Random;
  /** For what was added to the simulation later: schedules of old seeds stay as they are. */
  readonly moreRandom: Random;
  readonly loop = new Loop();
  readonly plan: Plan;
  /** Events that the core was fed. */
  events = 0;
  readonly jobs = new Map<JobId, SimJob>();
  readonly nodes: SimNode[] = [];
  nodesLost = 0;
  main: SimMain | null = null;
  readonly #traces = process.env["BURLA_SIM_TRACE"] === "1";
  readonly #disk = new Disk();
  #restartAfterMs = 0;
  #tornRecords = 0;
  #lastJob = 0;
  #lastNode = 0;

  constructor(seed: number, plan?: Plan) {
    this.random = new Random(seed);
    this.moreRandom = new Random(~seed);
    this.plan = plan ?? makePlan(this.random);
  }

  /** @throws Error when something is not as it must be. */
  run(): void {
    this.main = new SimMain(this, this.#disk);
    for (const node of this.plan.nodes) this.#addNode(node);
    for (const job of this.plan.jobs) this.#schedule(job);
    for (const fault of this.plan.faults) this.loop.at(fault.atMs, () => this.#inject(fault));
    this.loop.runUntil(this.plan.calmMs);
    this.#calmDown();
    const lastPlanned = Math.max(0, ...this.plan.jobs.map(endOfPlan));
    this.loop.runUntil(this.loop.nowMs + lastPlanned + CALM_LIMIT_MS, () => this.jobs.size >= this.plan.jobs.length && this.#isOver());
    for (const [jobId, job] of this.jobs) checkJob(this, jobId, job);
    this.loop.runUntil(this.loop.nowMs + CALM_LIMIT_MS, () => this.#isAtRest());
    this.loop.runUntil(this.loop.nowMs + QUIET_MS);
    checkQuiet(this);
  }

  /** For the reader of a failure: what happens, with `BURLA_SIM_TRACE=1`. */
  trace(text: () => string): void {
    if (this.#traces) console.log(`${this.loop.nowMs.toFixed(2).padStart(10)} ${text()}`);
  }

  expect(holds: boolean, text: () => string): void {
    if (!holds) throw new Error(`at ${this.loop.nowMs.toFixed(2)} ms: ${text()}`);
  }

  dialAsNode(nodeId: NodeId, end: End<ToNode>): Link<ToNode, FromNode> | null {
    if (this.main === null) return null;
    const mainEnd = new NodeLink(this.main, nodeId);
    mainEnd.link = new Link(this.loop, this.random, end, mainEnd);
    this.main.links.add(mainEnd);
    return mainEnd.link;
  }

  dialAsClient(end: End<ToClient>): Link<ToClient, FromClient> | null {
    if (this.main === null) return null;
    const mainEnd = new ClientLink(this.main);
    mainEnd.link = new Link(this.loop, this.random, end, mainEnd);
    this.main.links.add(mainEnd);
    return mainEnd.link;
  }

  callOf(jobId: JobId, index: number): Call {
    const call = this.jobs.get(jobId)?.plan.calls[index];
    if (call === undefined) throw new Error(`input ${index} of ${jobId} was never pushed`);
    return call;
  }

  countTrouble(jobId: JobId, index: number): number {
    const trouble = this.jobs.get(jobId)?.trouble;
    const count = (trouble?.get(index) ?? 0) + 1;
    trouble?.set(index, count);
    return count;
  }

  /** A call starts a job of its own and waits for it. */
  spawn(parent: JobId, index: number, worker: Worker, done: (outcome: Outcome) => void): void {
    const call = this.callOf(parent, index);
    if (call.kind !== "spawns") return;
    const plan = { ...call.child, spec: { ...call.child.spec, parent } };
    const client = this.#start(plan, () => done(client.finished?.outcome === "done" ? "ok" : "error"));
    worker.onEnd.push(() => client.die());
  }

  mainCrashed(): void {
    const { main } = this;
    if (main === null) return;
    main.isDead = true;
    this.main = null;
    for (const { link } of main.links) link?.cut();
    this.#disk.tear(this.#tornRecords);
    this.loop.after(this.#restartAfterMs, () => {
      this.trace(() => "main is back");
      this.main ??= new SimMain(this, this.#disk);
    });
  }

  #addNode(plan: NodePlan): void {
    this.nodes.push(new SimNode(this, `node-${++this.#lastNode}` as NodeId, plan));
  }

  #schedule(plan: JobPlan): void {
    this.loop.at(plan.submitMs, () => {
      const client = this.#start(plan, () => undefined);
      const { cancelMs, deathMs, attachMs, lostAtMs } = plan;
      if (cancelMs !== null) this.loop.after(cancelMs, () => client.cancel());
      for (const { atMs, forMs } of lostAtMs) this.loop.after(atMs, () => client.cut(forMs));
      if (deathMs === null) return;
      this.loop.after(deathMs, () => !client.isOver && client.die());
      if (attachMs !== null) this.loop.after(deathMs + attachMs, () => client.isDead && this.#attach(client.jobId));
    });
  }

  #attach(jobId: JobId): void {
    const job = this.jobs.get(jobId);
    if (job !== undefined) job.reader = new SimClient(this, jobId, job.plan, { feeds: false });
  }

  #start(plan: JobPlan, onOver: () => void): SimClient {
    const jobId = `job-${String(++this.#lastJob).padStart(19, "0")}` as JobId;
    const owner = new SimClient(this, jobId, plan, { feeds: true, onOver });
    this.jobs.set(jobId, { plan, owner, reader: null, trouble: new Map() });
    return owner;
  }

  #inject(fault: Fault): void {
    this.trace(() => JSON.stringify(fault));
    if (fault.kind === "kill-main") {
      this.#restartAfterMs = fault.forMs;
      this.#tornRecords = fault.tornRecords;
      if (this.main !== null) this.main.recordsToLive = fault.afterRecords;
      if (fault.afterRecords === 0) this.mainCrashed();
      return;
    }
    const alive = this.nodes.filter((node) => !node.isDead);
    const node = alive[fault.which % alive.length];
    if (node === undefined) return;
    switch (fault.kind) {
      case "kill-node":
        return this.#killNode(node, fault);
      case "kill-worker":
        return node.workers[fault.which % Math.max(1, node.workers.length)]?.exit("worker-exited");
      case "cut-node":
        return node.cut(fault.forMs);
      case "freeze-node":
        node.frozenUntilMs = Math.max(node.frozenUntilMs, this.loop.nowMs + fault.forMs);
    }
  }

  /** A node of the same size takes its place after a while. */
  #killNode(node: SimNode, { known, forMs }: Fault & { known: boolean }): void {
    this.nodesLost++;
    node.die();
    if (known) this.loop.after(this.random.spread(1, 100), () => this.main?.nodeGone(node.id));
    this.loop.after(forMs, () => this.#addNode(node.plan));
  }

  #calmDown(): void {
    if (this.main !== null) this.main.recordsToLive = Infinity;
  }

  /** Jobs that nobody waits for have ended too, or come to rest. */
  #isAtRest(): boolean {
    return this.main !== null && [...this.main.state.jobs.values()].every((job) => job.phase === "interrupted");
  }

  #isOver(): boolean {
    return [...this.jobs.values()].every(({ owner, reader }) => owner.isOver && (reader === null || reader.isOver));
  }
}

function endOfPlan({ submitMs, deathMs, attachMs, lostAtMs }: JobPlan): number {
  return submitMs + (deathMs ?? 0) + (attachMs ?? 0) + Math.max(0, ...lostAtMs.map(({ atMs, forMs }) => atMs + forMs));
}
