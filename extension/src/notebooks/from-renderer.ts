/** What the buttons in a cell's output say to the extension. */
import * as v from "valibot";

/** What the renderer says; `startedAtMs` tells the jobs of a notebook apart, also before they have an id. */
export const fromRenderer = v.variant("type", [
  v.object({ type: v.picklist(["cancel", "rerunFailed", "showLog", "openLog"]), startedAtMs: v.number() }),
  v.object({ type: v.literal("reveal"), startedAtMs: v.number(), line: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
]);
export type FromRenderer = v.InferOutput<typeof fromRenderer>;
