/** A line of a cell with a caret below a column; both count from 1. */
const MAX_LINE_LENGTH = 200;

export function frameOf(source: string, line: number, column: number): string {
  const text = source.split(/\r?\n/)[line - 1] ?? "";
  const from = Math.max(0, Math.min(column - 1, text.length) - MAX_LINE_LENGTH / 2);
  const shown = text.slice(from, from + MAX_LINE_LENGTH);
  // A tab stays one, so that the caret stands below its column.
  const indent = shown.slice(0, Math.max(0, column - 1 - from)).replaceAll(/[^\t]/g, " ");
  return `${shown}\n${indent}^`;
}
