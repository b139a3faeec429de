/** How a job's log begins anew, without what nobody will ask for again. Pure: which records, in which order. */
import { pack } from "@burla/protocol";
import type { JobSnapshot } from "../core/snapshot.ts";
import type { AnsweredChunk, JobRecord } from "./job-records.ts";

/** A log is looked at when it has grown to this, and then whenever it has doubled. */
export const COMPACT_BYTES = 64 * 1024 * 1024;
/** More is not copied: main would stand still for longer than half a second (a quarter on a warm cache, measured on 2 GHz). */
export const MAX_LIVE_BYTES = 256 * 1024 * 1024;

/** A record of the old log as it is, or a new one. */
export type Kept =
  | { readonly from: "old"; readonly record: "job" }
  | { readonly from: "old"; readonly record: "chunk" | "results"; readonly number: number }
  | { readonly from: "new"; readonly record: JobRecord; readonly body: Uint8Array };

/** @param resultsAfter results up to this sequence number have been taken by all that will take them. */
export function* compacted(snapshot: JobSnapshot, resultsAfter: number): Generator<Kept> {
  yield { from: "old", record: "job" };
  for (const { id } of snapshot.open) yield { from: "old", record: "chunk", number: id };
  for (let seq = resultsAfter + 1; seq <= snapshot.seq; seq++) yield { from: "old", record: "results", number: seq };
  for (const grant of snapshot.grants) yield { from: "new", record: { type: "grant", ...grant }, body: new Uint8Array(0) };
  const { open, grants: _, ...counters } = snapshot;
  const answered: AnsweredChunk[] = open.flatMap(({ id, answered: marks }) => (marks === null ? [] : [[id, marks]]));
  yield { from: "new", record: { type: "base", ...counters, resultsAfter }, body: pack(answered) };
}
