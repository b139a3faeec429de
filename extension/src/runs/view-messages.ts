/** The conversation of the extension with its results view. The view shows; the extension owns what is shown. */
import * as v from "valibot";
import type { Place } from "../runner/messages.ts";
import type { RunPhase } from "./record.ts";
import { OWN_COLUMNS } from "./row-order.ts";

/** Rows that the view may ask for at once: some screens of them. */
export const MAX_ROWS_ASKED = 500;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const words = v.pipe(v.string(), v.maxLength(1_000));
const orderSchema = v.object({ column: v.union([v.object({ own: v.picklist(OWN_COLUMNS) }), v.object({ field: words })]), isDescending: v.boolean() });
const filterSchema = v.object({ onlyFailed: v.boolean(), text: words, group: v.nullable(words), order: v.nullable(orderSchema) });

/** What the view says. */
export const viewToHost = v.variant("type", [
  /** It is there, and knows nothing. */
  v.object({ type: v.literal("ready") }),
  /** It wants these rows, and to be told when they change. */
  v.object({ type: v.literal("look"), filter: filterSchema, from: count, count: v.pipe(count, v.maxValue(MAX_ROWS_ASKED)) }),
  /** It wants to show all of one result. */
  v.object({ type: v.literal("detail"), index: count }),
  /** Opens the line that threw, or else the value. */
  v.object({ type: v.literal("open"), index: count }),
  v.object({ type: v.literal("openValue"), index: count }),
  /** Puts a test that fails as this input did on the clipboard; or as the first input of a group of errors. */
  v.object({ type: v.literal("copyTest"), index: count }),
  v.object({ type: v.literal("copyGroupTest"), group: words }),
  v.object({ type: v.literal("openPlace"), file: v.pipe(v.string(), v.maxLength(4_096)), line: count, column: count }),
  /** To the question that the run waits on. */
  v.object({ type: v.literal("answer"), answer: v.pipe(v.string(), v.maxLength(100)) }),
  v.object({ type: v.literal("choose"), id: v.pipe(v.string(), v.maxLength(64)) }),
  v.object({ type: v.literal("command"), name: v.picklist(["cancel", "rerunFailed", "runAgain", "save", "showLog"]) }),
]);
export type ViewToHost = v.InferOutput<typeof viewToHost>;

/** The run that is shown. */
export interface ViewRun {
  readonly id: string;
  /** Which of its jobs is shown: another value when inputs run again. */
  readonly job: number;
  readonly label: string;
  readonly sourceLabel: string;
  readonly phase: RunPhase;
  /** What it does, or how it ended, in words. */
  readonly status: string;
  readonly problem: { readonly message: string; readonly cure: string; readonly place: Place | null } | null;
  /** Only the first inputs were tried: the next step is to run all. */
  readonly isTrial: boolean;
  /** What it waits for the user to say. */
  readonly question: { readonly text: string; readonly answers: readonly string[] } | null;
  readonly settled: number;
  readonly failed: number;
  /** Errors that say the same, the most frequent first; no more than a person reads. */
  readonly groups: readonly { readonly key: string; readonly text: string; readonly count: number }[];
  /** The fields of values that have columns of their own. */
  readonly columns: readonly string[];
  /** Null while their number is not known. */
  readonly total: number | null;
}

export interface ViewRow {
  readonly index: number;
  readonly isFailed: boolean;
  /** When it came, from the start of its job; empty where that is not known. */
  readonly after: string;
  readonly input: string;
  /** One for each column of fields. */
  readonly fields: readonly string[];
  readonly text: string;
}

/** A line of a stack; `place` where it is one of the user's own. */
export interface ViewFrame {
  readonly text: string;
  readonly place: { readonly file: string; readonly line: number; readonly column: number } | null;
}

export type ViewDetail =
  | { readonly kind: "value"; readonly index: number; readonly input: string; readonly value: string; readonly isCut: boolean }
  | { readonly kind: "error"; readonly index: number; readonly input: string; readonly message: string; readonly cure: string; readonly frames: readonly ViewFrame[] };

/** What the extension says. */
export type HostToView =
  /** The page is in sight again. */
  | { readonly type: "shown" }
  | { readonly type: "state"; readonly run: ViewRun | null; readonly runs: readonly { readonly id: string; readonly label: string }[]; readonly version: number }
  | { readonly type: "rows"; readonly from: number; readonly shown: number; readonly rows: readonly ViewRow[]; readonly version: number }
  | { readonly type: "detail"; readonly detail: ViewDetail }
  | { readonly type: "detailGone"; readonly index: number; readonly message: string };
