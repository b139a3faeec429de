/** The program that calls `remoteParallelMap`, and a reader that attaches later: pulls inputs, takes results, may be cut off. */
import type { JobId } from "@burla/protocol";
import type { Link } from "./link.ts";
import type { FromClient, Outcome, ToClient } from "./messages.ts";
import type { JobPlan } from "./plan.ts";
import type { World } from "./world.ts";

type Inputs = Extract<FromClient, { type: "inputs" }>;
type Results = Extract<ToClient, { type: "results" }>;

export class SimClient {
  readonly jobId: JobId;
  readonly plan: JobPlan;
  /** Feeds the inputs; else it only reads. */
  readonly feeds: boolean;
  /** By index, what the consumer got. */
  readonly taken = new Map<number, Outcome>();
  finished: Extract<ToClient, { type: "finished" }> | null = null;
  refused = false;
  isDead = false;
  pushed = 0;
  readonly #world: World;
  readonly #onOver: () => void;
  #link: Link<ToClient, FromClient> | null = null;
  #submitted = false;
  #accepted = false;
  #credit = { inputs: 0, bytes: 0, chunkInputs: 1 };
  #pushedBytes = 0;
  #pulled = 0;
  #pulling = false;
  readonly #unstored = new Map<number, Inputs>();
  #nextChunk = 0;
  #resuming = false;
  #endStored = false;
  #lastSeq = 0;
  readonly #buffer: Results[] = [];
  #consuming = false;
  #cancelled = false;

  constructor(world: World, jobId: JobId, plan: JobPlan, { feeds, onOver = () => undefined }: { feeds: boolean; onOver?: () => void }) {
    this.#world = world;
    this.jobId = jobId;
    this.plan = plan;
    this.feeds = feeds;
    this.#onOver = onOver;
    this.#accepted = !feeds;
    this.dial();
  }

  /** It has all that it will ever get. */
  get isOver(): boolean {
    return this.isDead || this.refused || (this.finished !== null && this.#buffer.length === 0);
  }

  dial(): void {
    if (this.isDead || this.finished !== null || this.#link?.isOpen === true) return;
    const link = this.#world.dialAsClient({
      receive: (message) => this.#link === link && this.#receive(message),
      closed: () => this.#link === link && this.#redial(),
    });
    this.#link = link;
    if (link === null) return this.#redial();
    this.#resuming = this.#submitted;
    if (this.#accepted) {
      this.#resuming = this.feeds;
      this.#send({ type: "attach", jobId: this.jobId, afterSeq: this.#lastSeq, push: this.feeds, linesAfter: null });
      if (this.#cancelled) this.#send({ type: "cancel", jobId: this.jobId, reason: "the user said so" });
      return;
    }
    this.#send({ type: "submit", jobId: this.jobId, spec: this.plan.spec });
    if (this.#cancelled) this.#send({ type: "cancel", jobId: this.jobId, reason: "the user said so" });
    if (this.#submitted) return;
    this.#submitted = true;
    this.#credit = { inputs: 8, bytes: 1 << 20, chunkInputs: 8 };
    this.#pull();
  }

  cut(forMs: number): void {
    this.#link?.cut();
    this.#link = null;
    this.#world.loop.after(forMs, () => this.dial());
  }

  cancel(): void {
    if (this.isDead || this.finished !== null) return;
    this.#cancelled = true;
    this.#send({ type: "cancel", jobId: this.jobId, reason: "the user said so" });
  }

  die(): void {
    this.isDead = true;
    this.#link?.cut();
    this.#link = null;
  }

  #redial(): void {
    this.#link = null;
    this.#world.loop.after(this.#world.random.spread(5, 200), () => this.dial());
  }

  #send(message: FromClient): void {
    this.#link?.sendToB(message);
  }

  #receive(message: ToClient): void {
    switch (message.type) {
      case "accepted":
        this.#accepted = true;
        this.#forgetStored(message.chunksStored);
        this.#endStored ||= message.inputsEnded;
        return this.#resume();
      case "credit":
        this.#forgetStored(message.chunksStored);
        this.#credit = {
          inputs: Math.max(this.#credit.inputs, message.inputs), bytes: Math.max(this.#credit.bytes, message.bytes), chunkInputs: message.chunkInputs,
        };
        return this.#pull();
      case "results":
        return this.#take(message);
      case "finished":
        this.finished = message;
        return this.#consume();
      case "refused":
        this.refused = true;
        return this.#over();
    }
  }

  #forgetStored(chunksStored: number): void {
    for (const chunkId of this.#unstored.keys()) if (chunkId < chunksStored) this.#unstored.delete(chunkId);
  }

  #resume(): void {
    if (!this.#resuming || this.#endStored) return;
    this.#resuming = false;
    for (const chunk of this.#unstored.values()) this.#send(chunk);
    if (this.#pulled === this.plan.calls.length && !this.#pulling) this.#endInputs();
  }

  /** Pulls a chunk from the generator, if there is credit; and so on. */
  #pull(): void {
    if (!this.feeds || this.#pulling || this.isDead || this.finished !== null) return;
    const left = this.plan.calls.length - this.#pulled;
    if (left === 0 && this.#nextChunk === 0) return this.#endInputs();
    const room = Math.min(this.#credit.inputs - this.#pulled, left);
    if (room <= 0 || this.#pushedBytes >= this.#credit.bytes) return;
    const count = Math.min(this.#credit.chunkInputs, room);
    this.#pulling = true;
    this.#world.loop.after(this.plan.pullMs * count, () => {
      this.#pulling = false;
      if (!this.isDead && this.finished === null) this.#push(count);
    });
  }

  #push(count: number): void {
    const chunkId = this.#nextChunk++;
    const bytes = 100 * count;
    const chunk: Inputs = { type: "inputs", jobId: this.jobId, chunkId, first: this.#pulled, count, bytes };
    this.#pulled += count;
    this.#pushedBytes += bytes;
    this.#unstored.set(chunkId, chunk);
    this.#send(chunk);
    if (this.#pulled === this.plan.calls.length) this.#endInputs();
    this.#pull();
  }

  #endInputs(): void {
    this.#send({ type: "inputsEnd", jobId: this.jobId, total: this.#pulled });
  }

  #take(message: Results): void {
    if (message.seq <= this.#lastSeq) return;
    this.#world.expect(message.seq === this.#lastSeq + 1, () => `${this.jobId}: results ${message.seq} came after ${this.#lastSeq}`);
    this.#lastSeq = message.seq;
    this.#buffer.push(message);
    this.#consume();
  }

  #consume(): void {
    if (this.#consuming || this.isDead) return;
    if (this.#buffer.length === 0) {
      if (this.finished !== null) this.#over();
      return;
    }
    this.#consuming = true;
    this.#world.loop.after(this.plan.consumeMs, () => {
      this.#consuming = false;
      const batch = this.#buffer.shift();
      if (batch === undefined || this.isDead) return;
      this.#open(batch);
      this.#send({ type: "ack", jobId: this.jobId, seq: batch.seq });
      this.#consume();
    });
  }

  #open({ seq, first, count, indices, dropped, outcomes }: Results): void {
    for (let at = 0; at < count; at++) {
      if (dropped.includes(at)) continue;
      const index = indices?.[at] ?? first + at;
      this.#world.expect(!this.taken.has(index), () => `${this.jobId}: input ${index} is answered twice, the second time in results ${seq}`);
      this.taken.set(index, outcomes[at] ?? "ok");
    }
  }

  #over(): void {
    this.#link?.cut();
    this.#link = null;
    this.#onOver();
  }
}
