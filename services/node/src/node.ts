/**
 * The heart of the node service: one VM, one tenant at a time.
 *
 *   BOOTING -> READY -> RUNNING -> REBOOTING -> READY, or FAILED -> READY
 *
 * With the first job of a tenant it keeps the warm workers that fit and kills the rest; when the last job is stopped
 * it starts over with a fresh warm set.
 */
import { join } from "node:path";
import {
  LEASE_RENEW_MS, type JobId, type MainToNode, type NodeId, type NodeToMain, type Of,
} from "@burla/protocol";
import { BundleStore } from "./bundles.ts";
import type { NodeConfig, NodeFolders } from "./config.ts";
import type { ContainerRuntime } from "./containers/runtime.ts";
import { JobGroup } from "./job-group.ts";
import { MainLink } from "./main-link.ts";
import { WarmPool } from "./pool.ts";
import { WorkerServer } from "./worker-server.ts";
import { WorkQueues } from "./work-queues.ts";

/** A node whose workers do not start tries again after this long. */
const RETRY_MS = 5_000;
/** Which workers are busy is told so much later, as it is then: with short calls it changes all the time, and most of
 * the time nothing is to be told. */
const BUSY_MS = 250;

type NodeState = Of<NodeToMain, "nodeState">["state"];

export interface NodeDependencies {
  readonly config: NodeConfig;
  readonly folders: NodeFolders;
  readonly runtime: ContainerRuntime;
  readonly log: { info(fields: object, text: string): void; error(fields: object, text: string): void };
  /** Ends the program. */
  readonly exit: () => void;
}

export class Node {
  readonly #dependencies: NodeDependencies;
  readonly #server: WorkerServer;
  readonly #pool: WarmPool;
  readonly #bundles: BundleStore;
  readonly #link: MainLink;
  readonly #queues: WorkQueues;
  readonly #groups = new Map<JobId, JobGroup>();
  #state: NodeState = "BOOTING";
  #reason = "";
  #renewal: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #busyTimer: NodeJS.Timeout | undefined;
  #toldWorkers = "";
  #ending: Promise<void> | undefined;

