/**
 * The conversation of a Node session with the program that runs its cells: lines of JSON over two pipes. One execution at
 * a time; everything that the program says between `execute` and `ended` belongs to it.
 */
import * as v from "valibot";

/** Longest text of one stream event; what is longer comes in pieces. */
export const MAX_STREAM_LENGTH = 64 * 1024;
/** Longest line in either direction: a figure in a display is a few MB. */
export const MAX_MESSAGE_LENGTH = 64 * 1024 * 1024;
const MAX_CODE_LENGTH = 16 * 1024 * 1024;
const MAX_ERROR_LENGTH = 256 * 1024;

const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const armedRunSchema = v.object({
  cellId: text(512),
  cluster: v.nullable(v.object({ url: text(2_048), token: text(4_096), certificate: v.nullable(text(64 * 1024)) })),
  clusterName: text(256),
  onlyInputs: v.nullable(v.array(count)),
  attachTo: v.nullable(text(64)),
  attachStep: v.optional(count, 0),
});

export const commandSchema = v.variant("type", [
  v.object({
    type: v.literal("execute"),
    code: text(MAX_CODE_LENGTH),
    /** What stacks call the code: `cell 3`. */
    label: text(64),
    cellId: v.nullable(text(512)),
    silent: v.boolean(),
    allowInput: v.boolean(),
    armed: v.nullable(armedRunSchema),
  }),
  /** Ends what runs, by a signal that it may hear, else by force. */
  v.object({ type: v.literal("interrupt"), knock: v.optional(count) }),
  v.object({ type: v.literal("answer"), inputId: count, text: text(1024 * 1024) }),
  /** Loads the client; answered by `prepared`. */
  v.object({ type: v.literal("prepare") }),
]);
export type Command = v.InferOutput<typeof commandSchema>;
export type ExecuteCommand = Extract<Command, { type: "execute" }>;

const bundle = v.record(v.string(), v.unknown());

export const reportSchema = v.variant("type", [
  v.object({ type: v.literal("ready") }),
  v.object({ type: v.literal("prepared"), problem: v.nullable(text(MAX_ERROR_LENGTH)) }),
  v.object({ type: v.literal("stream"), name: v.picklist(["stdout", "stderr"]), text: text(MAX_STREAM_LENGTH) }),
  v.object({ type: v.literal("display"), data: bundle, metadata: bundle, displayId: v.nullable(text(256)) }),
  v.object({ type: v.literal("displayUpdate"), data: bundle, metadata: bundle, displayId: text(256) }),
  v.object({ type: v.literal("value"), data: bundle, metadata: bundle }),
  v.object({ type: v.literal("error"), name: text(1024), message: text(MAX_ERROR_LENGTH), traceback: v.array(text(MAX_ERROR_LENGTH)) }),
  v.object({ type: v.literal("clear"), wait: v.boolean() }),
  v.object({ type: v.literal("input"), inputId: count, prompt: text(64 * 1024), isPassword: v.boolean() }),
  /** The last of an execution. The same mark was written to stdout and stderr, below what native code has written there. */
  v.object({ type: v.literal("ended"), outcome: v.picklist(["ok", "error"]), mark: text(64) }),
  /** The code has called `process.exit`. */
  v.object({ type: v.literal("exiting"), code: v.number() }),
]);
export type Report = v.InferOutput<typeof reportSchema>;

/** Which file descriptors of the program are for what. */
export const REPORTS_FD = 3;
export const COMMANDS_FD = 4;

/** A text that native code does not write by chance. */
export function markText(mark: string): string {
  return `\u0000${mark}\u0000`;
}
