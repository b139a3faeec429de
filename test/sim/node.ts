/** A node: workers for the jobs that it was assigned, grants that wait for them, and what main must not miss. */
import { LEASE_RENEW_MS, type JobId, type JobSpec, type NodeId, type Of, type NodeToMain } from "@burla/protocol";
import type { Link } from "./link.ts";
import type { FromNode, Outcome, ToNode } from "./messages.ts";
import type { NodePlan } from "./plan.ts";
import { Worker, type ExitCause, type Granted, type WorkerGrant, type WorkerHost } from "./worker.ts";
import type { World } from "./world.ts";

/** A grant that no worker could take for this long goes back. */
const MAX_QUEUED_MS = 250;

type WithoutSeq<Message> = Message extends unknown ? Omit<Message, "nodeSeq"> : never;
type Durable = Extract<FromNode, { type: "nodeResults" | "grantEnded" }>;

interface Group {
  readonly jobId: JobId;
  readonly host: WorkerHost;
  readonly workers: Set<Worker>;
  queue: { grant: Granted; sinceMs: number }[];
}

export class SimNode {
  readonly id: NodeId;
  readonly plan: NodePlan;
  isDead = false;
  frozenUntilMs = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #world: World;
  readonly #groups = new Map<JobId, Group>();
  #isReady = false;
  #boot = 0;
  #link: Link<ToNode, FromNode> | null = null;
  readonly #outbox: Durable[] = [];
  #nextSeq = 1;

  constructor(world: World, id: NodeId, plan: NodePlan) {
    this.#world = world;
    this.id = id;
    this.plan = plan;
    this.#reboot();
    this.dial();
    this.#renewForEver();
  }

