/** Finds in a cell's outputs what it shows of its job. No editor. */
import { CELL_VIEW_MIME, cellViewSchema, type CellView } from "@burla/kernel-bridge/cell-view";
import * as v from "valibot";

interface ShownCell {
  readonly outputs: readonly { readonly items: readonly { readonly mime: string; readonly data: Uint8Array }[] }[];
}

/** The last one that can be read, or null: a file may hold anything. */
export function cellViewOf({ outputs }: ShownCell): CellView | null {
  const items = outputs.flatMap(({ items: all }) => all.filter(({ mime }) => mime === CELL_VIEW_MIME));
  for (const { data } of items.reverse()) {
    const view = readView(parse(data));
    if (view !== null) return view;
  }
  return null;
}

export function readView(document: unknown): CellView | null {
  const parsed = v.safeParse(cellViewSchema, document);
  return parsed.success ? parsed.output : null;
}

/** The output with that one. */
export function jobOutputOf<Output extends ShownCell["outputs"][number]>({ outputs }: { readonly outputs: readonly Output[] }): Output | null {
  return outputs.findLast((output) => cellViewOf({ outputs: [output] }) !== null) ?? null;
}

function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString("utf8")) as unknown;
  } catch {
    return null;
  }
}

/** Whether it is a job that goes on by itself when nobody reads it any more. */
export function isLeft(view: CellView | null): boolean {
  return view !== null && view.jobId !== null && isLive(view);
}

/** Whether the job may still run. */
export function isLive({ phase }: CellView): boolean {
  return phase === "preparing" || phase === "waiting" || phase === "running";
}

/** In a cell's status bar: `Burla · Local cluster · 1,000 inputs in 2.1 s`. */
export function placeText(view: CellView): string {
  return ["Burla", view.cluster, whatText(view)].join(" · ");
}

function whatText({ phase, how, total, done, failed, elapsedMs }: CellView): string {
  const count = done + failed;
  const what = how === "call" ? "one call" : `${numberText(phase === "done" && total !== null ? total : count)} ${count === 1 ? "input" : "inputs"}`;
  const fails = failed === 0 ? "" : `, ${numberText(failed)} failed`;
  switch (phase) {
    case "preparing":
    case "waiting":
      return "waiting";
    case "running":
      return total === null || how === "call" ? `${what} so far${fails}` : `${Math.floor((100 * count) / Math.max(1, total))}%${fails}`;
    case "done":
    case "failed":
      return `${what} in ${durationText(elapsedMs)}${fails}`;
    case "cancelled":
    case "interrupted":
      return `${phase} after ${what}${fails}`;
  }
}

function numberText(value: number): string {
  return value.toLocaleString("en-US");
}

export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
}
