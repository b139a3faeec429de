/** One file or stream of records -> inputs. All but a JSON array are streamed: the file may have any size. */
import { text as readAll } from "node:stream/consumers";
import { messageOf } from "@burla/protocol";
import { UsageError } from "../failure.ts";
import { linesOf } from "../../lines.ts";

/** How a file holds its inputs. */
export type RecordFormat = "ndjson" | "json" | "csv" | "tsv" | "lines";

/** Characters that are looked at for the end of a first row. */
const MAX_START = 65_536;

/** Bytes, and what to call them in messages. */
export interface Source {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** @throws UsageError that names the source and the line, while it is iterated. */
export function readRecords(source: Source, format: RecordFormat): AsyncIterable<unknown> {
  switch (format) {
    case "ndjson":
      return readNdjson(source);
    case "json":
      return readJsonArray(source);
    case "csv":
      return readCsv(source);
    case "tsv":
      return readCsv(source, "\t");
    case "lines":
      return readLines(source);
  }
}

async function* readNdjson({ name, bytes }: Source): AsyncGenerator<unknown> {
  for await (const { number, text } of linesOf(bytes)) {
    if (text.trim() === "") continue;
    yield parseJson(text, `${name}:${number}`);
  }
}

async function* readLines({ bytes }: Source): AsyncGenerator<string> {
  for await (const { text } of linesOf(bytes)) yield text;
}

async function* readJsonArray({ name, bytes }: Source): AsyncGenerator<unknown> {
  const content = await readAll(bytes as AsyncIterable<Uint8Array> & NodeJS.ReadableStream);
  const parsed = parseJson(content.replace(/^\uFEFF/, ""), name);
  if (!Array.isArray(parsed)) throw new UsageError(`${name} holds no array`, "Each element of a JSON array is one input; for one value per line use .ndjson.");
  yield* parsed as unknown[];
}

/** One object per row, its keys from the first row, its values texts as they stand in the file. */
async function* readCsv({ name, bytes }: Source, given?: string): AsyncGenerator<Record<string, string>> {
  const [{ parse }, { Readable }] = await Promise.all([import("csv-parse"), import("node:stream")]);
  const { start, all } = await withStart(bytes);
  const input = Readable.from(all, { objectMode: false });
  const columns = (row: string[]): string[] => columnsOf(row, name);
  const parser = parse({ delimiter: given ?? delimiterOf(start), columns, bom: true, skip_empty_lines: true });
  input.once("error", (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const row of parser) yield row as Record<string, string>;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${name}: ${messageOf(cause)}`, "The first row names the columns; every further row has one value for each.");
  } finally {
    input.destroy();
  }
}

/** The first row, as text, and all of the bytes. */
async function withStart(bytes: AsyncIterable<Uint8Array>): Promise<{ start: string; all: AsyncIterable<Uint8Array> }> {
  const iterator = bytes[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let text = "";
  while (!/[\r\n]/.test(text) && text.length < MAX_START) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    read.push(value);
    text = Buffer.concat(read).toString();
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield* read;
    yield* { [Symbol.asyncIterator]: () => iterator };
  };
  return { start: /^[^\r\n]*/.exec(text)?.[0] ?? "", all: all() };
}

/** Spreadsheets separate columns by semicolons where numbers have a comma. */
function delimiterOf(start: string): string {
  const unquoted = start.replaceAll(/"[^"]*"/g, "");
  return [",", ";", "\t"].find((delimiter) => unquoted.includes(delimiter)) ?? ",";
}

function columnsOf(row: string[], source: string): string[] {
  const twice = row.find((column, at) => row.indexOf(column) !== at);
  if (twice !== undefined) throw new UsageError(`${source}: two columns are called ${JSON.stringify(twice)}`, "Give each column a name of its own in the first row.");
  return row;
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${place} is not JSON: ${messageOf(cause)}`);
  }
}
