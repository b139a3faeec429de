/** A connection of this process to a cluster, shared by its jobs, dialled again when it is lost. */
import {
  Backoff, BurlaError, Connection, mainToClient, messageOf, type BundleId, type ClientToMain, type JobId, type MainToClient,
} from "@burla/protocol";
import type { ClusterDoor, ClusterTarget } from "./cluster.ts";
import { VERSION } from "./version.ts";

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 2_000;
/** Attempts in a row before the jobs are told that the cluster is gone: about half a minute. */
const MAX_ATTEMPTS = 20;
/** A connection that stood this long was of use, */
const SETTLED_MS = 5_000;
/** and when so many in a row were not, what this process says may be what ends them. */
const MAX_SHORT_LIVED = 20;

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
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
  /** Attempts in a row without a connection on which the cluster has taken a job. */
  #attempts = 0;
  /** Connections in a row that have brought no result and were lost at once. */
  #shortLived = 0;
  #settling: NodeJS.Timeout | undefined;
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
  address(): ClusterDoor {
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

  async #dial({ evenWithoutJobs = false, afterMs = 0 } = {}): Promise<void> {
    if (this.#dialling) return;
    this.#dialling = true;
    for (let waitMs = afterMs, isFirst = true; this.#waiting().length > 0 || (evenWithoutJobs && isFirst); isFirst = false) {
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#attempts++;
      try {
        const stream = await this.#target.open();
        this.#dialling = false;
        return this.#converse(stream);
      } catch (error) {
        const isWaitedFor = this.#target.isWaitedFor || this.#waiting().some((job) => job.hasBegun);
        if (!this.#mayPass(error) || this.#attempts >= MAX_ATTEMPTS || !isWaitedFor) this.#failAll(error);
        waitMs = this.#backoff.next();
      }
    }
    this.#dialling = false;
    this.#attempts = 0;
  }

  /** Whether it may be over in a moment, as while a cluster that was there starts anew. */
  #mayPass(error: unknown): boolean {
    if (!(error instanceof BurlaError)) return true;
    return error.code === "BURLA_UNREACHABLE" || (error.code === "BURLA_CLUSTER_START" && this.#hasStood);
  }

  #waiting(): JobChannel[] {
    return [...this.#jobs.values()].filter((job) => job.needsConnection);
  }

  #converse(stream: Awaited<ReturnType<ClusterTarget["open"]>>): void {
    const connection = new Connection<MainToClient, ClientToMain>(stream, {
      incoming: mainToClient,
      software: `burla client ${VERSION}`,
      onMessage: (message, body) => this.#receive(message, body),
      onClose: (error, about) => this.#lost(error, about),
    });
    this.#connection = connection;
    this.#hasStood = true;
    this.#settling = setTimeout(() => this.#wasOfUse(), SETTLED_MS);
    this.#settling.unref();
    connection.ref(this.#holds > 0);
    for (const job of this.#waiting()) this.#guarded(job, () => job.connected(this));
  }

  #receive(message: MainToClient, body: Uint8Array): void {
    if (message.type === "left") return void this.#leaving.delete(message.jobId);
    if (message.type === "accepted") this.#attempts = 0;
    if (message.type === "results" || message.type === "finished") this.#wasOfUse();
    const job = this.#jobs.get(message.jobId);
    if (job !== undefined) this.#guarded(job, () => job.message(message, body));
  }

  /** What one job cannot do or make sense of ends that job, not the program that it is in. */
  #guarded(job: JobChannel, run: () => void): void {
    try {
      run();
    } catch (error) {
      job.failed(error instanceof BurlaError ? error : new BurlaError("BURLA_PROTOCOL", `what the cluster said of the job cannot be read: ${messageOf(error)}`, { cause: error }));
    }
  }

  #wasOfUse(): void {
    if (this.#settling === undefined) return;
    this.#backoff.reset();
    this.#shortLived = 0;
    clearTimeout(this.#settling);
    this.#settling = undefined;
  }

  /** @param about the job whose message has ended the connection: the others go on over another one. */
  #lost(error: BurlaError | undefined, about: JobId | null): void {
    const wasOfUse = this.#settling === undefined;
    clearTimeout(this.#settling);
    this.#connection = undefined;
    this.#sentBundles.clear();
    this.#leaving.clear();
    const culprit = about === null ? undefined : this.#jobs.get(about);
    if (culprit !== undefined && error?.code === "BURLA_PROTOCOL") culprit.failed(error);
    else if (error !== undefined && !this.#mayPass(error)) return this.#failAll(error);
    if (!wasOfUse && ++this.#shortLived >= MAX_SHORT_LIVED) {
      this.#shortLived = 0;
      this.#failAll(error);
    }
    if (this.#waiting().length > 0) void this.#dial({ afterMs: wasOfUse ? 0 : this.#backoff.next() });
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
