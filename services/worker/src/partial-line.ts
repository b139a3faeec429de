/** A line as far as it has been written. */
import { MAX_LOG_LINE_BYTES, overwritten, UPDATE } from "@burla/protocol";
import { UPDATE_CHARACTERS, UPDATE_MS } from "./pace.ts";

export interface PartialLine {
  /** Its begin, */
  readonly kept: string;
  /** and how long it really is. */
  readonly characters: number;
  /** What follows is written over it. */
  readonly hasReturned: boolean;
  /** Something was written over its begin: it is sent by its states. */
  readonly isOver: boolean;
  /** Its last state that was sent, and when. */
  readonly sent: { readonly text: string; readonly ms: number } | null;
}

export const NO_LINE: PartialLine = { kept: "", characters: 0, hasReturned: false, isOver: false, sent: null };

/** With text, in which no end of a line is, behind it or in its place. */
export function extend(line: PartialLine, text: string): PartialLine {
  const { rest, isNew, hasReturned } = overwritten(text);
  const isReplaced = isNew || (line.hasReturned && rest !== "");
  const { kept, characters } = isReplaced ? NO_LINE : line;
  const room = MAX_LOG_LINE_BYTES - kept.length;
  return {
    kept: room > 0 ? kept + rest.slice(0, room) : kept,
    characters: characters + rest.length,
    hasReturned: hasReturned || (line.hasReturned && rest === ""),
    isOver: line.isOver || isReplaced,
    sent: line.sent,
  };
}

/** The state to be sent of a line that is written over; null when there is none that is due. */
export function dueUpdate({ kept, isOver, sent }: PartialLine, nowMs: number): string | null {
  if (!isOver || kept === sent?.text || (sent !== null && nowMs - sent.ms < UPDATE_MS)) return null;
  return kept.trim() === "" ? null : kept.slice(0, UPDATE_CHARACTERS) + UPDATE;
}

/** Nothing is left of a line that was erased, unless its states are to be taken away again. */
export function isErased({ kept, isOver, sent }: PartialLine): boolean {
  return isOver && sent === null && kept.trim() === "";
}
