/** Names that the program puts beside those of the user. */

/** What rewritten cells call the program by; functions of the user never mention it. */
export const SESSION = "$burla_session";

/**
 * What stands for `import.meta` in a cell, which is a script: the client knows this name from Vite, and gives it its
 * meaning again where a function runs.
 */
export const IMPORT_META = "__vite_ssr_import_meta__";

/** By these, packages tell where they run: a variable of the user's own must not mislead them. */
const TELLING = ["window", "document", "self", "location", "navigator", "Deno", "Bun", "define", "exports", "module", "importScripts", "WorkerGlobalScope"];

/**
 * The names of which a user's own variable is none of the global object's: Node, packages and the client use what it has
 * by them.
 */
export function protectedNames(): ReadonlySet<string> {
  return new Set([...Object.getOwnPropertyNames(globalThis), ...TELLING]);
}
