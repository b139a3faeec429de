import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

/** What a bundled file calls its own `import.meta`, `__dirname` and `__filename`: esbuild puts these names in their place. */
export const PLACE_NAMES: Record<string, string> = {
  "import.meta": "$burla_meta",
  __dirname: "$burla_dirname",
  __filename: "$burla_filename",
};

/** A function `(specifier, from) => url` as text: what `import.meta.resolve` gives in the file with the URL `from`. */
export const RESOLVE_TEXT = `(specifier, from) => {
  if (/^\\.{0,2}\\//.test(specifier)) return new URL(specifier, from).href;
  if (/^[a-z]+:/.test(specifier)) return specifier;
  const { createRequire, isBuiltin } = process.getBuiltinModule("node:module");
  if (isBuiltin(specifier)) return "node:" + specifier;
  return process.getBuiltinModule("node:url").pathToFileURL(createRequire(from).resolve(specifier)).href;
}`;

/** Whether the text of a file may ask for the file's own place. */
export function mayNameItsPlace(text: string): boolean {
  return /\bimport\.meta\b|\b__dirname\b|\b__filename\b/.test(text);
}

/** The file's text with its own place declared on the first line of the code, so that line numbers stay. */
export function withPlace(text: string, path: string, suffix = ""): string {
  const url = JSON.stringify(pathToFileURL(path).href + suffix);
  const [directory, file] = [JSON.stringify(dirname(path)), JSON.stringify(path)];
  const declared = [
    /\bimport\.meta\b/.test(text)
      ? `var $burla_meta = { __proto__: null, dirname: ${directory}, filename: ${file}, main: false, resolve: (specifier) => (${RESOLVE_TEXT.replaceAll(/\n\s*/g, " ")})(specifier, ${url}), url: ${url} };`
      : "",
    /\b__dirname\b/.test(text) ? `var $burla_dirname = ${directory};` : "",
    /\b__filename\b/.test(text) ? `var $burla_filename = ${file};` : "",
  ].join("");
  // A directive or `#!` keeps its place.
  const [head = "", , directive] = /^(#!.*\n)?(\s*(["'])use strict\3;?)?/.exec(text) ?? [];
  const end = directive === undefined || directive.endsWith(";") ? "" : ";";
  return head + end + declared + text.slice(head.length);
}
