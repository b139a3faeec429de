/**
 * Specifiers of ES modules are URLs for Node: `./hel%20p.mjs` names a file with a blank, and `./m.mjs?v=1` another instance
 * of the module than `./m.mjs?v=2`. For bundlers they are paths.
 */
import { existsSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** A file, and what tells this instance of its module from others: empty, or `?...`, `#...`. */
export interface ModuleInstance {
  path: string;
  suffix: string;
}

/** What the specifier of an `import` names where a path would name something else; undefined where a path names the same. */
export function instanceNamed(specifier: string, from: string): ModuleInstance | undefined {
  if (!/^file:/.test(specifier) && !(/^\.{0,2}\//.test(specifier) && /[%?#]/.test(specifier))) return undefined;
  // Written by us, or by somebody whose folder has such a name.
  if (isAbsolute(specifier) && existsSync(specifier)) return undefined;
  try {
    const url = new URL(specifier, pathToFileURL(isFolder(from) ? join(from, "here") : from));
    const suffix = url.search + url.hash;
    url.search = "";
    url.hash = "";
    return { path: fileURLToPath(url), suffix };
  } catch {
    return undefined;
  }
}

/** The file of a bundler's name for a module, which ends with the suffix. */
export function fileOfInstance(name: string): string {
  return existsSync(name) ? name : name.replace(/[?#].*$/s, "");
}

/** Whether the path is that of a folder. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
