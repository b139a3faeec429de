/** What became of an input -> a line of the spool, and the row that stands for it. */
import { errorToPlain, toJson, type Settled } from "burla/tools";
import { MAX_ROW_TEXT_LENGTH, type Place, type Row } from "./messages.ts";
import { placeOf } from "./place.ts";
import { clip } from "./text.ts";

/** An input longer than this as JSON is not repeated beside its result. */
const MAX_INPUT_BYTES = 16 * 1024;

export type RowWithoutPlace = Omit<Row, "offset" | "bytes">;

export interface RowAndLine {
  readonly row: RowWithoutPlace;
  /** JSON, without its end. */
  readonly line: string;
}

/** @param input the input as JSON; null when it is not known any more. */
export function rowOf(entry: Settled<unknown>, index: number, input: string | null): RowAndLine {
  const kept = input === null || input.length > MAX_INPUT_BYTES ? "" : `,"input":${input}`;
  const head = { index, input: clip(input ?? "", MAX_ROW_TEXT_LENGTH) };
  if (entry.status === "fulfilled") {
    const value = toJson(entry.value);
    return { row: { ...head, isFailed: false, text: clip(value, MAX_ROW_TEXT_LENGTH), place: null }, line: `{"index":${index}${kept},"value":${value}}` };
  }
  const error = errorToPlain(entry.reason) as PlainError;
  return {
    row: { ...head, isFailed: true, text: clip(errorText(error), MAX_ROW_TEXT_LENGTH), place: placeInChain(error) },
    line: `{"index":${index}${kept},"error":${JSON.stringify(error)}}`,
  };
}

/** The row of a line that an earlier run wrote. Null for a line that was not written to its end. */
export function rowOfLine(line: string): RowWithoutPlace | null {
  const parsed = parseLine(line);
  if (parsed === null) return null;
  const { index, input, value, error } = parsed;
  const head = { index, input: input === undefined ? "" : clip(JSON.stringify(input), MAX_ROW_TEXT_LENGTH) };
  if (error === undefined) return { ...head, isFailed: false, text: clip(JSON.stringify(value ?? null), MAX_ROW_TEXT_LENGTH), place: null };
  return { ...head, isFailed: true, text: clip(errorText(error), MAX_ROW_TEXT_LENGTH), place: placeInChain(error) };
}

/** What a line of the spool holds. */
export interface SpoolLine {
  readonly index: number;
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

function errorText({ name, message }: PlainError): string {
  return `${name ?? "Error"}: ${message ?? ""}`.replace(/\s+/g, " ").trim();
}

function placeInChain(error: PlainError | undefined): Place | null {
  for (let at = error; typeof at === "object" && at !== null; at = at.cause) {
    const place = placeOf(at.stack ?? "");
    if (place !== null) return place;
  }
  return null;
}
