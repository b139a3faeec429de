/**
 * What a window and the keeper of a kernel say to each other: JSON, a line each, over a socket of the user's own. The keeper
 * is told by its first line on stdin what to start; it prints one line when a window may come.
 */
import * as v from "valibot";

export const PROTOCOL_VERSION = 1;
/** A window that is reloaded is back within this time; a window that was closed is not: then the kernel ends. */
export const ALONE_TIMEOUT_MS = 20_000;
/** Longest line: an image in base64 has to fit. */
export const MAX_LINE_CHARACTERS = 64 * 1024 * 1024;

const bundle = v.record(v.string(), v.unknown());
const outputId = v.pipe(v.number(), v.integer());

/** One output of a cell. A display may be replaced later, by its id. */
export const outputSchema = v.variant("kind", [
  v.object({ kind: v.literal("stream"), name: v.picklist(["stdout", "stderr"]), text: v.string() }),
  v.object({ kind: v.literal("display"), data: bundle, metadata: bundle, displayId: v.nullable(v.string()) }),
  v.object({ kind: v.literal("value"), data: bundle, metadata: bundle, executionCount: v.number() }),
  v.object({ kind: v.literal("error"), name: v.string(), message: v.string(), traceback: v.array(v.string()) }),
]);
export type Output = v.InferOutput<typeof outputSchema>;

/** What changes in the outputs of a cell. Ids are unique as long as the kernel lives. */
export const changeSchema = v.variant("op", [
  v.object({ op: v.literal("append"), id: outputId, output: outputSchema }),
  /** More of a stream. */
  v.object({ op: v.literal("text"), id: outputId, text: v.string() }),
  /** May be of an earlier cell. */
  v.object({ op: v.literal("replace"), id: outputId, output: outputSchema }),
  v.object({ op: v.literal("clear") }),
]);
export type Change = v.InferOutput<typeof changeSchema>;

export const kernelSchema = v.variant("type", [
  /** The Node session. */
  v.object({ type: v.literal("node"), language: v.picklist(["typescript", "javascript"]), folder: v.string() }),
  /** A Python interpreter that has the package ipykernel; null for the first Jupyter kernel in Python that is installed. */
  v.object({ type: v.literal("local"), python: v.nullable(v.string()), folder: v.string() }),
  /** A kernel of a Jupyter server. */
  v.object({ type: v.literal("server"), url: v.string(), token: v.string() }),
]);
export type KernelChoice = v.InferOutput<typeof kernelSchema>;

export const startSchema = v.object({
  /** Path of the socket, or name of the pipe. Whoever knows it may use the kernel. */
  socket: v.string(),
  kernel: kernelSchema,
  /** Holds what is too long for a cell. */
  spoolFolder: v.string(),
  /** How long it waits for a window. */
  aloneTimeoutMs: v.optional(v.number(), ALONE_TIMEOUT_MS),
});
export type StartRequest = v.InferOutput<typeof startSchema>;

const clusterSchema = v.nullable(v.object({ url: v.string(), token: v.string(), certificate: v.nullable(v.string()) }));
export const armSchema = v.object({
  cellId: v.string(), cluster: clusterSchema, clusterName: v.string(), onlyInputs: v.nullable(v.array(v.number())), attachTo: v.nullable(v.string()), attachStep: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});

const request = { requestId: v.number() };
export const toKeeperSchema = v.variant("type", [
  /** First of all. An earlier window, if there is one, hears no more. */
  v.object({ type: v.literal("hello"), version: v.number() }),
  v.object({
    type: v.literal("execute"), executionId: v.string(), code: v.string(), cellId: v.string(),
    /** By which a reloaded window finds the cell again; means nothing to the keeper. */
    mark: v.string(),
  }),
  v.object({ type: v.literal("arm"), ...request, run: armSchema }),
  v.object({ type: v.literal("interrupt"), ...request }),
  v.object({ type: v.literal("restart"), ...request }),
  v.object({ type: v.literal("answer"), executionId: v.string(), inputId: v.number(), text: v.string() }),
  /** The kernel is not needed any more. */
  v.object({ type: v.literal("end") }),
]);
export type ToKeeper = v.InferOutput<typeof toKeeperSchema>;

const statusSchema = v.picklist(["starting", "idle", "busy", "restarting", "reconnecting", "dead"]);
const questionSchema = v.object({ inputId: v.number(), prompt: v.string(), isPassword: v.boolean() });
export type Question = v.InferOutput<typeof questionSchema>;

/** An execution that has not ended, or whose end no window has heard, as it is now. */
export const snapshotSchema = v.object({
  executionId: v.string(),
  mark: v.string(),
  executionCount: v.nullable(v.number()),
  startedAtMs: v.number(),
  outputs: v.array(v.object({ id: outputId, output: outputSchema })),
  question: v.nullable(questionSchema),
  outcome: v.nullable(v.picklist(["ok", "error", "aborted", "lost"])),
});
export type Snapshot = v.InferOutput<typeof snapshotSchema>;

const problemSchema = v.object({ message: v.string(), code: v.string(), cure: v.string() });
export type KernelProblemText = v.InferOutput<typeof problemSchema>;

export const toWindowSchema = v.variant("type", [
  v.object({ type: v.literal("welcome"), status: statusSchema, executions: v.array(snapshotSchema) }),
  v.object({ type: v.literal("status"), status: statusSchema }),
  v.object({ type: v.literal("started"), executionId: v.string(), executionCount: v.number() }),
  v.object({ type: v.literal("outputs"), executionId: v.string(), changes: v.array(changeSchema) }),
  v.object({ type: v.literal("question"), executionId: v.string(), question: questionSchema }),
  v.object({ type: v.literal("ended"), executionId: v.string(), outcome: v.picklist(["ok", "error", "aborted", "lost"]) }),
  v.object({ type: v.literal("reply"), requestId: v.number(), problem: v.nullable(problemSchema) }),
]);
export type ToWindow = v.InferOutput<typeof toWindowSchema>;

/** Where the keeper writes one line when it listens, or cannot start. */
export const READY_FD = 3;
export const readySchema = v.object({ problem: v.nullable(problemSchema) });
