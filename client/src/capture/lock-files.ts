/** The version that a project's lock file pins for an installed package. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";

/** Lock files by name, in the order in which they are believed where a folder has several. */
const READERS: Readonly<Record<string, (text: string, wanted: Wanted) => string[]>> = {
  "npm-shrinkwrap.json": npmVersions,
  "package-lock.json": npmVersions,
  "pnpm-lock.yaml": pnpmVersions,
  "yarn.lock": yarnVersions,
  "bun.lock": bunVersions,
};

interface Wanted {
  name: string;
  /** From the lock file's folder to the package's, such as `node_modules/sharp`. */
  place: string;
}

/** The lock file of the project that a package is installed in: the nearest one above it. */
export function lockFileOf(packageDirectory: string): string | undefined {
  for (let folder = dirname(packageDirectory); ; folder = dirname(folder)) {
    if (!folder.split(sep).includes("node_modules")) {
      const name = Object.keys(READERS).find((candidate) => existsSync(join(folder, candidate)));
      if (name !== undefined) return join(folder, name);
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * What the lock file pins; undefined where it does not say. Of several versions of one package it is the installed one
 * if that is among them: only npm's file tells which is where.
 */
export function lockedVersion(lockFile: string, packageDirectory: string, name: string, installed: string): string | undefined {
  const place = relative(dirname(lockFile), packageDirectory).split(sep).join("/");
  const versions = READERS[basename(lockFile)]?.(textOf(lockFile), { name, place }) ?? [];
  if (versions.includes(installed)) return installed;
  return new Set(versions).size === 1 ? versions[0] : undefined;
}

const texts = new Map<string, { mtimeMs: number; text: string }>();

/** Lock files are large and asked for each package: kept while they do not change. */
function textOf(file: string): string {
  const mtimeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const known = texts.get(file);
  if (known?.mtimeMs === mtimeMs) return known.text;
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  texts.set(file, { mtimeMs, text });
  return text;
}

interface NpmLock {
  packages?: Record<string, { version?: string } | undefined>;
  dependencies?: Record<string, { version?: string } | undefined>;
}

function npmVersions(text: string, { name, place }: Wanted): string[] {
  try {
    const { packages, dependencies } = JSON.parse(text) as NpmLock;
    const version = packages?.[place]?.version ?? (place === `node_modules/${name}` ? dependencies?.[name]?.version : undefined);
    return version === undefined ? [] : [version];
  } catch {
    return [];
  }
}

/** Keys such as `sharp@0.33.5:`, `'@scope/name@1.0.0(react@18.0.0)':`, in older files `/sharp@0.33.5:` or `/sharp/0.33.5:`. */
function pnpmVersions(text: string, { name }: Wanted): string[] {
  return matches(text, `^\\s+['"]?/?${escaped(name)}[@/](\\d[^\\s:()'"_]*)[^\\n]*:\\s*(?:\\{[^\\n]*)?$`);
}

/** Blocks of `"name@^1.0.0", "name@^1.1.0":` with a line `version "1.2.3"`, or `version: 1.2.3` in newer files. */
function yarnVersions(text: string, { name }: Wanted): string[] {
  return matches(text, `^"?(?:[^\\n]*, "?)?${escaped(name)}@[^\\n]*:\\n\\s+version:? "?([^"\\n]+)"?$`);
}

/** `"name": ["name@1.2.3", ...]`. */
function bunVersions(text: string, { name }: Wanted): string[] {
  return matches(text, `\\["${escaped(name)}@(\\d[^"]*)"`);
}

function matches(text: string, pattern: string): string[] {
  return [...text.replaceAll("\r\n", "\n").matchAll(new RegExp(pattern, "gm"))].map(([, version]) => version ?? "");
}

function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
