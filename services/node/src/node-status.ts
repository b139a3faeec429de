/** What main is told of the node: its state and why, its workers, and what a job waits for here. */
import type { NodeToMain, Of } from "@burla/protocol";
import type { JobGroup } from "./job-group.ts";
import type { Slot } from "./slot.ts";

/** Which workers are busy is told so much later, as it is then: with short calls it changes all the time, and most of
 * the time nothing is to be told. */
const BUSY_MS = 250;
const MAX_REASON_CHARACTERS = 1000;
const MAX_PREPARING_CHARACTERS = 500;

type StateMessage = Of<NodeToMain, "nodeState">;
export type NodeState = StateMessage["state"];

/** The node as it is at the moment. */
export interface Seen {
  /** Those that are warm and those of jobs. */
  readonly slots: readonly Pick<Slot, "workerId" | "kind" | "image" | "state" | "jobId" | "container">[];
  readonly groups: Iterable<Pick<JobGroup, "jobId" | "preparing">>;
  /** What keeps the runtime from starting containers; empty when nothing does. */
  readonly trouble: string;
}

export interface NodeStatusOptions {
  readonly look: () => Seen;
  readonly send: (message: StateMessage) => void;
}

export class NodeStatus {
  readonly #options: NodeStatusOptions;
  #state: NodeState = "BOOTING";
  #reason = "";
  #told = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NodeStatusOptions) {
    this.#options = options;
  }

  /** Tells a new state. */
  enter(state: NodeState, reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.tell();
  }

  tell(): void {
    this.#options.send(this.note());
  }

  /** Tells it soon, unless by then it looks as it was told before. */
  tellSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (lookOf(this.#message()) !== this.#told) this.tell();
    }, BUSY_MS);
  }

  /** What is to be told, for whoever sends it at once. */
  note(): StateMessage {
    const message = this.#message();
    this.#told = lookOf(message);
    return message;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #message(): StateMessage {
    const { slots, groups, trouble } = this.#options.look();
    const workers = slots.map(({ workerId, kind, image, state, jobId, container }) => ({ workerId, runtime: kind, image, state, jobId, pid: container.pid }));
    const preparing = [...groups].flatMap((group) => (group.preparing === "" ? [] : [{ jobId: group.jobId, text: group.preparing.slice(0, MAX_PREPARING_CHARACTERS) }]));
    const reason = trouble || preparing[0]?.text || this.#reason;
    return { type: "nodeState", state: this.#state, reason: reason.slice(0, MAX_REASON_CHARACTERS), workers, preparing };
  }
}

/** What changes of a node that works, as text to be compared. */
function lookOf({ workers, preparing }: StateMessage): string {
  return JSON.stringify([workers, preparing]);
}
