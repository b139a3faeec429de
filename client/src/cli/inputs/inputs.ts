/** `--inputs`, `--format`, `--read`, `--limit` -> an iterable of inputs. */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { UsageError } from "../failure.ts";
import { bytesOf, findFiles, isPattern, readFiles, type ReadMode } from "./files.ts";
import { readRecords, type RecordFormat } from "./records.ts";

export type InputFormat = RecordFormat | "files";

export interface InputOptions {
  /** What `--inputs` was given: names, patterns, or `-`. */
  readonly names: readonly string[];
  readonly format: InputFormat | undefined;
  readonly read: ReadMode | undefined;
  readonly limit: number | undefined;
  readonly stdin: AsyncIterable<Uint8Array>;
}

export const FORMATS: readonly InputFormat[] = ["ndjson", "json", "csv", "tsv", "lines", "files"];

const FORMAT_OF_EXTENSION: Readonly<Record<string, RecordFormat>> = {
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".json": "json",
  ".csv": "csv",
  ".tsv": "tsv",
};

/**
 * One name says by its ending how to read it; a pattern, or several names (a pattern that the shell has expanded),
 * stand for files that are inputs themselves. `--format` overrides both.
 * @throws UsageError for what is not there or cannot be, now or while it is iterated.
 */
export async function openInputs(options: InputOptions): Promise<Iterable<unknown> | AsyncIterable<unknown>> {
  const format = formatOf(options);
  const inputs = format === "files" ? await openFiles(options) : await openRecords(options, format);
  return options.limit === undefined ? inputs : take(inputs, options.limit);
}

function formatOf({ names, format, read }: InputOptions): InputFormat {
  if (read !== undefined && format !== undefined && format !== "files") throw new UsageError(`--read goes with files as inputs, not with --format ${format}`);
  if (format !== undefined) return format;
  if (read !== undefined) return "files";
  const [name = "", ...more] = names;
  if (more.length > 0) {
    if (names.includes("-")) throw new UsageError("- (stdin) stands alone");
    return "files";
  }
  if (name === "-") return "ndjson";
  if (isPattern(name) && !existsSync(name)) return "files";
  const known = FORMAT_OF_EXTENSION[extname(name).toLowerCase()];
  if (known !== undefined) return known;
  throw new UsageError(
    `${name}: its name does not say how it holds the inputs`,
    `Say it with --format ${FORMATS.join("|")}; .ndjson, .jsonl, .json, .csv and .tsv are known, and a pattern such as 'docs/*.md' makes each file an input.`,
  );
}

async function openFiles({ names, read }: InputOptions): Promise<Iterable<unknown> | AsyncIterable<unknown>> {
  if (names.includes("-")) throw new UsageError("- (stdin) holds records, not files", "Leave out --read, or choose another --format.");
  const paths = await findFiles(names);
  return read === undefined ? paths : readFiles(paths, read);
}

async function openRecords({ names, stdin }: InputOptions, format: RecordFormat): Promise<AsyncIterable<unknown>> {
  const files = names.length === 1 && names[0] === "-" ? [] : await findFiles(names);
  const sources = files.length === 0 ? [{ name: "stdin", bytes: stdin }] : files.map((name) => ({ name, bytes: bytesOf(name) }));
  return (async function* () {
    for (const source of sources) yield* readRecords(source, format);
  })();
}

async function* take(inputs: Iterable<unknown> | AsyncIterable<unknown>, limit: number): AsyncGenerator<unknown> {
  if (limit <= 0) return;
  let taken = 0;
  for await (const input of inputs) {
    yield input;
    if (++taken >= limit) return;
  }
}
