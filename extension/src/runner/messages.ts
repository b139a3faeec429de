/**
 * The conversation of the extension with the program that runs a job for it. The extension says one request, and while a
 * job runs perhaps `cancel`; the program answers with events and ends. JSON only: the two may be Nodes of different
 * versions, whose V8 formats differ.
 */
import * as v from "valibot";

/** Longest preview of an input, a value or an error in a row: what a table can show. */
export const MAX_ROW_TEXT_LENGTH = 300;
export const MAX_ROWS_PER_EVENT = 1_000;
/** Fields of a value that stand in columns of their own; the others are in its JSON. */
export const MAX_FIELDS = 12;
export const MAX_FIELD_NAME_LENGTH = 64;
export const MAX_FIELD_TEXT_LENGTH = 100;
/** What evaluating inputs prints is shown up to here. */
export const MAX_PRINTED_LINES = 1_000;
export const MAX_LINE_LENGTH = 4_000;
export const MAX_PROBLEM_LENGTH = 20_000;
export const MAX_CURE_LENGTH = 2_000;
/** Re-runs name their inputs one by one. */
export const MAX_INDEXES = 1_000_000;

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const path = text(4_096);

/** Where the inputs of a job come from. */
export const inputSourceSchema = v.variant("kind", [
  v.object({ kind: v.literal("file"), path, format: v.picklist(["json", "ndjson", "csv", "tsv", "lines"]) }),
  /** Each file is an input: its path, or what is in it. */
  v.object({ kind: v.literal("glob"), pattern: path, read: v.nullable(v.picklist(["text", "json", "buffer"])) }),
  /** Evaluated at the top level of the function's file. */
  v.object({ kind: v.literal("expression"), text: text(100_000) }),
  /** Something that the function's file exports. */
  v.object({ kind: v.literal("export"), name: text(256) }),
]);
export type InputSource = v.InferOutput<typeof inputSourceSchema>;

/** Which function of a file: one at its top level, or a function expression somewhere in it. */
export const functionRefSchema = v.variant("kind", [
  v.object({ kind: v.literal("named"), name: text(256) }),
  v.object({ kind: v.literal("range"), start: count, end: count, label: text(256) }),
]);
export type FunctionRef = v.InferOutput<typeof functionRefSchema>;

const clusterSchema = v.nullable(v.union([text(64), v.object({ url: text(2_048), token: text(4_096) })]));

/** Where results go, and what becomes of the job. */
const outputFields = {
  cluster: clusterSchema,
  /** Lines of results are added to this file. */
  spool: path,
  /** The job goes on when the window is closed; else it is cancelled then. */
  outlivesWindow: v.boolean(),
  /** The inputs of a job that runs only some of them again; null for all. */
  indexes: v.nullable(v.pipe(v.array(count), v.maxLength(MAX_INDEXES))),
};

export const requestSchema = v.variant("type", [
  v.object({
    type: v.literal("run"),
    file: path,
    fn: functionRefSchema,
    inputs: inputSourceSchema,
    /** Longest time without a further input from an expression or export. */
    inputTimeoutMs: count,
    /** Runs the first so many inputs alone; null for all. */
    limit: v.nullable(v.pipe(count, v.minValue(1))),
    ...outputFields,
  }),
  v.object({ type: v.literal("attach"), jobId: text(64), /** Results that the file has already. */ from: count, ...outputFields }),
  v.object({ type: v.literal("explain"), file: path, fn: functionRefSchema }),
  v.object({ type: v.literal("save"), spool: path, target: path, format: v.picklist(["ndjson", "csv"]) }),
]);
export type Request = v.InferOutput<typeof requestSchema>;
export type JobRequest = Extract<Request, { type: "run" | "attach" }>;
export type RunRequest = Extract<Request, { type: "run" }>;
export type SaveRequest = Extract<Request, { type: "save" }>;

export const commandSchema = v.object({ type: v.literal("cancel") });

/** Where an error came from in the user's own files; line and column from 1. */
export const placeSchema = v.object({ file: path, line: count, column: count });
export type Place = v.InferOutput<typeof placeSchema>;

/** A field of a value: numbers stay numbers, so that they are ordered as such. */
export const fieldSchema = v.union([v.number(), v.boolean(), v.null(), text(MAX_FIELD_TEXT_LENGTH)]);
export type Field = v.InferOutput<typeof fieldSchema>;

/** One input and what became of it. The whole of it is in the spool. */
export const rowSchema = v.object({
  index: count,
  isFailed: v.boolean(),
  input: text(MAX_ROW_TEXT_LENGTH),
  /** The value, or the error's name and message. */
  text: text(MAX_ROW_TEXT_LENGTH),
  /** The first fields of a value that is a plain object; null for everything else. */
  fields: v.nullable(v.pipe(v.array(v.tuple([text(MAX_FIELD_NAME_LENGTH), fieldSchema])), v.maxLength(MAX_FIELDS))),
  /** When it came, from the start of its job; null where nobody has looked. */
  afterMs: v.nullable(v.pipe(v.number(), v.minValue(0))),
  place: v.nullable(placeSchema),
  /** Where its line is in the spool, in bytes. */
  offset: count,
  bytes: count,
});
export type Row = v.InferOutput<typeof rowSchema>;


const progressSchema = v.object({
  phase: v.picklist(["waiting", "running", "interrupted"]),
  reason: text(1_000),
  nodes: count,
  workers: count,
  pushed: count,
  running: count,
  done: count,
  failed: count,
  total: v.nullable(count),
});
export type JobProgress = v.InferOutput<typeof progressSchema>;

const problemSchema = v.object({
  code: v.nullable(text(64)),
  message: text(MAX_PROBLEM_LENGTH),
  cure: text(MAX_CURE_LENGTH),
  /** In the user's files, where one line is the matter. */
  place: v.nullable(placeSchema),
});
export type Problem = v.InferOutput<typeof problemSchema>;

export const eventSchema = v.variant("type", [
  v.object({ type: v.literal("started"), jobId: text(64) }),
  v.object({ type: v.literal("progress"), progress: progressSchema }),
  v.object({ type: v.literal("rows"), rows: v.pipe(v.array(rowSchema), v.maxLength(MAX_ROWS_PER_EVENT)) }),
  /** What the code that makes the inputs has printed. What the function prints is in the job's log. */
  v.object({ type: v.literal("printed"), lines: v.pipe(v.array(text(MAX_LINE_LENGTH)), v.maxLength(MAX_PRINTED_LINES)) }),
  /** How many inputs there are, of which only the first ones run; null where counting them would be work. */
  v.object({ type: v.literal("counted"), inputs: v.nullable(count) }),
  v.object({ type: v.literal("explained"), text: v.string() }),
  v.object({ type: v.literal("saved"), rows: count }),
  /** The last event. */
  v.object({ type: v.literal("ended"), outcome: v.picklist(["done", "cancelled", "failed"]), problem: v.nullable(problemSchema) }),
]);
export type RunnerEvent = v.InferOutput<typeof eventSchema>;

/** The file by which a reloaded window says that it goes on with a run. The runner removes it when it writes no more. */
export function claimFile(spool: string): string {
  return `${spool}.claim`;
}
