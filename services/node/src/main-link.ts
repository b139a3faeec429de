/** The node's connection to main: dialled again for ever, with what main missed sent again. */
import {
  Backoff, Connection, countEntries, mainToNode, MAX_UNSTORED_BYTES, MAX_WAITING_LOG_BYTES, openStream, pack, type BurlaError, type JobId, type MainToNode, type NodeToMain,
} from "@burla/protocol";
import { Outbox, type GrantOfJob } from "./outbox.ts";
import type { DurableMessage } from "./job-group.ts";
import type { MainAddress } from "./main-address.ts";
import type { OrphanWatch } from "./orphan-watch.ts";

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 1000;
const DIAL_TIMEOUT_MS = 5000;
const NO_LINES = pack([]);
/** A connection that stood this long was of use, */
const SETTLED_MS = 5000;
/** and when main has refused so many in a row, it will not take what this node says. */
const MAX_REFUSALS = 10;

export interface MainLinkOptions {
  /** Asked before each attempt. */
  readonly address: () => Promise<MainAddress>;
  readonly software: string;
  /** What the node says first, on each connection. */
  readonly introduce: () => NodeToMain[];
  readonly onMessage: (message: MainToNode, body: Uint8Array) => void;
  /** Main, or this node, could not make sense of what the other said of a job: it must not be said again. */
  readonly onRefused: (jobId: JobId, reason: string) => void;
  /** Main takes nothing of what this node says. */
  readonly onUseless: (reason: string) => void;
  /** So much waits for main that nothing more should come, or no longer does. */
  readonly onCrowded: (isCrowded: boolean) => void;
  /** Told when main is out of reach, and when it no longer is. */
  readonly orphan: OrphanWatch;
}

export class MainLink {
  readonly #options: MainLinkOptions;
  readonly #outbox = new Outbox();
  #connection: Connection<MainToNode, NodeToMain> | undefined;
  /** Lines that were not kept, by job, to be told with the next ones. */
  readonly #droppedLines = new Map<JobId, number>();
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
  #isCrowded = false;
  #refusals = 0;
  #settling: NodeJS.Timeout | undefined;
  #closed = false;
  #address: MainAddress = { url: "", token: "", certificate: null, socket: null };

  constructor(options: MainLinkOptions) {
    this.#options = options;
  }

  /** Dials until it is connected, and again whenever the connection is lost. */
  start(): void {
    this.#options.orphan.mainLost();
    void this.#dial();
  }

  /** Says it if main is there. @returns whether it was said. */
  trySend(message: NodeToMain): boolean {
    this.#connection?.send(message);
    return this.#connection !== undefined;
  }

  /** Where main was when it was last reached, and the token for it. */
  get address(): MainAddress {
    return this.#address;
  }

  /** Lost if there is no connection: for what is said anew on the next one. */
  send(message: NodeToMain, body: Uint8Array = new Uint8Array(0)): void {
    this.#connection?.send(message, body);
  }

  /** Kept until main has it on disk. Lines that were dropped before it are told before it: after a job's last result nobody listens. */
  sendDurably(message: DurableMessage, body: Uint8Array): void {
    if (message.type !== "nodeLogs") this.#tellDropped(message.jobId);
    const numbered = this.#outbox.add(message, body);
    this.#connection?.send(numbered, body);
    this.#noteRoom();
  }

  /** What main takes slowly, or not at all for a while, would fill this process. */
  get isCrowded(): boolean {
    return this.#isCrowded;
  }

  #noteRoom(): void {
    const isCrowded = this.#outbox.bytes > (this.#isCrowded ? MAX_UNSTORED_BYTES / 2 : MAX_UNSTORED_BYTES);
    if (isCrowded === this.#isCrowded) return;
    this.#isCrowded = isCrowded;
    this.#options.onCrowded(isCrowded);
  }

  /** Durably too, as long as main is not away for so long that too many lines wait for it: then they are counted only. */
  sendLines(jobId: JobId, droppedLines: number, body: Uint8Array): void {
    const dropped = (this.#droppedLines.get(jobId) ?? 0) + droppedLines;
    if (this.#outbox.logBytes + body.byteLength > MAX_WAITING_LOG_BYTES) {
      this.#droppedLines.set(jobId, dropped + countEntries(body));
      return;
    }
    this.#droppedLines.delete(jobId);
    this.sendDurably({ type: "nodeLogs", jobId, droppedLines: dropped }, body);
  }

  #tellDropped(jobId: JobId): void {
    const droppedLines = this.#droppedLines.get(jobId);
    if (droppedLines === undefined) return;
    this.#droppedLines.delete(jobId);
    this.sendDurably({ type: "nodeLogs", jobId, droppedLines }, NO_LINES);
  }

  /** Of which something waits for main to store it. */
  unstoredGrants(): GrantOfJob[] {
    return this.#outbox.grants();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#settling);
    this.#options.orphan.close();
    this.#connection?.close();
  }

  async #dial(): Promise<void> {
    try {
      const address = await this.#options.address();
      const stream = await openStream({ ...address, role: "node", timeoutMs: DIAL_TIMEOUT_MS });
      this.#address = address;
      if (this.#closed) stream.destroy();
      else this.#converse(stream);
    } catch {
      this.#dialLater();
    }
  }

  #converse(stream: Awaited<ReturnType<typeof openStream>>): void {
    this.#options.orphan.close();
    this.#settling = setTimeout(() => this.#settled(), SETTLED_MS);
    const connection = new Connection<MainToNode, NodeToMain>(stream, {
      incoming: mainToNode,
      software: this.#options.software,
      onMessage: (message, body) => {
        if (message.type === "stored") this.#stored(message.nodeSeq);
        else this.#options.onMessage(message, body);
      },
      onClose: (error, about) => this.#lost(error, about),
    });
    this.#connection = connection;
    for (const message of this.#options.introduce()) connection.send(message);
    for (const { message, body } of this.#outbox.all()) connection.send(message, body);
  }

  #stored(nodeSeq: number): void {
    this.#outbox.stored(nodeSeq);
    this.#noteRoom();
    if (this.#droppedLines.size === 0 || this.#outbox.logBytes > MAX_WAITING_LOG_BYTES / 2) return;
    for (const jobId of [...this.#droppedLines.keys()]) this.#tellDropped(jobId);
  }

  #settled(): void {
    this.#backoff.reset();
    this.#refusals = 0;
  }

  #lost(error: BurlaError | undefined, about: JobId | null): void {
    this.#connection = undefined;
    clearTimeout(this.#settling);
    if (this.#closed || error === undefined) return;
    if (error.code === "BURLA_PROTOCOL") this.#refused(error, about);
    this.#options.orphan.mainLost();
    this.#dialLater();
  }

  #refused({ message }: BurlaError, about: JobId | null): void {
    if (about !== null) {
      this.#outbox.forget(about);
      this.#noteRoom();
      return this.#options.onRefused(about, message);
    }
    if (++this.#refusals >= MAX_REFUSALS) this.#options.onUseless(message);
  }

  #dialLater(): void {
    if (!this.#closed) setTimeout(() => void this.#dial(), this.#backoff.next());
  }
}
