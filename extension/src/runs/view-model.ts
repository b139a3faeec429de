/** Runs -> what the results view shows, in words. No editor. */
import type { Question } from "../clusters/questions.ts";
import { placeOf } from "../runner/place.ts";
import type { PlainError, SpoolLine } from "../runner/spool-line.ts";
import { clip } from "../runner/text.ts";
import type { JobProgress, Row } from "../runner/messages.ts";
import { countText, durationText, numberText } from "../view/texts.ts";
import type { RunRecord } from "./record.ts";
import { fieldOf, type RowStore } from "./row-store.ts";
import type { ViewDetail, ViewFrame, ViewRow, ViewRun } from "./view-messages.ts";

/** Longest text of a value in the details; an editor shows the whole. */
const MAX_DETAIL_LENGTH = 20_000;
const MAX_FRAMES = 50;
const MAX_GROUPS = 20;

export interface RunFacts {
  readonly record: RunRecord;
  readonly progress: JobProgress | null;
  readonly question: Question | null;
  readonly rows: Pick<RowStore, "count" | "failed" | "columns" | "errorGroups">;
  readonly nowMs: number;
}

/** What the words about a run are made of. */
type StatusFacts = Pick<RunFacts, "record" | "progress" | "nowMs"> & { readonly rows: Pick<RowStore, "count" | "failed"> };

export function viewRun(facts: RunFacts): ViewRun {
  const { record, rows, question } = facts;
  const { id, label, sourceLabel, phase, problem, total } = record;
  return { id, job: record.job?.firstLine ?? 0, label, sourceLabel, phase, status: statusText(facts), problem, question, settled: rows.count, failed: rows.failed, groups: rows.errorGroups(MAX_GROUPS), columns: rows.columns, isTrial: record.trial !== null, total };
}

export function viewRow(row: Row, columns: readonly string[]): ViewRow {
  const { index, isFailed, afterMs, input, text } = row;
  const fields = columns.map((name) => {
    const field = fieldOf(row, name);
    return field === undefined ? "" : String(field);
  });
  return { index, isFailed, after: afterMs === null ? "" : `${(afterMs / 1000).toFixed(2)} s`, input, fields, text };
}

/** Such as `Running: 512 of 1,000 · 3 failed · 120/s · about 4 s left`. */
export function statusText({ record, progress, rows, nowMs }: StatusFacts): string {
  const elapsedMs = Math.max(0, (record.endedAt ?? nowMs) - (record.workedFrom ?? record.startedAt));
  const failed = rows.failed === 0 ? [] : [`${numberText(rows.failed)} failed`];
  switch (record.phase) {
    case "preparing":
      return "Waiting for a cluster…";
    case "running":
      return runningText({ record, progress, rows }, failed, elapsedMs);
    case "done":
      if (record.trial !== null) return [`Tried ${countText(rows.count, "input")}`, ...failed, `in ${durationText(elapsedMs)}`, ...estimateText(record.trial, rows.count, elapsedMs)].join(" · ");
      return [`Done: ${countText(rows.count, "input")}`, ...failed, `in ${durationText(elapsedMs)}`].join(" · ");
    case "cancelled":
      return ["Cancelled", settledText(rows.count, record.total), ...failed].join(" · ");
    case "failed":
      return ["Stopped", ...(rows.count > 0 ? [settledText(rows.count, record.total), ...failed] : [])].join(" · ");
  }
}

function runningText({ record, progress, rows }: Pick<StatusFacts, "record" | "progress" | "rows">, failed: readonly string[], elapsedMs: number): string {
  const again = record.job?.indexes ?? null;
  if (progress === null) return rows.count === 0 ? "Starting…" : ["Running", settledText(rows.count, record.total), ...failed].join(" · ");
  if (progress.phase !== "running") return `Waiting: ${progress.reason || progress.phase}`;
  const settled = progress.done + progress.failed;
  const head = again === null ? `Running: ${settledText(rows.count, record.total)}` : `Running ${countText(again.length, "input")} again`;
  const perSecond = elapsedMs > 0 && again === null ? (settled * 1000) / elapsedMs : 0;
  const left = record.total !== null && perSecond > 0 && again === null ? (record.total - rows.count) / perSecond : 0;
  return [head, ...failed, ...(perSecond > 0 ? [`${perSecond >= 10 ? numberText(Math.round(perSecond)) : perSecond.toFixed(1)}/s`] : []), ...(left > 1 ? [`about ${durationText(left * 1000)} left`] : [])].join(" · ");
}

/**
 * What all inputs would take, from what the first ones took: an upper bound, as those had the start of the workers in
 * their time.
 */
function estimateText({ of, workers }: NonNullable<RunRecord["trial"]>, tried: number, elapsedMs: number): string[] {
  if (of === null || tried === 0 || of <= tried) return [];
  const callMs = (elapsedMs * Math.min(Math.max(1, workers), tried)) / tried;
  return [`all ${numberText(of)}: at most about ${durationText((callMs * of) / Math.max(1, workers))} on ${countText(Math.max(1, workers), "worker")}`];
}

function settledText(count: number, total: number | null): string {
  return total === null ? `${numberText(count)} so far` : `${numberText(count)} of ${numberText(total)}`;
}

export function detailOf({ index, input, value, error }: SpoolLine, rowInput: string): ViewDetail {
  const shownInput = clip(input === undefined ? rowInput : pretty(input), MAX_DETAIL_LENGTH);
  if (error !== undefined) return { kind: "error", index, input: shownInput, ...errorParts(error) };
  const text = pretty(value ?? null);
  return { kind: "value", index, input: shownInput, value: clip(text, MAX_DETAIL_LENGTH), isCut: text.length > MAX_DETAIL_LENGTH };
}

/** What an editor shows of a result. */
export function documentOf({ value, error }: SpoolLine): { text: string; language: string } {
  if (error !== undefined) return { text: JSON.stringify(error, null, 2), language: "json" };
  return typeof value === "string" ? { text: value, language: "plaintext" } : { text: pretty(value ?? null), language: "json" };
}

function errorParts(error: PlainError): { message: string; cure: string; frames: ViewFrame[] } {
  const frames: ViewFrame[] = [];
  let at: PlainError | undefined = error;
  for (let depth = 0; typeof at === "object" && at !== null && depth < 5; at = at.cause, depth++) {
    if (depth > 0) frames.push({ text: `Caused by ${at.name ?? "Error"}: ${at.message ?? ""}`, place: null });
    for (const line of (at.stack ?? "").split("\n")) {
      if (/^\s+at /.test(line)) frames.push({ text: line.trim(), place: placeOf(line) });
    }
  }
  return { message: `${error.name ?? "Error"}: ${error.message ?? ""}`, cure: error.cure ?? "", frames: frames.slice(0, MAX_FRAMES) };
}

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "null";
}
