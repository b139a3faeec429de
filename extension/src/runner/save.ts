/** The results of a run as a file of the user's: NDJSON, or CSV with a column for each key. */
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { linesOf } from "burla/tools";
import { stringify } from "csv-stringify";
import type { SaveRequest } from "./messages.ts";
import { parseLine, type SpoolLine } from "./spool-line.ts";

/** More columns than this nobody reads: then inputs and values are JSON in one column each. */
const MAX_COLUMNS = 256;

/** @returns how many results were saved. */
export async function saveResults({ spool, target, format }: SaveRequest): Promise<number> {
  const last = await lastLines(spool);
  const rows = () => newestLines(spool, last);
  if (format === "ndjson") {
    await pipeline(Readable.from(ndjson(rows())), createWriteStream(target));
  } else {
    const columns = await csvColumns(rows());
    const table = stringify({ header: true, columns: columns.names, cast: { boolean: String } });
    await pipeline(Readable.from(csvRecords(rows(), columns)), table, createWriteStream(target));
  }
  return last.size;
}

/** The number of the last line of each input: a re-run has added a newer one. */
async function lastLines(spool: string): Promise<Map<number, number>> {
  const last = new Map<number, number>();
  for await (const { number, text } of linesOf(createReadStream(spool))) {
    const index = parseLine(text)?.index;
    if (index !== undefined) last.set(index, number);
  }
  return last;
}

interface NewestLine {
  readonly text: string;
  readonly parsed: SpoolLine;
}

async function* newestLines(spool: string, last: ReadonlyMap<number, number>): AsyncGenerator<NewestLine> {
  for await (const { number, text } of linesOf(createReadStream(spool))) {
    const parsed = parseLine(text);
    if (parsed !== null && last.get(parsed.index) === number) yield { text, parsed };
  }
}

async function* ndjson(rows: AsyncIterable<NewestLine>): AsyncGenerator<string> {
  for await (const { text } of rows) yield `${text}\n`;
}

interface Columns {
  /** Keys of inputs, and of values; null where they are no plain objects throughout, or too many. */
  readonly inputKeys: readonly string[] | null;
  readonly valueKeys: readonly string[] | null;
  readonly names: readonly string[];
}

async function csvColumns(rows: AsyncIterable<NewestLine>): Promise<Columns> {
  const inputs = new KeySet();
  const values = new KeySet();
  for await (const { parsed } of rows) {
    inputs.add(parsed.input);
    if (parsed.error === undefined) values.add(parsed.value);
  }
  const inputKeys = inputs.keys();
  const valueKeys = values.keys();
  const names = (keys: readonly string[] | null, prefix: string) => (keys === null ? [prefix] : keys.map((key) => `${prefix}.${key}`));
  return { inputKeys, valueKeys, names: ["index", "status", ...names(inputKeys, "input"), ...names(valueKeys, "value"), "error"] };
}

/** The keys of plain objects. */
class KeySet {
  readonly #keys = new Set<string>();
  #arePlain = true;

  add(value: unknown): void {
    if (value === undefined) return;
    if (typeof value !== "object" || value === null || Array.isArray(value) || "$type" in value) this.#arePlain = false;
    else if (this.#keys.size <= MAX_COLUMNS) for (const key of Object.keys(value)) this.#keys.add(key);
  }

  keys(): string[] | null {
    return this.#arePlain && this.#keys.size > 0 && this.#keys.size <= MAX_COLUMNS ? [...this.#keys] : null;
  }
}

async function* csvRecords(rows: AsyncIterable<NewestLine>, { inputKeys, valueKeys }: Columns): AsyncGenerator<string[]> {
  for await (const { parsed } of rows) {
    const { index, input, value, error } = parsed;
    yield [
      String(index),
      error === undefined ? "done" : "failed",
      ...cells(input, inputKeys),
      ...cells(error === undefined ? (value ?? null) : undefined, valueKeys),
      error === undefined ? "" : `${error.name ?? "Error"}: ${error.message ?? ""}`,
    ];
  }
}

function cells(value: unknown, keys: readonly string[] | null): string[] {
  return keys === null ? [cell(value)] : keys.map((key) => cell((value as Record<string, unknown> | undefined)?.[key]));
}

/** Texts as they are, all else as JSON; nothing for what is not there. */
function cell(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
