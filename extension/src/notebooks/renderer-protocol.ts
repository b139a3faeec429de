/** What the output of a cell and the extension say to each other. */
import * as v from "valibot";

/** The type of an output that asks something: a text, and what can be answered. */
export const QUESTION_MIME = "application/vnd.burla.question+json";

export const questionSchema = v.object({ text: v.pipe(v.string(), v.maxLength(2_000)), answers: v.pipe(v.array(v.pipe(v.string(), v.maxLength(100))), v.maxLength(5)) });
export type ShownQuestion = v.InferOutput<typeof questionSchema>;

/** `startedAtMs` tells the jobs of a notebook apart, also before they have an id. */
export const fromRenderer = v.variant("type", [
  /** It is on the screen, and asks whether its cell runs: answered by `state`. */
  v.object({ type: v.literal("shown"), startedAtMs: v.number() }),
  v.object({ type: v.picklist(["cancel", "rerunFailed", "pickUp", "openLog", "split"]), startedAtMs: v.number() }),
  v.object({ type: v.literal("answer"), question: v.pipe(v.string(), v.maxLength(2_000)), answer: v.pipe(v.string(), v.maxLength(100)) }),
  v.object({ type: v.literal("reveal"), startedAtMs: v.number(), line: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
]);
export type FromRenderer = v.InferOutput<typeof fromRenderer>;

export interface ToRenderer {
  readonly type: "state";
  readonly startedAtMs: number;
  /** False for a job that a window or a kernel has left behind. */
  readonly isRunning: boolean;
}
