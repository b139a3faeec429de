/**
 * What a cell shows of its job: a document that the client in the kernel displays, and updates in place, under a MIME
 * type of its own beside `text/html` and `text/plain`. The renderer in `media/` draws it; where there is none, the two
 * others stand. The Python client writes the same document.
 */
import * as v from "valibot";

export const CELL_VIEW_MIME = "application/vnd.burla.job+json";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));

/** Of a picture that a result is: the document is sent some times a second with all of them. */
export const MAX_PICTURE_BYTES = 12 * 1024;
const picture = v.pipe(v.string(), v.maxLength(Math.ceil(MAX_PICTURE_BYTES / 3) * 4 + 32), v.regex(/^data:image\/(png|jpeg|gif);base64,[A-Za-z0-9+/]+=*$/));

/** Most that one document holds; the rest is counted, and to be had from the cluster. */
export const MAX_VIEW_LINES = 200;
export const MAX_VIEW_FAILURES = 20;
export const MAX_VIEW_SAMPLES = 5;
export const MAX_VIEW_STEPS = 50;

export const cellViewSchema = v.object({
  version: v.literal(1),
  /** Null until the cluster has taken the job. */
  jobId: v.nullable(text(64)),
  /** Name of the function or of the cell, and of the cluster, for people. */
  name: text(256),
  cluster: text(256),
  /** A map over many inputs, or the whole cell as one call. */
  how: v.picklist(["map", "call"]),
  phase: v.picklist(["preparing", "waiting", "running", "done", "failed", "cancelled", "interrupted"]),
  /** Why it waits, or how it ended; may be empty. */
  reason: text(1024),
  nodes: count,
  workers: count,
  /** Null while it is not known how many there are. */
  total: v.nullable(count),
  done: count,
  failed: count,
  running: count,
  startedAtMs: v.number(),
  elapsedMs: v.number(),
  log: v.object({
    /** The last lines: input (-1 outside of a call), 1 for stdout or 2 for stderr, text. */
    lines: v.pipe(v.array(v.tuple([v.pipe(v.number(), v.integer(), v.minValue(-1)), v.picklist([1, 2]), text(4096)])), v.maxLength(MAX_VIEW_LINES)),
    /** All lines so far, those dropped on the way included. */
    total: count,
    dropped: count,
  }),
  samples: v.pipe(v.array(v.object({ index: count, text: text(512), picture: v.optional(picture) })), v.maxLength(MAX_VIEW_SAMPLES)),
  failures: v.pipe(
    v.array(
      v.object({
        index: count,
        name: text(256),
        message: text(2048),
        /** Counts from 1, in the cell; null when the error is not in the cell's own code. */
        line: v.nullable(count),
        source: v.nullable(text(1024)),
        /** Empty where the kernel tells it as its own error. */
        traceback: text(16_384),
      }),
    ),
    v.maxLength(MAX_VIEW_FAILURES),
  ),
  /** Which job of the cell this is, from 0: a cell has one for each of its maps, one after the other. */
  step: v.optional(count, 0),
  /** The statements of a cell that has several: where each runs, and what its jobs have done so far. */
  steps: v.optional(
    v.pipe(
      v.array(v.object({ line: count, text: text(256), where: v.picklist(["here", "map", "call"]), jobs: count, done: count, failed: count, elapsedMs: v.number() })),
      v.maxLength(MAX_VIEW_STEPS),
    ),
    [],
  ),
  /** Of a cell that is one call: why it is; and the line that keeps it from being a map, where one does. */
  note: v.optional(text(512), ""),
  noteLine: v.optional(v.nullable(count), null),
});
export type CellView = v.InferOutput<typeof cellViewSchema>;
