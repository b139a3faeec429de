/** A connection of this process to a cluster, shared by its jobs, dialled again when it is lost. */
import {
  BurlaError, Connection, mainToClient, type BundleId, type ClientToMain, type JobId, type MainToClient,
} from "@burla/protocol";
import type { ClusterTarget } from "./cluster.ts";
import type { ClusterAddress } from "./types.ts";
import { VERSION } from "./version.ts";

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 2_000;
/** Attempts in a row before the jobs are told that the cluster is gone: about half a minute. */
const MAX_ATTEMPTS = 20;

/** A job as the connection sees it. */
export interface JobChannel {
  readonly jobId: JobId;
  /** The cluster has taken it: it is worth waiting for a cluster that is out of reach. */
  readonly hasBegun: boolean;
  /** Something is still to be said or heard: a connection that is lost must be dialled again. */
  readonly needsConnection: boolean;
  /** A connection stands, the first or a new one: say what is needed to start or to go on. */
  connected(connection: ClusterConnection): void;
  message(message: MainToClient, body: Uint8Array): void;
  /** It has all that it needs from elsewhere: main may be away for as long as it likes. */
  readonly goesOnWithoutMain: boolean;
  /** The cluster cannot be reached any more. */
  failed(error: unknown): void;
}

export class ClusterConnection {
  readonly #target: ClusterTarget;
  readonly #jobs = new Map<JobId, JobChannel>();
  /** Main has not confirmed yet that they are left: what it had sent by then would be taken for a next reader's. */
  readonly #leaving = new Set<JobId>();
  readonly #sentBundles = new Set<BundleId>();
  #connection: Connection<MainToClient, ClientToMain> | undefined;
  #dialling = false;
  /** The cluster was there: what keeps it from starting anew may be over in a moment. */
  #hasStood = false;
  #holds = 0;

  constructor(target: ClusterTarget) {
    this.#target = target;
  }

  /** Dials, and starts the local cluster where it must, while the caller is still busy with its function. */
  prepare(): void {
    if (this.#connection === undefined) void this.#dial({ evenWithoutJobs: true });
  }

  /** Adds a job; it is called back as soon as the connection stands. */
  add(channel: JobChannel): void {
    this.#jobs.set(channel.jobId, channel);
    if (this.#connection === undefined) void this.#dial();
    else channel.connected(this);
  }

  /** Ends the reading of a job: nothing that comes for it is heard. */
  leave(channel: JobChannel): void {
    const { jobId } = channel;
    if (this.#jobs.get(jobId) !== channel) return;
    this.#jobs.delete(jobId);
    if (this.#connection === undefined) return;
    this.#leaving.add(jobId);
    this.#connection.send({ type: "leave", jobId });
  }

  /** A job is read once per connection: main sends each batch of results to a connection once. */
  hasRead(jobId: JobId): boolean {
    return this.#jobs.has(jobId) || this.#leaving.has(jobId);
  }

  /** Where control requests go. @throws BurlaError BURLA_UNREACHABLE */
  address(): ClusterAddress {
    return this.#target.address();
  }

  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  /** Dropped when there is no connection: the job says it again in `connected`. */
  send(message: ClientToMain, ...body: Uint8Array[]): void {
    this.#connection?.send(message, ...body);
  }

  /** Whether the bundle has been sent on this connection; from now on it is taken to have been. */
  claimBundle(id: BundleId): boolean {
    const known = this.#sentBundles.has(id);
    this.#sentBundles.add(id);
    return known;
  }

  /** Main has it no longer. */
  disclaimBundle(id: BundleId): void {
    this.#sentBundles.delete(id);
  }

  /** The process stays alive as long as somebody holds the connection. */
  hold(): void {
    if (++this.#holds === 1) this.#connection?.ref(true);
  }

  release(): void {
    if (--this.#holds === 0) this.#connection?.ref(false);
  }

  async #dial({ evenWithoutJobs = false } = {}): Promise<void> {
    if (this.#dialling) return;
    this.#dialling = true;
    let retryMs = FIRST_RETRY_MS;
    for (let attempt = 1; this.#waiting().length > 0 || (evenWithoutJobs && attempt === 1); attempt++) {
      try {
        const stream = await this.#target.open();
        this.#dialling = false;
        return this.#converse(stream);
      } catch (error) {
        const hopeless = error instanceof BurlaError && error.code !== "BURLA_UNREACHABLE" && !(error.code === "BURLA_CLUSTER_START" && this.#hasStood);
        const isWaitedFor = this.#target.isWaitedFor || this.#waiting().some((job) => job.hasBegun);
        if (hopeless || attempt >= MAX_ATTEMPTS || !isWaitedFor) this.#failAll(error);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
      }
    }
    this.#dialling = false;
  }

  #waiting(): JobChannel[] {
    return [...this.#jobs.values()].filter((job) => job.needsConnection);
  }

  #converse(stream: Awaited<ReturnType<ClusterTarget["open"]>>): void {
    const connection = new Connection<MainToClient, ClientToMain>(stream, {
      incoming: mainToClient,
      software: `burla client ${VERSION}`,
      onMessage: (message, body) => this.#receive(message, body),
      onClose: (error) => this.#lost(error),
    });
    this.#connection = connection;
    this.#hasStood = true;
    connection.ref(this.#holds > 0);
    for (const job of this.#waiting()) job.connected(this);
  }

  #receive(message: MainToClient, body: Uint8Array): void {
    if (message.type === "left") this.#leaving.delete(message.jobId);
    else this.#jobs.get(message.jobId)?.message(message, body);
  }

  #lost(error: BurlaError | undefined): void {
    this.#connection = undefined;
    this.#sentBundles.clear();
    this.#leaving.clear();
    if (error?.code === "BURLA_VERSION" || error?.code === "BURLA_PROTOCOL") return this.#failAll(error);
    if (this.#waiting().length > 0) void this.#dial();
  }

  #failAll(error: unknown): void {
    for (const job of this.#waiting()) {
      if (!job.goesOnWithoutMain) job.failed(error);
    }
  }
}

const connections = new Map<string, ClusterConnection[]>();

/** One connection per cluster and process; another one only for a job that is read a second time. */
export function connectionTo(target: ClusterTarget, jobId?: JobId): ClusterConnection {
  const known = connections.get(target.key) ?? [];
  connections.set(target.key, known);
  const free = known.find((connection) => jobId === undefined || !connection.hasRead(jobId));
  if (free !== undefined) return free;
  const connection = new ClusterConnection(target);
  known.push(connection);
  return connection;
}
