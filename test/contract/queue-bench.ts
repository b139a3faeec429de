/** Both sides of a job's queue in this process: a client that keeps what it is told, nodes that answer as a test says. */
import { bundleIdOf, decodeEnvelopes, decodeValues, encodeEnvelopes, encodeValues, fromEnvelope, indexAt, logEntriesSchema, pack, toEnvelope, unpack, type JobSpec, type LogEntry, type MainToClient, type Of } from "@burla/protocol";
import type { FeedListener, FeedMessage, FeedQueue, GrantMessage, WorkQueue } from "@burla/queue";
import * as v from "valibot";

export interface QueueBench {
  submit(spec?: Partial<JobSpec>): Promise<ClientSide>;
  /** A node of one worker that works for the job. */
  node(name: string, client: ClientSide): Promise<NodeSide>;
  close(): Promise<void>;
}

export const CODE = Buffer.from("export default () => (x) => x;");

export function specOf(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    name: "test", runtime: "node", image: null, cpu: 1, ramMiB: null, maxParallelism: null, concurrency: 1, onError: "continue", retries: 0,
    timeoutMs: null, grow: 0, detach: false, inputsAtHand: false, setupTimeoutMs: null, env: [], environment: null, cwd: null, parent: null, python: null, queue: null, bundle: { id: bundleIdOf({ runtime: "node", externals: [] }, CODE), externals: [] }, ...changes,
  };
}

type Results = Of<MainToClient, "results">;

export class ClientSide implements FeedListener {
  readonly jobId: Of<MainToClient, "results">["jobId"];
  readonly spec: JobSpec;
  readonly results = new Map<number, unknown>();
  readonly lines: { index: number; text: string; nodeId: string }[] = [];
  droppedLines = 0;
  /** Results that came for an input that had one. */
  doubles = 0;
  finished: Of<MainToClient, "finished"> | undefined;
  /** Whether results are taken as they come. */
  takes = true;
  pushed = 0;
  declare feed: FeedQueue;
  declare cancel: () => Promise<void>;
  #chunks = 0;
  #lastSeq = 0;
  #taken = 0;
  #credit: Of<MainToClient, "credit"> | undefined;
  #follows = false;
  #pushedAtLook = -1;

  constructor(jobId: ClientSide["jobId"], spec: JobSpec) {
    this.jobId = jobId;
    this.spec = spec;
  }

