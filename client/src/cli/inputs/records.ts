/** One file or stream of records -> inputs. All but a JSON array are streamed: the file may have any size. */
import { text as readAll } from "node:stream/consumers";
import { messageOf } from "@burla/protocol";
import { UsageError } from "../failure.ts";
import { linesOf } from "../../lines.ts";

/** How a file holds its inputs. */
export type RecordFormat = "ndjson" | "json" | "csv" | "tsv" | "lines";

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
      return readCsv(source, ",");
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
async function* readCsv({ name, bytes }: Source, delimiter: string): AsyncGenerator<Record<string, string>> {
  const [{ parse }, { Readable }] = await Promise.all([import("csv-parse"), import("node:stream")]);
  const input = Readable.from(bytes, { objectMode: false });
  const parser = parse({ delimiter, columns: true, bom: true, skip_empty_lines: true });
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

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${place} is not JSON: ${messageOf(cause)}`);
  }
}
