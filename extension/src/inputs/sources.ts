/** Input sources in words, and what their names say about them. */
import { basename, extname, relative } from "node:path";
import type { InputSource } from "../runner/messages.ts";

export type FileFormat = Extract<InputSource, { kind: "file" }>["format"];

/** Formats that a person may choose for a file whose name does not say it. */
export const FILE_FORMATS: readonly { readonly format: FileFormat; readonly label: string; readonly detail: string }[] = [
  { format: "ndjson", label: "NDJSON", detail: "one JSON value per line" },
  { format: "json", label: "JSON", detail: "an array, each element one input" },
  { format: "csv", label: "CSV", detail: "one object per row, keys from the first row" },
  { format: "tsv", label: "TSV", detail: "as CSV, with tabs" },
  { format: "lines", label: "Lines", detail: "each line one input, as text" },
];

/** Endings of the files that are offered. */
export const OFFERED_ENDINGS: readonly string[] = ["ndjson", "jsonl", "json", "csv", "tsv", "txt"];

const FORMAT_OF_ENDING: Readonly<Record<string, FileFormat>> = { ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".txt": "lines" };

/** What the file's name says; null when it says nothing. */
export function formatOf(path: string): FileFormat | null {
  return FORMAT_OF_ENDING[extname(path).toLowerCase()] ?? null;
}

/** Names of files that hold settings, not inputs. */
export function isConfiguration(path: string): boolean {
  return /^(package(-lock)?|tsconfig(\..+)?|jsconfig|\..*|.*\.config|npm-shrinkwrap|composer)\.json$/i.test(basename(path));
}

const MAX_EXPRESSION_LENGTH = 60;

/** Such as `data/rows.csv`, `docs/*.md`, `documents`. @param folder what paths are told relative to. */
export function sourceLabel(source: InputSource, folder: string): string {
  switch (source.kind) {
    case "file":
      return relativePath(source.path, folder);
    case "glob":
      return source.pattern;
    case "expression":
      return source.text.length > MAX_EXPRESSION_LENGTH ? `${source.text.slice(0, MAX_EXPRESSION_LENGTH - 1)}…` : source.text;
    case "export":
      return source.name === "default" ? "the default export" : source.name;
  }
}

/** What kind of source it is. */
export function sourceDetail(source: InputSource): string {
  switch (source.kind) {
    case "file":
      return FILE_FORMATS.find(({ format }) => format === source.format)?.label ?? source.format;
    case "glob":
      return source.read === null ? "paths of files" : source.read === "text" ? "texts of files" : source.read === "json" ? "JSON of files" : "bytes of files";
    case "expression":
      return "expression";
    case "export":
      return "export of the module";
  }
}

/** Within the folder, the path from there; else the whole path. */
function relativePath(path: string, folder: string): string {
  const inside = relative(folder, path);
  return inside === "" || inside.startsWith("..") ? path : inside;
}
