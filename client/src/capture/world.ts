import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { CodeRef } from "./code-refs.ts";
import { originalPosition } from "./source-maps.ts";
import type { Script } from "./script.ts";

/** What a capture may be told about the program that it runs in. */
export interface CaptureOptions {
  /** The program's own script, whose exports are not imported: importing it would run it. Default: the one Node was started with. */
  entryScript?: string;
  /** Folder from which imports of code that is in no file are resolved. Default: the working directory. */
  directory?: string;
  /** Whether to describe what is sent; costs time. */
  explain?: boolean;
  /** Functions of the `burla` package itself: sent as an import of it, by export name. */
  ownExports?: Readonly<Record<string, object>>;
}

/** The program around the function: which script runs, where code in no file stands, what is ours. */
export class World {
  readonly directory: string;
  readonly #entry: string | undefined;
  readonly #own: Map<object, string>;

  constructor(options: CaptureOptions) {
    this.directory = resolve(options.directory ?? ".");
    const entry = options.entryScript ?? process.argv[1];
    this.#entry = entry === undefined ? undefined : realPath(resolve(entry));
    this.#own = new Map(Object.entries(options.ownExports ?? {}).map(([name, value]) => [value, name]));
  }

  /** Whether the file is the program itself, which must not be imported again. */
  isRunning(file: string): boolean {
    return this.#entry !== undefined && (file === this.#entry || realPath(file) === this.#entry);
  }

  /** The import of our own package that stands for one of its functions. */
  ownExport(value: object): CodeRef | undefined {
    const name = this.#own.get(value);
    if (name === undefined) return undefined;
    return { kind: "module", source: { specifier: "burla", from: this.directory, how: "import" }, name, path: [] };
  }

  /** `file:line` in the user's own source. */
  location(script: Script, offset: number): string {
    const { file, line } = originalPosition(script, offset);
    return `${file}:${line}`;
  }
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
