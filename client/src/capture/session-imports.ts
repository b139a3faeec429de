/**
 * Names that a session which runs code piece by piece (a notebook) has bound by imports. Their declarations are in no
 * script, so the session lays down what they stand for under a symbol of the global object.
 */
import type { CodeRef } from "./code-refs.ts";
import { moduleSource } from "./module-names.ts";

const KEY = Symbol.for("burla.session.imports");

interface BoundImport {
  readonly specifier: string;
  /** The export; `*` is the module itself. */
  readonly exported: string;
  /** Property names to follow from there. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/** The import that a global variable stands for, unless it holds something else by now. */
export function sessionImport(name: string, directory: string): CodeRef | undefined {
  const globals = globalThis as unknown as Record<string | symbol, unknown>;
  const bound = (globals[KEY] as ReadonlyMap<string, BoundImport> | undefined)?.get(name);
  if (bound?.value === undefined || !Object.is(bound.value, globals[name])) return undefined;
  const { specifier, exported, path } = bound;
  return { kind: "module", source: moduleSource(specifier, directory, "import"), name: exported, path: [...path], alias: name };
}
