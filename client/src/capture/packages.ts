import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { lockedVersion, lockFileOf } from "./lock-files.ts";

/** A package that is left out of the bundle, to be installed where the function runs. */
export interface ExternalPackage {
  name: string;
  /** The version that the project's lock file pins, else the installed one. */
  version: string;
  /** Its folder in the user's `node_modules`. */
  directory: string;
  /** What it needs itself, and so on, as `name@version`: what is installed elsewhere is then the same. */
  needs: string[];
}

/** Why a package cannot be bundled. */
export type ExternalReason = "native addon" | "assets of its own";

interface PackageJson {
  name?: string;
  version?: string;
  gypfile?: boolean;
  binary?: unknown;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  napi?: unknown;
  sideEffects?: unknown;
}

/** Packages that load native code for others. */
const NATIVE_LOADERS = ["node-gyp-build", "bindings", "node-pre-gyp", "@mapbox/node-pre-gyp", "prebuild-install", "node-gyp-build-optional-packages", "@napi-rs/triples", "node-addon-api"];

const MAX_NEEDS = 2_000;

/** The folder of the package that a file belongs to, if it is in `node_modules`. */
export function packageDirectory(file: string): string | undefined {
  const marker = `${sep}node_modules${sep}`;
  const at = file.lastIndexOf(marker);
  if (at < 0) return undefined;
  const parts = file.slice(at + marker.length).split(sep);
  const length = parts[0]?.startsWith("@") === true ? 2 : 1;
  if (parts.length < length || parts[0] === undefined) return undefined;
  return file.slice(0, at + marker.length) + parts.slice(0, length).join(sep);
}

/** Looks packages up and remembers what it found; one per bundling. */
export class Packages {
  readonly #reasons = new Map<string, ExternalReason | undefined>();
  #assetsFound = 0;

  /** How many packages turned out to read files of their own. */
  get assetsFound(): number {
    return this.#assetsFound;
  }

  /** Looks into a file of a package that is about to be bundled: if it reads files beside it, the package stays outside. */
  inspectFile(directory: string, text: string): void {
    if (this.#reasons.get(directory) !== undefined || !readsOwnFiles(text)) return;
    this.#reasons.set(directory, "assets of its own");
    this.#assetsFound++;
  }

  /** The package in that folder. */
  describe(directory: string): ExternalPackage {
    return { ...pinOf(directory), directory, needs: needsOf(directory) };
  }

  /** Why the package has to stay outside of the bundle; undefined if it need not. */
  externalReason(directory: string): ExternalReason | undefined {
    if (!this.#reasons.has(directory)) this.#reasons.set(directory, reasonOf(directory));
    return this.#reasons.get(directory);
  }
}

/** The folder of an installed package, as a program in `from` would find it. */
export function findPackage(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The `package.json` of each of the user's own files: those that decide what its imports and it mean. */
export function manifestsOf(files: readonly string[]): string[] {
  const folders = new Set(files.filter((file) => packageDirectory(file) === undefined).map((file) => dirname(file)));
  return [...new Set([...folders].flatMap((folder) => manifestAbove(folder) ?? []))];
}

function manifestAbove(folder: string): string | undefined {
  const file = join(folder, "package.json");
  if (existsSync(file)) return file;
  return dirname(folder) === folder ? undefined : manifestAbove(dirname(folder));
}

/** Whether a `package.json` tells bundlers which of its modules they may leave out. */
export function speaksOfEffects(manifest: string): boolean {
  return manifestOf(dirname(manifest)).sideEffects !== undefined;
}

function pinOf(directory: string): { name: string; version: string } {
  const { name = directory, version = "0.0.0" } = manifestOf(directory);
  const lockFile = lockFileOf(directory);
  const locked = lockFile === undefined ? undefined : lockedVersion(lockFile, directory, name, version);
  return { name, version: locked ?? version };
}

function needsOf(directory: string): string[] {
  const found = new Set([realpathSync(directory)]);
  for (const folder of found) {
    const { dependencies, optionalDependencies } = manifestOf(folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const there = findPackage(name, folder);
      if (there !== undefined && found.size <= MAX_NEEDS) found.add(realpathSync(there));
    }
  }
  const pins = [...found].slice(1).map(pinOf);
  return [...new Set(pins.map(({ name, version }) => `${name}@${version}`))].sort();
}

function reasonOf(directory: string): ExternalReason | undefined {
  const manifest = manifestOf(directory);
  const needed = Object.keys({ ...manifest.dependencies });
  if (
    manifest.gypfile === true || manifest.binary !== undefined || manifest.napi !== undefined ||
    /\bnode-gyp(?!-build-test)\b|prebuild-install|node-pre-gyp/.test(manifest.scripts?.["install"] ?? "") ||
    needed.some((name) => NATIVE_LOADERS.includes(name)) ||
    hasPlatformPackages(manifest) || hasNativeFiles(directory)
  ) {
    return "native addon";
  }
  return undefined;
}

/** Whether code finds files by its own place. To make a `require` of its own it needs its place too, and is left alone. */
function readsOwnFiles(text: string): boolean {
  const rest = text.replaceAll(/createRequire\d*\(\s*(import\.meta\.url|__filename)\s*\)/g, "");
  return /\b__dirname\b|\b__filename\b|\bimport\.meta\.(url|dirname|filename)\b/.test(rest);
}

function hasPlatformPackages(manifest: PackageJson): boolean {
  return Object.keys(manifest.optionalDependencies ?? {}).some((name) => /(linux|darwin|win32)-(x64|arm64|ia32)/.test(name));
}

function hasNativeFiles(directory: string): boolean {
  if (existsSync(join(directory, "binding.gyp")) || existsSync(join(directory, "prebuilds"))) return true;
  for (const folder of [".", "build/Release", "lib", "dist", "bin"]) {
    try {
      if (readdirSync(join(directory, folder)).some((file) => file.endsWith(".node"))) return true;
    } catch {
      // Most packages have only some of these folders.
    }
  }
  return false;
}

function manifestOf(directory: string): PackageJson {
  try {
    return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as PackageJson;
  } catch {
    return {};
  }
}
