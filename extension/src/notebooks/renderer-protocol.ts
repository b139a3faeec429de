/** What the output of a cell and the extension say to each other. */
import * as v from "valibot";

/** `startedAtMs` tells the jobs of a notebook apart, also before they have an id. */
export const fromRenderer = v.variant("type", [
  /** It is on the screen, and asks whether its cell runs: answered by `state`. */
  v.object({ type: v.literal("shown"), startedAtMs: v.number() }),
  v.object({ type: v.picklist(["cancel", "rerunFailed", "pickUp", "openLog"]), startedAtMs: v.number() }),
  v.object({ type: v.literal("reveal"), startedAtMs: v.number(), line: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
]);
export type FromRenderer = v.InferOutput<typeof fromRenderer>;

export interface ToRenderer {
  readonly type: "state";
  readonly startedAtMs: number;
  /** False for a job that a window or a kernel has left behind. */
  readonly isRunning: boolean;
}
