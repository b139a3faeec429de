import { fileURLToPath, pathToFileURL } from "node:url";
import { isAbsolute } from "node:path";
import { analyze, type ScriptAnalysis } from "./analysis.ts";

/** One script as V8 runs it: already JavaScript, whatever the user wrote. */
export class Script {
  readonly id: string;
  /** Empty for scripts without a name, such as those made by `eval`. */
  readonly url: string;
  readonly source: string;
  readonly isModule: boolean;
  readonly sourceMapUrl: string;
  /** The file on disk, or undefined for `eval`, a notebook cell, or Node's own code. */
  readonly file: string | undefined;
  /** Whether `source` was read from the file, and not from V8. */
  readonly isFromFile: boolean;
  /** What tells this instance of its module from others of the same file: empty, or `?...`, `#...`. */
  readonly suffix: string;
  readonly #lineStarts: number[];
  #analysis: ScriptAnalysis | undefined;

  constructor(facts: { id: string; url: string; source: string; isModule: boolean; sourceMapUrl: string; isFromFile?: boolean }) {
    this.id = facts.id;
    this.url = facts.url;
    this.source = facts.source;
    this.isModule = facts.isModule;
    this.sourceMapUrl = facts.sourceMapUrl;
    this.file = fileOf(facts.url);
    this.suffix = suffixOf(facts.url);
    this.isFromFile = facts.isFromFile ?? false;
    this.#lineStarts = lineStarts(facts.source);
  }

  /** How an import names this very module. */
  get specifier(): string | undefined {
    return this.suffix === "" || this.file === undefined ? this.file : pathToFileURL(this.file).href + this.suffix;
  }

  /** Names, scopes and syntax of the script; read on first use. Throws SyntaxError. */
  get analysis(): ScriptAnalysis {
    this.#analysis ??= analyze(this.source, this.isModule);
    return this.#analysis;
  }

  /** Line and column (both from 0) to an offset into `source`. */
  offsetOf(line: number, column: number): number {
    return (this.#lineStarts[line] ?? this.source.length) + column;
  }

  /** Offset into `source` to line and column, both from 0. */
  positionOf(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, column: offset - (this.#lineStarts[low] as number) };
  }
}

/** The file that a script's URL or path names, if it names one. */
export function fileOf(url: string): string | undefined {
  if (url.startsWith("file:")) return fileURLToPath(new URL(url.replace(/[?#].*$/s, "")));
  return isAbsolute(url) ? url.replace(/\?.*$/s, "") : undefined;
}

/** What loaders put there for themselves says nothing of what the user imports. */
const OF_LOADERS = /[?&#](tsx-namespace|namespace|node-test-mock)=/;

function suffixOf(url: string): string {
  const [suffix = ""] = url.startsWith("file:") ? (/[?#].*$/s.exec(url) ?? []) : [];
  return OF_LOADERS.test(suffix) ? "" : suffix;
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (const match of source.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(match.index + match[0].length);
  return starts;
}