  get workers(): Worker[] {
    return [...this.#groups.values()].flatMap((group) => [...group.workers]);
  }

  /** Dials main until it answers. */
  dial(): void {
    if (this.isDead || this.#link?.isOpen === true) return;
    const link = this.#world.dialAsNode(this.id, {
      receive: (message) => this.#unlessFrozen(() => this.#link === link && this.#receive(message)),
      closed: () => this.#unlessFrozen(() => this.#link === link && this.#redial()),
    });
    this.#link = link;
    if (link === null) return void this.after(this.#world.random.spread(20, 200), () => this.dial());
    this.#send(this.#hello());
    if (this.#isReady) this.#send({ type: "ready" });
    for (const message of this.#outbox) this.#send(message);
  }

  /** The connection is gone; it dials again after a while. */
  cut(forMs: number): void {
    const link = this.#link;
    if (link === null) return;
    link.cut({ noticedByBMs: this.#world.random.chance(0.3) ? this.#world.random.spread(1, 20_000) : 0 });
    this.#link = null;
    this.after(forMs, () => this.dial());
  }

  die(): void {
    this.isDead = true;
    this.#link?.cut({ noticedByBMs: this.#world.random.chance(0.5) ? this.#world.random.spread(1, 15_000) : 0 });
    for (const worker of this.workers) worker.end();
    this.#groups.clear();
  }

  after(ms: number, run: () => void): void {
    this.#world.loop.after(ms, () => this.#unlessFrozen(run));
  }

  /** What comes while it is frozen waits, in its order, until it thaws; it may be frozen anew before that. */
  #unlessFrozen(run: () => void): void {
    if (this.isDead) return;
    if (this.frozenUntilMs <= this.#world.loop.nowMs && this.#waiting.length === 0) return run();
    this.#waiting.push(run);
    if (this.#waiting.length === 1) this.#thaw();
  }

  #thaw(): void {
    if (this.frozenUntilMs > this.#world.loop.nowMs) return this.#world.loop.at(this.frozenUntilMs, () => this.#thaw());
    for (let next = this.#waiting[0]; next !== undefined && !this.isDead; next = this.#waiting[0]) {
      next();
      this.#waiting.shift();
      if (this.frozenUntilMs > this.#world.loop.nowMs) return this.#thaw();
    }
  }

  #redial(): void {
    this.#link = null;
    this.after(this.#world.random.spread(1, 100), () => this.dial());
  }

  #send(message: FromNode): void {
    this.#link?.sendToB(message);
  }

  #sendDurably(message: WithoutSeq<Durable>): void {
    const numbered = { ...message, nodeSeq: this.#nextSeq++ } as Durable;
    this.#outbox.push(numbered);
    this.#send(numbered);
  }

  #hello(): FromNode {
    const { cpu, ramMiB } = this.plan;
    const holding: Of<NodeToMain, "nodeHello">["holding"] = [];
    for (const { jobId, workers, queue } of this.#groups.values()) {
      for (const worker of workers) for (const { message } of worker.grants) holding.push({ jobId, grantId: message.grantId });
      for (const { grant } of queue) holding.push({ jobId, grantId: grant.grantId });
    }
    for (const { jobId, grantId } of this.#outbox) holding.push({ jobId, grantId });
    return { type: "nodeHello", nodeId: this.id, cpu, ramMiB, maxCpu: cpu, maxRamMiB: ramMiB, pid: 1, jobs: [...this.#groups.keys()], holding };
  }

  #renewForEver(): void {
    this.after(LEASE_RENEW_MS, () => {
      this.#send({ type: "renew", jobs: [...this.#groups.keys()] });
      this.#renewForEver();
    });
  }

  #receive(message: ToNode): void {
    switch (message.type) {
      case "assign":
        return this.#assign(message);
      case "grant": {
        const group = this.#groups.get(message.jobId);
        if (group === undefined) return;
        group.queue.push({ grant: message, sinceMs: this.#world.loop.nowMs });
        this.after(MAX_QUEUED_MS, () => this.#giveBackOld(group));
        return this.#dispatch(group);
      }
      case "drain": {
        const group = this.#groups.get(message.jobId);
        return group === undefined ? undefined : this.#giveBackQueue(group);
      }
      case "stop":
        return this.#stop(message.jobId);
      case "stored": {
        const stored = this.#outbox.findIndex((kept) => kept.nodeSeq > message.nodeSeq);
        this.#outbox.splice(0, stored < 0 ? this.#outbox.length : stored);
      }
    }
  }

  #assign({ jobId, spec, workers }: Extract<ToNode, { type: "assign" }>): void {
    if (this.#groups.has(jobId)) return;
    this.#isReady = false;
    const group: Group = { jobId, workers: new Set(), queue: [], host: this.#hostFor(jobId, spec) };
    this.#groups.set(jobId, group);
    for (let count = 0; count < workers; count++) this.#startWorker(group);
  }

  #hostFor(jobId: JobId, spec: JobSpec): WorkerHost {
    const group = () => this.#groups.get(jobId);
    return {
      nowMs: () => this.#world.loop.nowMs,
      after: (ms, run) => this.after(ms, run),
      callOf: (index) => this.#world.callOf(jobId, index),
      countTrouble: (index) => this.#world.countTrouble(jobId, index),
      spawn: (index, worker, done) => this.#world.spawn(jobId, index, worker, done),
      timeoutMs: spec.timeoutMs,
      concurrency: spec.concurrency,
      results: (_worker, grant, batch) => {
        this.#report(grant, batch);
        this.#closeIfCut(grant);
        this.#dispatch(group());
      },
      givenBack: (grant, positions) => {
        this.#end(grant.message, "released", positions);
        grant.isCut = true;
        this.#closeIfCut(grant);
        this.#dispatch(group());
      },
      exited: (worker, cause, timedOut) => this.#replace(group(), worker, cause, timedOut),
    };
  }

  #startWorker(group: Group): void {
    const worker = new Worker(group.host);
    group.workers.add(worker);
    this.after(this.#world.random.spread(1, 200), () => {
      worker.loaded = true;
      this.#dispatch(group);
    });
  }

  #stop(jobId: JobId): void {
    const group = this.#groups.get(jobId);
    if (group === undefined) return;
    this.#groups.delete(jobId);
    for (const worker of group.workers) worker.end();
    if (this.#groups.size === 0) this.#reboot();
  }

  #reboot(): void {
    const boot = ++this.#boot;
    this.after(this.plan.bootMs, () => {
      if (this.#groups.size > 0 || boot !== this.#boot) return;
      this.#isReady = true;
      this.#send({ type: "ready" });
    });
  }

  #dispatch(group: Group | undefined): void {
    if (group === undefined) return;
    for (const worker of group.workers) {
      while (worker.alive && worker.loaded) {
        const at = group.queue.findIndex(({ grant }) => this.#fits(worker, grant, group));
        const [next] = at < 0 ? [] : group.queue.splice(at, 1);
        if (next === undefined) break;
        worker.give(next.grant);
      }
    }
  }

  #fits(worker: Worker, grant: Granted, group: Group): boolean {
    if (worker.isAlone) return false;
    return grant.alone ? worker.grants.length === 0 : worker.unanswered < group.host.concurrency;
  }

  #giveBackOld(group: Group): void {
    const someoneWorks = [...group.workers].some((worker) => worker.loaded);
    if (!someoneWorks) return this.after(MAX_QUEUED_MS, () => this.#giveBackOld(group));
    const oldest = group.queue[0];
    if (oldest !== undefined && oldest.sinceMs + MAX_QUEUED_MS <= this.#world.loop.nowMs) this.#giveBackQueue(group);
  }

  #giveBackQueue(group: Group): void {
    for (const { grant } of group.queue.splice(0)) this.#end(grant, "released", positionsOf(grant));
  }

  #replace(group: Group | undefined, worker: Worker, cause: ExitCause, timedOut: { grant: WorkerGrant; position: number } | null): void {
    if (group === undefined) return;
    group.workers.delete(worker);
    let lostWorkers: 0 | 1 = cause === "timeout" ? 0 : 1;
    for (const grant of worker.grants) {
      if (timedOut?.grant === grant && grant.open.delete(timedOut.position)) {
        this.#report(grant, [{ position: timedOut.position, outcome: "timeout", runMs: group.host.timeoutMs ?? 0 }]);
      }
      if (grant.open.size === 0) continue;
      this.#end(grant.message, cause, [...grant.open], lostWorkers);
      lostWorkers = 0;
    }
    this.#startWorker(group);
  }

  #closeIfCut(grant: WorkerGrant): void {
    if (grant.isCut && grant.open.size === 0) this.#end(grant.message, "done", []);
  }

  #end({ jobId, grantId }: Granted, cause: Of<NodeToMain, "grantEnded">["cause"], unfinished: number[], lostWorkers: 0 | 1 = 0): void {
    this.#sendDurably({ type: "grantEnded", jobId, grantId, cause, detail: cause, lostWorkers, unfinished });
  }

  #report({ message }: WorkerGrant, batch: WorkerGrant["batch"]): void {
    const sorted = [...batch].sort((a, b) => a.position - b.position);
    const indices = sorted.map(({ position }) => message.first + position);
    const first = indices[0] ?? 0;
    const outcomes: Outcome[] = sorted.map(({ outcome }) => outcome);
    this.#sendDurably({
      type: "nodeResults", jobId: message.jobId, grantId: message.grantId, first, count: batch.length,
      indices: indices.every((index, at) => index === first + at) ? null : indices,
      failed: outcomes.flatMap((outcome, at) => (outcome === "ok" ? [] : [at])),
      final: [], outcomes, valuesBytes: 10 * batch.length, runMs: batch.reduce((sum, { runMs }) => sum + runMs, 0),
    });
  }
}

function positionsOf({ from, to }: Granted): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}
