/** Text that is put together from stretches of a cell and from our own, with a source map back to the cell. */
import { addSegment, GenMapping, setSourceContent, toEncodedMap } from "@jridgewell/gen-mapping";

/** A stretch of text; `at` is where it stands in the cell, if it does. */
export interface Piece {
  readonly text: string;
  readonly at?: number;
}

/** Puts `text` in the place of a stretch of the cell. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The cell's text from `start` to `end` with the edits made that lie within. Of two that overlap the first wins. */
export function cut(source: string, start: number, end: number, edits: readonly Edit[]): Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  const within = edits.filter((edit) => edit.start >= start && edit.end <= end);
  for (const edit of within.sort((a, b) => a.start - b.start)) {
    if (edit.start < at) continue;
    if (edit.start > at) pieces.push({ text: source.slice(at, edit.start), at });
    pieces.push({ text: edit.text, at: edit.start });
    at = edit.end;
  }
  if (at < end) pieces.push({ text: source.slice(at, end), at });
  return pieces;
}

/** The whole text, and its map to the cell, whose name the map has as its source. */
export function joinPieces(pieces: readonly Piece[], source: string, name: string): { code: string; map: string } {
  const map = new GenMapping();
  setSourceContent(map, name, source);
  const lineStarts = startsOfLines(source);
  let line = 0;
  let column = 0;
  for (const { text, at } of pieces) {
    let offset = 0;
    for (const part of text.split(/(\n)|(?<=\W)(?=\w)|(?<=\w)(?=\W)/)) {
      if (part === undefined || part === "") continue;
      if (at !== undefined && part !== "\n") {
        const original = positionOf(lineStarts, Math.min(at + offset, source.length));
        addSegment(map, line, column, name, original.line, original.column);
      }
      offset += part.length;
      if (part === "\n") {
        line++;
        column = 0;
      } else {
        column += part.length;
      }
    }
  }
  return { code: pieces.map(({ text }) => text).join(""), map: JSON.stringify(toEncodedMap(map)) };
}

function startsOfLines(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function positionOf(starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low, column: offset - (starts[low] as number) };
}
