/** What cells share: their variables, and where the names that they imported come from. */
import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ComposedScript } from "./cells/compose.ts";
import type { ImportedName } from "./cells/imports.ts";
import { IMPORT_META, protectedNames } from "./cells/session-names.ts";

/** The client's capture looks here for what an import has bound: see `client/src/capture/session-imports.ts`. */
const IMPORTS_KEY = Symbol.for("burla.session.imports");

export interface BoundImport {
  readonly specifier: string;
  readonly exported: string;
  /** Property names to follow from there. */
  readonly path: readonly string[];
  readonly value: unknown;
}

type FoundExport = Pick<BoundImport, "exported" | "path" | "value">;

type Globals = Record<string | symbol, unknown>;

export class SessionScope {
  readonly protectedNames = protectedNames();
  /** Variables of the user's own whose names mean something else to everybody else. */
  readonly shadows: Record<string, unknown> = {};
  readonly #globals = globalThis as unknown as Globals;
  readonly #imports = new Map<string, BoundImport>();
  readonly #provided = new Set<string>();
  readonly #directory: string;
  readonly #burla: string;

  constructor(directory: string, burla: string) {
    this.#directory = directory;
    this.#burla = burla;
    const place = pathToFileURL(join(directory, "notebook"));
    const require = createRequire(place);
    const resolve = (specifier: string) => (isBuiltin(specifier) || specifier.startsWith("node:") ? specifier : pathToFileURL(require.resolve(specifier)).href);
    this.#define("require", require);
    this.#define("__dirname", directory);
    this.#define("__filename", join(directory, "notebook"));
    this.#define(IMPORT_META, { url: place.href, dirname: directory, filename: join(directory, "notebook"), resolve });
    Object.defineProperty(globalThis, IMPORTS_KEY, { value: this.#imports });
  }

  /** A name that is there before any cell has declared it, and is no variable of theirs until one does. */
  provide(name: string, value: unknown): void {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
    this.#provided.add(name);
  }

  /** Makes room for what a script declares: its names are properties from here on, with their old value until then. */
  declare({ names, reset }: Pick<ComposedScript, "names" | "reset">): void {
    for (const name of names) if (!Object.hasOwn(globalThis, name) || this.#provided.delete(name)) this.#define(name, undefined);
    for (const name of reset) if (Object.hasOwn(globalThis, name)) this.#globals[name] = undefined;
  }

  /** Variables of the cells: those that are properties of the global object, and are not imported. */
  get variables(): Readonly<Record<string, unknown>> {
    const names = Object.keys(globalThis).filter((name) => !this.protectedNames.has(name) && !this.#imports.has(name));
    return Object.fromEntries(names.map((name) => [name, this.#globals[name]]));
  }

  /** Names that cells have imported, and what they mean. */
  get imports(): ReadonlyMap<string, BoundImport> {
    return this.#imports;
  }

  /** A call has changed what a name means. */
  assign(name: string, value: unknown): void {
    this.#globals[name] = value;
  }

  /** The client's own copy, where the notebook's folder has none. */
  resolve(specifier: string): string {
    if (specifier !== "burla") return specifier;
    try {
      createRequire(join(this.#directory, "notebook")).resolve("burla");
      return specifier;
    } catch {
      return pathToFileURL(this.#burla).href;
    }
  }

  /** The values of an import, in the order of the names. @throws SyntaxError for an export that is not there. */
  imported(module: Record<string, unknown>, specifier: string, names: readonly ImportedName[]): unknown[] {
    const exports = ownModule(module, specifier);
    return names.map((name) => {
      const found = exportOf(exports, name, specifier);
      this.#imports.set(name.local, { specifier, ...found });
      return found.value;
    });
  }

  #define(name: string, value: unknown): void {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
  }
}

/** A file of the user's that was written as an ES module and is run as CommonJS: what it exports is one level down. */
function ownModule(module: Record<string, unknown>, specifier: string): Record<string, unknown> {
  const main = module["default"];
  const isOwn = /^(\.{0,2}\/|file:)/.test(specifier);
  const isCompiled = typeof main === "object" && main !== null && (main as Record<string, unknown>)["__esModule"] === true;
  return isOwn && isCompiled ? (main as Record<string, unknown>) : module;
}

function exportOf(exports: Record<string, unknown>, { exported, isMaybeType }: ImportedName, specifier: string): FoundExport {
  if (exported === "*") return { exported, path: [], value: exports };
  if (exported in exports) return { exported, path: [], value: exports[exported] };
  const main = exports["default"];
  // Node finds out the names of a CommonJS package from its text, and does not find all.
  const isInMain = exported !== "default" && ((typeof main === "object" && main !== null) || typeof main === "function") && exported in main;
  if (isInMain) return { exported: "default", path: [exported], value: (main as Record<string, unknown>)[exported] };
  if (isMaybeType) return { exported, path: [], value: undefined };
  throw new SyntaxError(`The requested module '${specifier}' does not provide an export named '${exported}'`);
}
