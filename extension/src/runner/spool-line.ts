/** Lines of the spool, read again. */
import { fieldsOf } from "./fields.ts";
import { MAX_ROW_TEXT_LENGTH, type Place, type Row } from "./messages.ts";
import { placeOf } from "./place.ts";
import { clip } from "./text.ts";

/** A row, not yet put into the spool. */
export type RowWithoutPlace = Omit<Row, "offset" | "bytes">;

/** What a line of the spool holds. */
export interface SpoolLine {
  readonly index: number;
  readonly afterMs?: unknown;
  readonly input?: unknown;
  readonly value?: unknown;
  readonly error?: PlainError;
}

/** An error as data: `errorToPlain` writes it. */
export interface PlainError {
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly cure?: string;
  readonly cause?: PlainError;
}

/** Null for a line that was not written to its end. */
export function parseLine(line: string): SpoolLine | null {
  try {
    const parsed = JSON.parse(line) as SpoolLine;
    return Number.isSafeInteger(parsed.index) ? parsed : null;
  } catch {
    return null;
  }
}

/** The row of a line that an earlier run wrote. Null for a line that was not written to its end. */
export function rowOfLine(line: string): RowWithoutPlace | null {
  const parsed = parseLine(line);
  if (parsed === null) return null;
  const { index, input, value, error } = parsed;
  const afterMs = typeof parsed.afterMs === "number" && parsed.afterMs >= 0 ? parsed.afterMs : null;
  const head = { index, afterMs, input: input === undefined ? "" : clip(JSON.stringify(input), MAX_ROW_TEXT_LENGTH) };
  if (error === undefined) return { ...head, isFailed: false, text: clip(JSON.stringify(value ?? null), MAX_ROW_TEXT_LENGTH), fields: fieldsOf(value), place: null };
  return { ...head, isFailed: true, text: clip(errorText(error), MAX_ROW_TEXT_LENGTH), fields: null, place: placeInChain(error) };
}

/** Name and message, on one line. */
export function errorText({ name, message }: PlainError): string {
  return `${name ?? "Error"}: ${message ?? ""}`.replace(/\s+/g, " ").trim();
}

/** Where the error came from, or else its cause. */
export function placeInChain(error: PlainError | undefined): Place | null {
  for (let at = error; typeof at === "object" && at !== null; at = at.cause) {
    const place = placeOf(at.stack ?? "");
    if (place !== null) return place;
  }
  return null;
}
