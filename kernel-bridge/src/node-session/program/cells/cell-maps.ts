/** Where in the cells a place of the running code is; stacks show that. */
import { findSourceMap } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { originalPositionFor, type TraceMap } from "@jridgewell/trace-mapping";
import { frameOf } from "./code-frame.ts";

interface RunScript {
  readonly label: string;
  readonly map: TraceMap;
}

/** A place in a cell, counting from 1. */
export interface CellPlace {
  readonly label: string;
  readonly line: number;
  readonly column: number;
}

export class CellMaps {
  /** By the name that V8 has for them: a cell may be several. */
  readonly #scripts = new Map<string, RunScript>();
  readonly #sources = new Map<string, string>();
  readonly #program: string;
  readonly #programUrl: string;

  /** @param program the file of this program: its own frames, and Node's, nobody wants to see. */
  constructor(program: string) {
    this.#program = program;
    this.#programUrl = pathToFileURL(program).href;
  }

  add(filename: string, label: string, source: string, map: TraceMap): void {
    this.#scripts.set(filename, { label, map });
    this.#sources.set(label, source);
  }

  /** Makes V8 write stacks with the user's own places: those of cells, and those of the TypeScript files that they import. */
  install(): void {
    Error.prepareStackTrace = (error, sites) => {
      const frames = sites.filter((site) => !this.#isOwn(site.getFileName() ?? "")).map((site) => `\n    at ${this.#frame(site)}`);
      return `${headOf(error)}${frames.join("")}`;
    };
  }

  /** The first place in a cell that a stack names. */
  placeOf(stack: string): CellPlace | undefined {
    for (const [, label = "", line, column] of stack.matchAll(/^\s+at .*?\(?\b((?:cell \d+|silent)):(\d+):(\d+)\)?$/gm)) {
      if (this.#sources.has(label)) return { label, line: Number(line), column: Number(column) };
    }
    return undefined;
  }

  /** The line at a place, with a caret. */
  frameAt({ label, line, column }: CellPlace): string {
    return frameOf(this.#sources.get(label) ?? "", line, column);
  }

  lineAt({ label, line }: CellPlace): string {
    return this.#sources.get(label)?.split(/\r?\n/)[line - 1] ?? "";
  }

  #isOwn(file: string): boolean {
    return file.startsWith("node:internal/") || file === this.#program || file === this.#programUrl || file.startsWith("burla:");
  }

  #frame(site: NodeJS.CallSite): string {
    const file = site.getFileName();
    const line = site.getLineNumber();
    const column = site.getColumnNumber();
    const text = site.toString();
    if (file === null || file === undefined || line === null || column === null) return text;
    const script = this.#scripts.get(file);
    const original = script === undefined ? inFile(file, line, column) : inCell(script, line, column);
    return original === undefined ? text : text.replace(`${file}:${line}:${column}`, original);
  }
}

function inCell({ label, map }: RunScript, line: number, column: number): string | undefined {
  const found = originalPositionFor(map, { line, column: column - 1 });
  return found.line === null ? undefined : `${label}:${found.line}:${found.column + 1}`;
}

function inFile(file: string, line: number, column: number): string | undefined {
  const found = findSourceMap(file)?.findEntry(line - 1, column - 1);
  if (found === undefined || !("originalSource" in found) || typeof found.originalSource !== "string") return undefined;
  const { originalSource, originalLine, originalColumn } = found;
  const path = originalSource.startsWith("file:") ? fileURLToPath(originalSource) : originalSource;
  return `${path}:${originalLine + 1}:${originalColumn + 1}`;
}

function headOf(error: unknown): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}
