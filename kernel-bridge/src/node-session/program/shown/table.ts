/** An array of records as a table: the first rows, and how many there are. */
import { inspect } from "node:util";
import { escapeHtml } from "../../../html.ts";

const MAX_ROWS = 50;
/** The last rows of a long table, below the first ones. */
const TAIL_ROWS = 5;
const MAX_COLUMNS = 30;
const MAX_CELL_LENGTH = 120;

type Row = Readonly<Record<string, unknown>>;

/** Whether it is rows of a table: plain objects of simple values, as from a CSV file or a database. */
export function isTable(value: unknown): value is readonly Row[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  const sample = value.length > 200 ? [...value.slice(0, 100), ...value.slice(-100)] : value;
  return sample.every(isRecord) && sample.some((row) => Object.keys(row).length > 0);
}

function isRecord(row: unknown): row is Row {
  if (typeof row !== "object" || row === null) return false;
  const prototype: unknown = Object.getPrototypeOf(row);
  return (prototype === Object.prototype || prototype === null) && Object.values(row).every(isSimple);
}

function isSimple(value: unknown): boolean {
  return value === null || typeof value !== "object" || value instanceof Date;
}

/** The table as HTML: numbers to the right, the row's index before it. */
export function tableHtml(rows: readonly Row[]): string {
  const { columns, hidden } = columnsOf(rows);
  const head = [`<th></th>`, ...columns.map((name) => `<th scope="col">${escapeHtml(name)}</th>`), ...(hidden > 0 ? ["<th>…</th>"] : [])].join("");
  const gap = rows.length > MAX_ROWS ? [`<tr><td colspan="${columns.length + 1 + (hidden > 0 ? 1 : 0)}">…</td></tr>`] : [];
  const [first, last] = shownRows(rows);
  const body = [...first.map(rowHtml), ...gap, ...last.map(rowHtml)].join("\n");
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>\n<p>${countText(rows, columns.length + hidden)}</p>`;

  function rowHtml([index, row]: [number, Row]): string {
    const cells = columns.map((name) => {
      const align = typeof row[name] === "number" || typeof row[name] === "bigint" ? ' style="text-align: right"' : "";
      return `<td${align}>${escapeHtml(cellText(row[name]))}</td>`;
    });
    return `<tr><th scope="row">${index}</th>${cells.join("")}${hidden > 0 ? "<td>…</td>" : ""}</tr>`;
  }
}

/** The same in characters, for what shows no HTML. */
export function tableText(rows: readonly Row[]): string {
  const { columns, hidden } = columnsOf(rows);
  const [first, last] = shownRows(rows);
  const shown = [...first, ...last];
  const table = [["", ...columns], ...shown.map(([index, row]) => [String(index), ...columns.map((name) => cellText(row[name]))])];
  const widths = ["", ...columns].map((_, column) => Math.max(...table.map((line) => (line[column] ?? "").length)));
  const lines = table.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  if (last.length > 0) lines.splice(1 + first.length, 0, "…");
  return `${lines.join("\n")}\n\n${countText(rows, columns.length + hidden)}`;
}

function columnsOf(rows: readonly Row[]): { columns: string[]; hidden: number } {
  const names = new Set<string>();
  for (const [, row] of shownRows(rows).flat()) for (const name of Object.keys(row)) names.add(name);
  const all = [...names];
  return { columns: all.slice(0, MAX_COLUMNS), hidden: Math.max(0, all.length - MAX_COLUMNS) };
}

function shownRows(rows: readonly Row[]): [[number, Row][], [number, Row][]] {
  const numbered = (from: number, to: number) => rows.slice(from, to).map((row, index): [number, Row] => [from + index, row]);
  if (rows.length <= MAX_ROWS) return [numbered(0, rows.length), []];
  return [numbered(0, MAX_ROWS - TAIL_ROWS), numbered(rows.length - TAIL_ROWS, rows.length)];
}

function countText(rows: readonly Row[], columns: number): string {
  const count = (value: number, word: string) => `${value.toLocaleString("en-US")} ${word}${value === 1 ? "" : "s"}`;
  return `${count(rows.length, "row")} × ${count(columns, "column")}`;
}

function cellText(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : inspect(value, { depth: 0 });
  return text.length > MAX_CELL_LENGTH ? `${text.slice(0, MAX_CELL_LENGTH - 1)}…` : text;
}
