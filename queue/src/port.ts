/**
 * The queue of a job as its two users see it. Two implementations: `stream`, through main (`client/src/stream-feed.ts`,
 * `services/node/src/stream-work.ts`), and `firestore`. Both pass `test/contract/job-queue.ts`.
 *
 * The client pushes inputs as far as it is given credit, and takes results and lines, each once. A node takes inputs
 * under a lease, reports what became of them, and gives back what it has not begun. What is said is said in the messages
 * of the protocol, so that neither side knows which queue it is.
 */
import type { MainToClient, MainToNode, NodeToMain, Of } from "@burla/protocol";

export interface ChunkToPush {
  readonly chunkId: number;
  readonly first: number;
  readonly count: number;
  readonly body: Uint8Array;
}

export interface TakenBatch {
  readonly seq: number;
  /** Inputs that it answers. */
  readonly count: number;
  readonly bytes: number;
}

export type FeedMessage = Of<MainToClient, "credit" | "results" | "logs" | "finished">;

/** What the client's side is told. */
export interface FeedListener {
  message(message: FeedMessage, body: Uint8Array): void;
  /** All inputs and their end are where they outlive this program. */
  uploaded(): void;
  /** The queue cannot be used any more. */
  failed(error: unknown): void;
}

/** The client's side. */
export interface FeedQueue {
  push(chunk: ChunkToPush): void;
  /** So many inputs were all. */
  end(total: number): void;
  /** The consumer has taken this batch of results, and all before it. */
  taken(batch: TakenBatch): void;
  /** Nothing more is to be said or heard. */
  close(): Promise<void>;
}

/** What a node reports of grants; numbers that main gives are added where main is told. */
export type WorkReport = WithoutSeq<Of<NodeToMain, "nodeResults" | "grantEnded" | "loadFailed" | "nodeLogs">>;
type WithoutSeq<Message> = Message extends unknown ? Omit<Message, "nodeSeq"> : never;

export type GrantMessage = Of<MainToNode, "grant">;

/** What a node's side is told. */
export interface WorkListener {
  /** Process these inputs. */
  grant(grant: GrantMessage, chunk: Uint8Array): void;
}

/** A node's side, for one job. */
export interface WorkQueue {
  report(message: WorkReport, body: Uint8Array): void;
  lines(droppedLines: number, entries: Uint8Array): void;
  /** Takes no more. What no worker has begun, the node gives back by reports. */
  drain(): void;
  /** Nothing more will be reported. Resolves when others may take what this node had. */
  close(): Promise<void>;
}

/** Where values are that no document can hold. */
export interface LargeValues {
  /** @returns the name under which it is found. */
  put(value: Uint8Array): Promise<string>;
  get(name: string): Promise<Uint8Array>;
}