  /** Pushes inputs in chunks of a size. */
  push(inputs: readonly unknown[], size: number): void {
    for (let at = 0; at < inputs.length; at += size) {
      const values = inputs.slice(at, at + size);
      this.feed.push({ chunkId: this.#chunks++, first: this.pushed, count: values.length, body: encodeValues(values) });
      this.pushed += values.length;
    }
  }

  /** Pushes as much as there is credit for, from now on. */
  async pushAsAllowed(): Promise<void> {
    this.#follows = true;
    this.#useCredit();
    await Promise.resolve();
  }

  /** Whether nothing was pushed since the last look. */
  standsStill(): boolean {
    const still = this.pushed > 0 && this.pushed === this.#pushedAtLook && this.results.size === this.pushed;
    this.#pushedAtLook = this.pushed;
    return still;
  }

  takeAll(): void {
    this.feed.taken({ seq: this.#lastSeq, count: this.results.size - this.#taken, bytes: 0 });
    this.#taken = this.results.size;
  }

  message(message: FeedMessage, body: Uint8Array): void {
    switch (message.type) {
      case "credit":
        this.#credit = message;
        return this.#useCredit();
      case "results":
        return this.#take(message, body);
      case "logs":
        this.droppedLines += message.droppedLines;
        for (const [index, , , text] of v.parse(logEntriesSchema, unpack(body))) this.lines.push({ index, text, nodeId: message.nodeId });
        return;
      case "finished":
        this.finished = message;
    }
  }

  uploaded(): void {}

  failed(error: unknown): void {
    throw error;
  }

  #take(message: Results, body: Uint8Array): void {
    const values = message.valuesBytes === 0 ? [] : decodeValues(body.subarray(0, message.valuesBytes));
    const errors = decodeEnvelopes(body.subarray(message.valuesBytes)).map(fromEnvelope);
    for (let position = 0; position < message.count; position++) {
      const outcome = message.failed.includes(position) ? errors.shift() : values.shift();
      const index = indexAt(message, position);
      if (message.dropped.includes(position)) continue;
      if (this.results.has(index)) this.doubles++;
      else this.results.set(index, outcome);
    }
    this.#lastSeq = message.seq;
    if (this.takes) this.takeAll();
  }

  #useCredit(): void {
    const credit = this.#credit;
    if (!this.#follows || credit === undefined) return;
    while (this.pushed < credit.inputs) {
      const size = Math.min(credit.chunkInputs, credit.inputs - this.pushed);
      this.push(Array.from({ length: size }, () => 1), size);
    }
  }
}

/** A grant as it is held: what is not answered. */
export interface Held extends GrantMessage {
  readonly values: unknown[];
  readonly open: Set<number>;
}

export class NodeSide {
  readonly name: string;
  readonly grants: Held[] = [];
  /** Inputs that were granted in all. */
  inputs = 0;
  isStopped = false;
  onGrant: ((grant: Held) => void) | undefined;
  declare work: WorkQueue;
  /** Ends without a word. */
  declare vanish: () => void;

  constructor(name: string) {
    this.name = name;
  }

  grant(message: GrantMessage, chunk: Uint8Array): void {
    const held: Held = { ...message, values: decodeValues(chunk), open: new Set() };
    for (let position = message.from; position < message.to; position++) held.open.add(position);
    this.inputs += held.open.size;
    this.grants.push(held);
    // Not within the call that grants: a real worker answers later.
    if (this.onGrant !== undefined) setImmediate(() => this.onGrant?.(held));
  }

  openOf(grant: Held): number[] {
    return [...grant.open];
  }

  nextOpen(grant: Held): number {
    return this.openOf(grant)[0] ?? -1;
  }

  answersAll(call: (input: unknown) => unknown): void {
    this.onGrant = (grant) => this.answer(grant, this.openOf(grant), call);
  }

  /** Answers these positions of a chunk; an Error that the call gives is a failure. */
  answer(grant: Held, positions: readonly number[], call: (input: unknown) => unknown): void {
    if (positions.length === 0) return;
    const outcomes = positions.map((position) => call(grant.values[position]));
    const failed = outcomes.flatMap((outcome, at) => (outcome instanceof Error ? [at] : []));
    const values = encodeValues(outcomes.filter((outcome) => !(outcome instanceof Error)));
    const body = Buffer.concat([values, encodeEnvelopes(outcomes.flatMap((outcome) => (outcome instanceof Error ? [toEnvelope(outcome)] : [])))]);
    for (const position of positions) grant.open.delete(position);
    this.#forgetIfOver(grant);
    const indices = positions.map((position) => grant.first + position);
    this.work.report(
      { type: "nodeResults", jobId: grant.jobId, grantId: grant.grantId, first: indices[0] ?? 0, count: indices.length, indices, failed, final: [], valuesBytes: values.byteLength, runMs: positions.length },
      body,
    );
  }

  release(grant: Held, positions: number[]): void {
    for (const position of positions) grant.open.delete(position);
    this.#forgetIfOver(grant);
    this.#end(grant, "released", positions);
  }

  /** Its worker ends. */
  lose(grant: Held): void {
    const open = this.openOf(grant);
    grant.open.clear();
    this.#forgetIfOver(grant);
    this.#end(grant, "worker-exited", open);
  }

  lines(entries: LogEntry[], droppedLines: number): void {
    this.work.lines(droppedLines, pack(entries));
  }

  #end({ jobId, grantId }: Held, cause: "released" | "worker-exited", unfinished: number[]): void {
    this.work.report({ type: "grantEnded", jobId, grantId, cause, detail: "it exited with code 1", lostWorkers: cause === "released" ? 0 : 1, unfinished }, new Uint8Array(0));
  }

  #forgetIfOver(grant: Held): void {
    if (grant.open.size === 0) this.grants.splice(this.grants.indexOf(grant), 1);
  }
}
