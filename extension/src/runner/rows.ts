/** What became of an input -> a line of the spool, and the row that stands for it. */
import { errorToPlain, toJson, type Settled } from "burla/tools";
import { MAX_ROW_TEXT_LENGTH } from "./messages.ts";
import { errorText, placeInChain, type PlainError, type RowWithoutPlace } from "./spool-line.ts";
import { clip } from "./text.ts";

/** An input longer than this as JSON is not repeated beside its result. */
const MAX_INPUT_BYTES = 16 * 1024;

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
