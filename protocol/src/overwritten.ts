/**
 * Lines that are written over, as bars of progress are: a carriage return, or a sequence that erases or goes back, and the
 * text anew. Of such a line counts what was written last. While it goes on, its states are sent now and then as entries
 * that end by `UPDATE`: the next entry of the same input and stream takes their place.
 */
import { MAX_LOG_LINE_BYTES } from "./limits.ts";

/** The end of the text of an entry in whose place the next one of its input and stream comes. */
export const UPDATE = "\r";

const BACK = /\u001b\[(?:[12]K|[01]?G)/g;
const ERASED_BEHIND = /\u001b\[0?K/g;

/** Whether another entry is to take its place. */
export function isUpdate(text: string): boolean {
  return text.endsWith(UPDATE);
}

/** What is left of text: from the last return on that something follows; and whether one stood before, and one at its end. */
export function overwritten(text: string): { rest: string; isNew: boolean; hasReturned: boolean } {
  if (!text.includes("\r") && !text.includes("\u001b[")) return { rest: text, isNew: false, hasReturned: false };
  const plain = text.replace(BACK, "\r").replace(ERASED_BEHIND, "");
  let end = plain.length;
  while (plain[end - 1] === "\r") end--;
  const at = end === 0 ? -1 : plain.lastIndexOf("\r", end - 1);
  return { rest: plain.slice(at + 1, end), isNew: at >= 0, hasReturned: end < plain.length };
}

/** A line of any length as the log takes it. */
export function loggedLine(line: string): string {
  const { rest } = overwritten(line);
  return rest.length <= MAX_LOG_LINE_BYTES ? rest : `${rest.slice(0, MAX_LOG_LINE_BYTES)}… (${rest.length} characters)`;
}
