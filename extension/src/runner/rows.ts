/** What became of an input -> a line of the spool, and the row that stands for it. */
import { errorToPlain, toJson, type Settled } from "burla/tools";
import { fieldsOf } from "./fields.ts";
import { MAX_ROW_TEXT_LENGTH, type Row } from "./messages.ts";
import { errorText, placeInChain, type PlainError, type RowWithoutPlace } from "./spool-line.ts";
import { clip } from "./text.ts";

/** An input longer than this as JSON is not repeated beside its result. */
const MAX_INPUT_BYTES = 16 * 1024;
/** A value longer than this as JSON has no columns: reading it once more would cost too much. */
const MAX_FIELDS_BYTES = 64 * 1024;

export interface RowAndLine {
  readonly row: RowWithoutPlace;
  /** JSON, without its end. */
  readonly line: string;
}

/** What is known of an entry beside what it is. */
export interface RowFacts {
  readonly index: number;
  /** The input as JSON; null when it is not known any more. */
  readonly input: string | null;
  /** When it came, from the start of its job; null when that is not known. */
  readonly afterMs: number | null;
}

export function rowOf(entry: Settled<unknown>, { index, input, afterMs }: RowFacts): RowAndLine {
  const kept = `${afterMs === null ? "" : `,"afterMs":${afterMs}`}${input === null || input.length > MAX_INPUT_BYTES ? "" : `,"input":${input}`}`;
  const head = { index, afterMs, input: clip(input ?? "", MAX_ROW_TEXT_LENGTH) };
  if (entry.status === "fulfilled") {
    const value = toJson(entry.value);
    return { row: { ...head, isFailed: false, text: clip(value, MAX_ROW_TEXT_LENGTH), fields: fieldsOfJson(value), place: null }, line: `{"index":${index}${kept},"value":${value}}` };
  }
  const error = errorToPlain(entry.reason) as PlainError;
  return {
    row: { ...head, isFailed: true, text: clip(errorText(error), MAX_ROW_TEXT_LENGTH), fields: null, place: placeInChain(error) },
    line: `{"index":${index}${kept},"error":${JSON.stringify(error)}}`,
  };
}

function fieldsOfJson(json: string): Row["fields"] {
  return json.startsWith("{") && json.length <= MAX_FIELDS_BYTES ? fieldsOf(JSON.parse(json)) : null;
}
