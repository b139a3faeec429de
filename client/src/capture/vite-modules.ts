/**
 * Modules as Vite rewrites them for its module runner, in which Vitest runs tests: imports and `import.meta` become
 * calls and variables of these names.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** `const __vite_ssr_import_0__ = await __vite_ssr_import__("/file.ts")` stands for `import * as`. */
export const VITE_IMPORT = "__vite_ssr_import__";
/** Stands for `import(...)`. */
export const VITE_DYNAMIC_IMPORT = "__vite_ssr_dynamic_import__";
/** Stands for `import.meta`. */
export const VITE_IMPORT_META = "__vite_ssr_import_meta__";

/** Vite names files from the root of the user's project: gives the file on disk. Names of packages stay. */
export function viteSpecifier(specifier: string, from: string): string {
  if (!specifier.startsWith("/")) return specifier;
  const path = specifier.replace(/\?.*$/s, "");
  if (path.startsWith("/@fs/")) return path.slice("/@fs".length);
  for (const root of [process.cwd(), ...foldersAbove(from)]) {
    if (existsSync(join(root, path))) return join(root, path);
  }
  return path;
}

function* foldersAbove(file: string): Generator<string> {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}
