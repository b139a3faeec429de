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
  LEASE_RENEW_MS, makeSocketsFolder, type JobId, type JobSpec, type MainToNode, type NodeId, type NodeToMain, type NodeToWorker, type Of,
} from "@burla/protocol";
import { BundleStore, type CodeSource } from "./bundles.ts";
import { CodeRequests } from "./code-requests.ts";
import type { NodeConfig, NodeFolders } from "./config.ts";
import type { ContainerRuntime } from "./containers/runtime.ts";
import { checkRoom } from "./disk.ts";
import { JobGroup, type Prepared } from "./job-group.ts";
import { mainAddress } from "./main-address.ts";
import { MainLink } from "./main-link.ts";
import { MainProxy } from "./main-proxy.ts";
import { NodeStatus, type NodeState } from "./node-status.ts";
import { Packages } from "./packages/job-packages.ts";
import type { Waiting } from "./packages/package-store.ts";
import { OrphanWatch } from "./orphan-watch.ts";
import { WarmPool, type WorkerShape } from "./pool.ts";
import { WorkerServer } from "./worker-server.ts";
import { WorkQueues } from "./work-queues.ts";

/** A node whose workers do not start tries again after this long. */
const RETRY_MS = 5_000;
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
  readonly #packages: Packages;
  readonly #codeRequests: CodeRequests;
  readonly #link: MainLink;
  readonly #queues: WorkQueues;
  /** Null where workers reach main by themselves. */
  readonly #proxy: MainProxy | null;
  readonly #tokens = new Map<JobId, string>();
  /** Groups whose job is over, until their workers have ended. */
  readonly #stopping = new Set<Promise<void>>();
  readonly #groups = new Map<JobId, JobGroup>();
  readonly #status: NodeStatus;
  #renewal: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #ending: Promise<void> | undefined;
  /** What main is told when the machine is about to be taken away. */
  #leaving: Of<NodeToMain, "nodeLeaving"> | null = null;
  #onEmpty: (() => void) | undefined;

  constructor(dependencies: NodeDependencies) {
    this.#dependencies = dependencies;
    const { config, folders, runtime } = dependencies;
    this.#server = new WorkerServer(join(folders.sockets, "workers.sock"), () => makeSocketsFolder(config.directory));
    const warmCount = config.warm.reduce((sum, { count }) => sum + count, 0);
    const ramMiB = Math.max(1, Math.floor(config.ramMiB / Math.max(1, warmCount)));
    this.#pool = new WarmPool({ runtime, server: this.#server, warm: config.warm, ramMiB });
    this.#bundles = new BundleStore({ directory: folders.bundles, jobFolder: folders.job });
    this.#packages = new Packages({ runtime, directory: folders.packages, clientPackage: config.clientPackage, python: config.python, seesDisk: folders.job === null });
    this.#proxy = folders.job === null ? null : new MainProxy({
      path: join(folders.sockets, "main.sock"),
      main: () => this.#link.address,
      isToken: (token) => [...this.#tokens.values()].includes(token),
    });
    this.#codeRequests = new CodeRequests((message) => this.#link.send(message));
    this.#link = new MainLink({
      address: mainAddress(config),
      software: `burla node ${config.nodeId}`,
      introduce: () => [this.#hello(), this.#status.note(), ...(this.#leaving === null ? [] : [this.#leaving]), ...this.#codeRequests.repeated()],
      onMessage: (message, body) => this.#receive(message, body),
      onRefused: (jobId, reason) => {
        dependencies.log.error({ jobId, reason }, "what was said of a job was refused");
        void this.#stop(jobId, "what was said of it was refused");
      },
      onCrowded: () => {
        for (const group of this.#groups.values()) this.#holdIfCrowded(group);
      },
      onUseless: (reason) => void this.shutdown(`main takes nothing of what this node says: ${reason}`),
      orphan: new OrphanWatch({
        ...config,
        worksAlone: () => [...this.#groups.values()].some(({ isElsewhere }) => isElsewhere),
        onOrphaned: () => void this.shutdown("main has been out of reach for too long"),
      }),
    });
    this.#queues = new WorkQueues({ nodeId: config.nodeId, link: this.#link, ended: (jobId, reason) => void this.#stop(jobId, reason) });
    this.#status = new NodeStatus({
      look: () => ({
        slots: [...this.#pool.slots, ...[...this.#groups.values()].flatMap((group) => [...group.slots])],
        groups: this.#groups.values(),
        trouble: runtime.trouble,
      }),
      send: (message) => this.#link.send(message),
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.#server.listen(), this.#proxy?.listen()]);
    const warm = this.#begin();
    this.#link.start();
    this.#renewal = setInterval(() => this.#link.send({ type: "renew", jobs: [...this.#groups.keys()] }), LEASE_RENEW_MS);
    await this.#becomeReady(warm);
  }

  /** What keeps the runtime from starting containers has changed. */
  troubleChanged(): void {
    this.#status.tell();
  }

  /** The machine is about to go: what has not begun goes back to main, which gives nothing new. */
  leave(reason: string): void {
    if (this.#leaving !== null) return;
    this.#dependencies.log.info({ reason }, "leaving");
    this.#leaving = { type: "nodeLeaving", reason };
    this.#link.send(this.#leaving);
    for (const group of this.#groups.values()) group.drain();
  }

  /** As `leave`; then ends, when what it has begun is done, or after this time. */
  async leaveAndEnd(reason: string, withinMs: number): Promise<void> {
    this.leave(reason);
    if (this.#groups.size > 0) await Promise.race([new Promise<void>((resolve) => (this.#onEmpty = resolve)), new Promise((resolve) => setTimeout(resolve, withinMs))]);
    await this.shutdown(reason);
  }

  /** Ends all workers, then the program. Main and a signal may both ask for it. */
  shutdown(reason: string): Promise<void> {
    return (this.#ending ??= this.#end(reason));
  }

  async #end(reason: string): Promise<void> {
    this.#dependencies.log.info({ reason }, "shutting down");
    clearInterval(this.#renewal);
    clearTimeout(this.#retry);
    this.#status.close();
    this.#link.close();
    await Promise.all([...[...this.#groups.values()].map((group) => group.stop()), ...this.#stopping, this.#pool.killRest()]);
    this.#server.close();
    this.#proxy?.close();
    this.#dependencies.exit();
  }

  #receive(message: MainToNode, body: Uint8Array): void {
    switch (message.type) {
      case "assign":
        return this.#assign(message, body);
      case "nodeCode":
        return this.#codeRequests.answered(message, body);
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
        prepare: (signal, onProgress) => this.#prepare(spec, shape, { code, fetch: () => this.#codeRequests.fetch(jobId, signal) }, { signal, onProgress }),
        environment: this.#environmentOf(message),
        startWorker: () => this.#pool.start(shape),
          openQueue: (listener) => this.#queues.open(message, listener),
          changed: () => this.#status.tell(),
          busyChanged: () => this.#status.tellSoon(),
        nodeFailed: (reason) => this.#fail(reason),
      },
      slots,
    );
    this.#holdIfCrowded(group);
    this.#groups.set(jobId, group);
    this.#tokens.set(jobId, message.token);
    this.#enter("RUNNING", spec.name);
  }

  /** What is answered elsewhere does not wait here for main. */
  #holdIfCrowded(group: JobGroup): void {
    if (!group.isElsewhere) group.hold(this.#link.isCrowded);
  }

  async #prepare({ runtime, bundle }: JobSpec, { image, python }: WorkerShape, source: CodeSource, waiting: Waiting): Promise<Prepared> {
    // The code first: it comes once, also when its packages cannot be had this time.
    await this.#bundles.keep({ runtime, bundle }, source);
    const { links, path } = await this.#packages.provide({ runtime, image, python, externals: bundle.externals }, waiting);
    return { bundlePath: await this.#bundles.path(bundle.id, links), packagesPath: path };
  }

  async #stop(jobId: JobId, reason: string): Promise<void> {
    const group = this.#groups.get(jobId);
    if (group === undefined) return;
    this.#groups.delete(jobId);
    this.#tokens.delete(jobId);
    const stopped = this.#endGroup(group);
    if (this.#groups.size > 0) return void (await stopped);
    if (this.#leaving !== null) return void stopped.then(() => this.#onEmpty?.());
    this.#enter("REBOOTING", reason);
    await this.#becomeReady(Promise.all([stopped.then(() => this.#tidy()), this.#pool.fill()]));
  }

  /** Nothing of an earlier run is left when the first container starts. */
  async #begin(): Promise<void> {
    checkRoom(this.#dependencies.config.directory);
    await this.#dependencies.runtime.prepare();
    await this.#packages.prepare();
    await this.#bundles.clear();
    await this.#pool.fill();
  }

  #endGroup(group: JobGroup): Promise<void> {
    const stopped = group.stop();
    this.#stopping.add(stopped);
    return stopped.finally(() => this.#stopping.delete(stopped));
  }

  async #tidy(): Promise<void> {
    await this.#bundles.clear();
    if (this.#groups.size === 0) await this.#packages.prune();
  }

  /** No container can be started here, which is no fault of a job: what it had goes to other nodes. */
  #fail(reason: string): void {
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    this.#tokens.clear();
    const stopped = Promise.all(groups.map((group) => this.#endGroup(group)));
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
    this.#dependencies.log.info({ state, reason }, "state");
    this.#status.enter(state, reason);
  }

  /** Workers elsewhere than on the machine of their caller keep what they have. */
  #environmentOf({ jobId, spec, token }: Of<MainToNode, "assign">): Pick<Of<NodeToWorker, "load">, "env" | "isWholeEnv"> {
    const environment = this.#dependencies.runtime.sharesMachine ? spec.environment : null;
    const ours = Object.entries({ ...this.#wayToMain(), BURLA_JOB: jobId, BURLA_JOB_TOKEN: token });
    return { env: [...new Map([...(environment ?? []), ...spec.env, ...ours])], isWholeEnv: environment !== null };
  }

  /** For functions that start jobs of their own: over this node's socket, which containers see, or as this node does. */
  #wayToMain(): Record<string, string> {
    if (this.#proxy !== null) return { BURLA_URL: this.#proxy.url };
    const { url, certificate, socket } = this.#link.address;
    const { vm, connectionFile } = this.#dependencies.config;
    const onThisMachine = vm === null ? { BURLA_MAIN_FILE: connectionFile, ...(socket !== null && { BURLA_MAIN_SOCKET: socket }) } : {};
    return { BURLA_URL: url, ...onThisMachine, ...(certificate === null ? {} : { BURLA_CERTIFICATE: certificate }) };
  }

  get #nodeId(): NodeId {
    return this.#dependencies.config.nodeId as NodeId;
  }

  #hello(): NodeToMain {
    const { cpu, ramMiB, maxCpu, maxRamMiB } = this.#dependencies.config;
    const inGroups = [...this.#groups].flatMap(([jobId, group]) => group.grantIdsOfMain.map((grantId) => ({ jobId, grantId })));
    return {
      type: "nodeHello", nodeId: this.#nodeId, cpu, ramMiB, maxCpu, maxRamMiB, pid: process.pid,
      jobs: [...this.#groups.keys()], holding: [...inGroups, ...this.#link.unstoredGrants()],
    };
  }
}
