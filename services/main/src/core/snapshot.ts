/** A job as it stands, for a log that begins anew: what `restoreJob` needs beside the open chunks themselves. */
import type { RememberedGrant, RememberedJob } from "./restore.ts";
import type { CoreState, Job, Range } from "./state.ts";

export interface JobSnapshot
  extends Pick<RememberedJob, "phase" | "pushedChunks" | "pushedInputs" | "totalInputs" | "answeredInputs" | "answeredBytes" | "failedInputs" | "seq" | "ackedSeq" | "ackedInputs"> {
  /** Chunks with an unanswered input, ascending; `answered` as in `Chunk`. */
  readonly open: readonly { readonly id: number; readonly answered: Uint8Array | null }[];
  /** Who holds what, and what is known of inputs that nobody holds, unless it is nothing. */
  readonly grants: readonly RememberedGrant[];
  /** Numbers up to this one have been used. */
  readonly lastGrantId: number;
}

export function snapshotJob(state: CoreState, job: Job): JobSnapshot {
  const { phase, pushedChunks, pushedInputs, totalInputs, answeredInputs, answeredBytes, failedInputs, seq, ackedSeq, ackedInputs } = job;
  return {
    phase, pushedChunks, pushedInputs, totalInputs, answeredInputs, answeredBytes, failedInputs, seq, ackedSeq, ackedInputs,
    open: [...job.chunks.values()].sort((a, b) => a.id - b.id).map(({ id, answered }) => ({ id, answered })),
    grants: [...heldRanges(job), ...freeRanges(job)],
    lastGrantId: state.nextGrantId - 1,
  };
}

/** In the order in which they were granted: of two that cover an input, the later one holds it. */
function heldRanges(job: Job): RememberedGrant[] {
  return [...job.grants.values()].sort((a, b) => a.id - b.id).map(({ id, nodeId, range }) => ({ grantId: id, nodeId, range }));
}

/** After what is held: these inputs may have been in a grant that has closed them. */
function freeRanges(job: Job): RememberedGrant[] {
  const ranges = [...job.ready, ...job.delayed].filter((range) => !isUntouched(job, range));
  return ranges.map((range) => ({ grantId: 0, nodeId: null, range }));
}

function isUntouched(job: Job, { chunkId, from, to, attempt, losses, failures }: Range): boolean {
  return from === 0 && to === job.chunks.get(chunkId)?.count && attempt === 1 && losses === 0 && failures === 0;
}
