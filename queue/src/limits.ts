/** Sizes and times of the queue in Firestore. Its own limits: 1 MiB a document, 10 MiB a commit (the emulator: 4 MiB). */

const KiB = 1024;

/** Bytes in a document beside a few small fields. */
export const MAX_DOCUMENT_BYTES = 900 * KiB;
/** A payload up to this size lies in the document that everybody listens to; a larger one in a document of its own. */
export const MAX_INLINE_BYTES = 8 * KiB;
/** Writes that leave together. */
export const MAX_COMMIT_BYTES = 3 * 1024 * KiB;
export const MAX_COMMIT_WRITES = 200;
export const COMMITS_AT_ONCE = 4;

/** A chunk is its node's for so long unless it renews: a document may be written once a second. */
export const CHUNK_LEASE_MS = 15_000;
export const CHUNK_RENEW_MS = 5_000;
/**
 * Its end is rounded up to this: an index of values that only grow takes 500 writes a second, and equal ones lie in the
 * order of the documents' random ids.
 */
const LEASE_GRID_MS = 2_000;

/** @returns until when a chunk that is written now is its node's, Unix ms. */
export function leaseEnd(nowMs: number): number {
  return Math.ceil((nowMs + CHUNK_LEASE_MS) / LEASE_GRID_MS) * LEASE_GRID_MS;
}
/**
 * Chunks whose node is lost, and documents that a listener has missed, are looked for this often by whoever has nothing to
 * do; sooner at first.
 */
export const FIRST_LOOK_MS = 250;
export const LOOK_FOR_LOST_MS = 4_000;
/** Results of a chunk that takes longer are written this often, the first ones sooner. */
export const RESULTS_EVERY_MS = 1_000;
export const FIRST_RESULTS_MS = 50;
/** Lines of a node are written this often. */
export const LINES_EVERY_MS = 250;

/** Documents that are listened to at once: on each change the emulator tells all of them again. */
export const FREE_WINDOW = 8;
export const RESULT_WINDOW = 16;
/** Taken results of a job whose program is there are kept up to this size, for a program that takes its place. */
export const MAX_KEPT_BYTES = 64 * 1024 * KiB;
/** Documents of a job are of no use after this long; a TTL policy on `expireAt` removes what nobody has. */
export const KEEP_MS = 7 * 24 * 60 * 60 * 1000;
/** Positions and counts are told no more often. */
export const COUNTS_PACE = { minMs: 100, maxMs: 250 };
