/** How a job's log begins anew, without what nobody will ask for again. Pure: which records, in which order. */
import { pack } from "@burla/protocol";
import type { JobSnapshot } from "../core/snapshot.ts";
import type { AnsweredChunk, JobRecord } from "./job-records.ts";

/** A log is looked at when it has grown to this, and then whenever it has doubled. */
export const COMPACT_BYTES = 64 * 1024 * 1024;
/**
 * More is not copied, because main stands still meanwhile: 64 MiB took 0.1 to 0.3 s, 250 MiB up to 2.8 s, on two
 * processors with five times as much to do.
 */
export const MAX_LIVE_BYTES = 128 * 1024 * 1024;

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
