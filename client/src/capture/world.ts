import { realpathSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { CodeRef } from "./code-refs.ts";
import { originalPosition } from "./source-maps.ts";
import { fileOf, type Script } from "./script.ts";

/** What a capture may be told about the program that it runs in. */
export interface CaptureOptions {
  /** Travels along, and shares with the function what both close over. The bundle then gives an array of both. */
  setup?: ((...args: never[]) => unknown) | undefined;
  /** The program's own script, whose exports are not imported: importing it would run it. Default: the one Node was started with. */
  entryScript?: string;
  /** Folder from which imports of code that is in no file are resolved. Default: the working directory. */
  directory?: string;
  /** Whether to describe what is sent; costs time. */
  explain?: boolean;
  /** Functions of the `burla` package itself: sent as an import of it, by export name. */
  ownExports?: Readonly<Record<string, object>>;
}

/** Undefined in a bundle of CommonJS, where none of these files is this package's alone. */
const OWN_URL = import.meta.url as string | undefined;
const OWN_DIRECTORY = OWN_URL === undefined ? "" : dirname(fileURLToPath(OWN_URL));

/** The program around the function: which script runs, where code in no file stands, what is ours. */
export class World {
  readonly directory: string;
  readonly #entry: string | undefined;
  readonly #own: Map<object, string>;
  /** Modules whose top level is running: importing one where the function runs would make this very call again. */
  readonly #evaluating: ReadonlySet<string>;

  constructor(options: CaptureOptions) {
    this.directory = resolve(options.directory ?? ".");
    const entry = options.entryScript ?? process.argv[1];
    this.#entry = entry === undefined ? undefined : realPath(resolve(entry));
    this.#evaluating = evaluatingFiles();
    this.#own = new Map(Object.entries(options.ownExports ?? {}).map(([name, value]) => [value, name]));
  }

  /** Whether the file is the program itself, which must not be imported again. */
  isRunning(file: string): boolean {
    return this.#evaluating.has(file) || (this.#entry !== undefined && (file === this.#entry || realPath(file) === this.#entry));
  }

  /** The import of our own package that stands for one of its functions. */
  ownExport(value: object): CodeRef | undefined {
    const name = this.#own.get(value);
    if (name === undefined) return undefined;
    return { kind: "module", source: { specifier: "burla", from: this.directory, how: "import" }, name, path: [] };
  }

  /** Whether the file is part of our own package, as installed. */
  isOwn(file: string): boolean {
    return OWN_DIRECTORY.endsWith(`${sep}dist`) && file.startsWith(OWN_DIRECTORY + sep);
  }

  /** `file:line` in the user's own source. */
  location(script: Script, offset: number): string {
    const { file, line } = originalPosition(script, offset);
    return `${file}:${line}`;
  }
}

/** The files whose top-level code is on the stack. */
function evaluatingFiles(): Set<string> {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 100;
    Error.prepareStackTrace = (_error, sites) => sites;
    const sites = new Error().stack as unknown as NodeJS.CallSite[];
    return new Set(sites.flatMap((site) => (isTopLevelSite(site) ? [fileOf(site.getFileName() ?? "") ?? ""] : [])));
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** A module's top-level code has no name and is enclosed by nothing: its function begins where the file does. */
function isTopLevelSite(site: NodeJS.CallSite): boolean {
  const { getEnclosingLineNumber, getEnclosingColumnNumber } = site as unknown as EnclosingSite;
  const name = site.getFunctionName();
  return (name === null || name === "") && getEnclosingLineNumber?.call(site) === 1 && getEnclosingColumnNumber?.call(site) === 1;
}

/** V8's own addition to call sites. */
interface EnclosingSite {
  getEnclosingLineNumber?: () => number;
  getEnclosingColumnNumber?: () => number;
}

function realPath(file: string): string {
  for (const ending of ["", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts"]) {
    try {
      return realpathSync(file + ending);
    } catch {
      // Node runs `node main` as main.js too.
    }
  }
  return file;
}