  constructor(dependencies: NodeDependencies) {
    this.#dependencies = dependencies;
    const { config, folders, runtime } = dependencies;
    this.#server = new WorkerServer(join(folders.sockets, "workers.sock"));
    const warmCount = config.warm.reduce((sum, { count }) => sum + count, 0);
    const ramMiB = Math.max(1, Math.floor(config.ramMiB / Math.max(1, warmCount)));
    this.#pool = new WarmPool({ runtime, server: this.#server, warm: config.warm, ramMiB });
    this.#bundles = new BundleStore({ directory: folders.bundles, clientPackage: config.clientPackage, jobFolder: folders.job });
    this.#link = new MainLink({
      connectionFile: config.connectionFile,
      software: `burla node ${config.nodeId}`,
      introduce: () => [this.#hello(), this.#noteTold()],
      onMessage: (message, body) => this.#receive(message, body),
      onOrphaned: () => void this.shutdown("main has been out of reach for too long"),
      orphanMs: config.orphanMs,
    });
    this.#queues = new WorkQueues({ nodeId: config.nodeId, link: this.#link, ended: (jobId, reason) => void this.#stop(jobId, reason) });
  }

  async start(): Promise<void> {
    await this.#server.listen();
    const warm = this.#begin();
    this.#link.start();
    this.#renewal = setInterval(() => this.#link.send({ type: "renew", jobs: [...this.#groups.keys()] }), LEASE_RENEW_MS);
    await this.#becomeReady(warm);
  }

  /** What keeps the runtime from starting containers has changed. */
  troubleChanged(): void {
    this.#sendState();
  }

  /** Ends all workers, then the program. Main and a signal may both ask for it. */
  shutdown(reason: string): Promise<void> {
    return (this.#ending ??= this.#end(reason));
  }

  async #end(reason: string): Promise<void> {
    this.#dependencies.log.info({ reason }, "shutting down");
    clearInterval(this.#renewal);
    clearTimeout(this.#retry);
    clearTimeout(this.#busyTimer);
    this.#link.close();
    await Promise.all([...[...this.#groups.values()].map((group) => group.stop()), this.#pool.killRest()]);
    this.#server.close();
    this.#dependencies.exit();
  }

  #receive(message: MainToNode, body: Uint8Array): void {
    switch (message.type) {
      case "assign":
        return this.#assign(message, body);
      case "grant":
        return void this.#groups.get(message.jobId)?.take(message, body);
      case "drain":
        return this.#groups.get(message.jobId)?.drain();
      case "stop":
        return void this.#stop(message.jobId, message.reason);
      case "shutdown":
        return void this.shutdown(message.reason);
      case "stored":
        return undefined;
    }
  }

  #assign(message: Of<MainToNode, "assign">, body: Uint8Array): void {
    if (this.#groups.has(message.jobId)) return;
    const { spec, jobId, workers, codeBytes } = message;
    const shape = this.#pool.shapeOf(spec);
    const slots = this.#pool.take(shape, workers);
    if (this.#groups.size === 0) void this.#pool.killRest();
    const code = codeBytes > 0 ? body.subarray(0, codeBytes) : null;
    const group = new JobGroup(
      {
        assign: message,
        values: body.subarray(codeBytes),
        bundlePath: this.#bundles.path(spec.bundle.id, code, spec.bundle.externals),
        env: { ...spec.env, BURLA_URL: this.#link.url, BURLA_JOB: jobId, BURLA_JOB_TOKEN: message.token },
        startWorker: () => this.#pool.start(shape),
        openQueue: (listener) => this.#queues.open(message, listener),
        changed: () => this.#sendState(),
        busyChanged: () => this.#tellBusySoon(),
        nodeFailed: (reason) => this.#fail(reason),
      },
      slots,
    );
    this.#groups.set(jobId, group);
    this.#enter("RUNNING", spec.name);
  }

  async #stop(jobId: JobId, reason: string): Promise<void> {
    const group = this.#groups.get(jobId);
    if (group === undefined) return;
    this.#groups.delete(jobId);
    const stopped = group.stop();
    if (this.#groups.size > 0) return void (await stopped);
    this.#enter("REBOOTING", reason);
    await this.#becomeReady(Promise.all([stopped.then(() => this.#bundles.clear()), this.#pool.fill()]));
  }

  /** Nothing of an earlier run is left when the first container starts. */
  async #begin(): Promise<void> {
    await this.#dependencies.runtime.prepare();
    await this.#bundles.clear();
    await this.#pool.fill();
  }

  /** No container can be started here, which is no fault of a job: what it had goes to other nodes. */
  #fail(reason: string): void {
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    const stopped = Promise.all(groups.map((group) => group.stop()));
    void this.#becomeReady(stopped.then(() => Promise.reject(new Error(reason))));
  }

  async #becomeReady(warm: Promise<unknown>): Promise<void> {
    try {
      await warm;
      if (this.#groups.size === 0) this.#enter("READY", "");
    } catch (error) {
      this.#dependencies.log.error({ error }, "no worker could be started");
      this.#enter("FAILED", error instanceof Error ? error.message : String(error));
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => void this.#pool.killRest().then(() => this.#becomeReady(this.#begin())), RETRY_MS);
    }
  }

  #enter(state: NodeState, reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#dependencies.log.info({ state, reason }, "state");
    this.#sendState();
  }

  #sendState(): void {
    this.#link.send(this.#noteTold());
  }

  /** The state, to be sent at once. */
  #noteTold(): NodeToMain {
    const message = this.#stateMessage();
    this.#toldWorkers = JSON.stringify(message.workers);
    return message;
  }

  #tellBusySoon(): void {
    this.#busyTimer ??= setTimeout(() => {
      this.#busyTimer = undefined;
      if (JSON.stringify(this.#stateMessage().workers) !== this.#toldWorkers) this.#sendState();
    }, BUSY_MS);
  }

  get #nodeId(): NodeId {
    return this.#dependencies.config.nodeId as NodeId;
  }

  #stateMessage(): Of<NodeToMain, "nodeState"> {
    const slots = [...this.#pool.slots, ...[...this.#groups.values()].flatMap((group) => [...group.slots])];
    const workers = slots.map((slot) => ({
      workerId: slot.workerId, runtime: slot.kind, image: slot.image, state: slot.state, jobId: slot.jobId, pid: slot.container.pid,
    }));
    const reason = this.#dependencies.runtime.trouble || this.#reason;
    return { type: "nodeState", state: this.#state, reason: reason.slice(0, 1000), workers };
  }

  #hello(): NodeToMain {
    const { cpu, ramMiB, maxCpu, maxRamMiB } = this.#dependencies.config;
    const inGroups = [...this.#groups].flatMap(([jobId, group]) => group.grantIdsOfMain.map((grantId) => ({ jobId, grantId })));
    const inOutbox = this.#link.unstored().flatMap((message) => ("grantId" in message ? [{ jobId: message.jobId, grantId: message.grantId }] : []));
    return {
      type: "nodeHello", nodeId: this.#nodeId, cpu, ramMiB, maxCpu, maxRamMiB, pid: process.pid,
      jobs: [...this.#groups.keys()], holding: [...inGroups, ...inOutbox],
    };
  }
}
