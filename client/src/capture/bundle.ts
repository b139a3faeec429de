import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleIdOf, BurlaError } from "@burla/protocol";
import type { Metafile } from "esbuild";
import { BundleCache, type InputFile } from "./bundle-cache.ts";
import { keepsDesignTypes } from "./compiled-texts.ts";
import { CaptureError } from "./errors.ts";
import { withEsbuild } from "./esbuild.ts";
import { IMPORT_SCHEME, type Entry } from "./entry.ts";
import { importConditions } from "./import-conditions.ts";
import { importPlugin } from "./import-plugin.ts";
import { lockFileOf } from "./lock-files.ts";
import { PLACE_NAMES } from "./own-place.ts";
import { findPackage, manifestsOf, Packages, speaksOfEffects, type ExternalPackage } from "./packages.ts";
import { keepNames } from "./renamed.ts";
import { sourceMapComment } from "./source-map-comment.ts";
import { isPlugAndPlay, PNP_CURE } from "../own-files.ts";
import type { Bundle, Capture } from "./types.ts";
import { fileOfInstance } from "./url-specifiers.ts";

export type { Bundle } from "./types.ts";

export interface BundleOptions {
  /** Folder that keeps bundles from one program to the next. Without it they are kept in memory only. */
  cacheDirectory?: string;
}

const cache = new BundleCache();

/**
 * Makes the bundle of a captured function. Code that imports only what every worker has is used as it is; anything
 * else goes through esbuild, once for as long as its files do not change. Throws CaptureError when an import cannot
 * be resolved or a file cannot be compiled.
 */
export async function bundleCapture(capture: Capture, options: BundleOptions = {}): Promise<Bundle> {
  const { entry } = capture;
  const isOfThisProcess = keepsDesignTypes();
  const key = createHash("sha256").update(JSON.stringify([entry, capture.origin, importConditions(), isOfThisProcess])).digest("hex");
  // The same files may have been compiled by another compiler in another process.
  const directory = isOfThisProcess ? undefined : options.cacheDirectory;
  const known = await cache.find(key, directory);
  if (known !== undefined) return known;
  const { bundle, inputs } = entry.imports.length === 0 ? direct(capture) : await compile(capture);
  await cache.store(key, bundle, inputs, directory);
  return bundle;
}

function direct({ entry, origin }: Capture): { bundle: Bundle; inputs: InputFile[] } {
  const banner = /\brequire\(/.test(entry.code) ? `${requireBanner("\n")}` : "";
  const map = banner === "" ? entry.map : shiftMap(entry.map);
  const code = Buffer.from(withMap(banner + entry.code, map));
  return { bundle: finish(code, ownPackage(entry, origin), []), inputs: [] };
}

async function compile(capture: Capture): Promise<{ bundle: Bundle; inputs: InputFile[] }> {
  const packages = new Packages();
  for (let ignoreAnnotations = false; ;) {
    const before = packages.assetsFound;
    const { manifests, ...compiled } = await compileWith(capture, packages, ignoreAnnotations);
    // Node runs a module that is imported for its effects, whatever the user's package.json says to bundlers.
    const saysTooMuch: boolean = !ignoreAnnotations && manifests.some(speaksOfEffects);
    // Only the text of a package shows that it reads files of its own: then it is bundled again without that package.
    if (packages.assetsFound === before && !saysTooMuch) return compiled;
    ignoreAnnotations ||= saysTooMuch;
  }
}

async function compileWith(capture: Capture, packages: Packages, ignoreAnnotations: boolean): Promise<{ bundle: Bundle; inputs: InputFile[]; manifests: string[] }> {
  const externals = new Map<string, ExternalPackage>();
  const result = await withEsbuild(({ build }) =>
    build({
      entryPoints: ["burla-entry"],
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      target: "node20",
      outfile: "/bundle.mjs",
      absWorkingDir: "/",
      sourcemap: "external",
      sourcesContent: false,
      legalComments: "none",
      logLevel: "silent",
      keepNames: false,
      ignoreAnnotations,
      conditions: importConditions(),
      mainFields: ["main"],
      define: PLACE_NAMES,
      plugins: [importPlugin(capture, packages, externals)],
    }),
  ).catch((cause: unknown) => {
    throw bundleError(capture, cause);
  });
  const code = result.outputFiles.find(({ path }) => path.endsWith(".mjs"));
  const map = result.outputFiles.find(({ path }) => path.endsWith(".map"));
  if (code === undefined || map === undefined) throw new Error("esbuild gave no output for the bundle");
  // esbuild only leaves the name `require` to us where its own helper asks for it.
  const banner = code.text.includes("__require") ? requireBanner("") : "";
  const text = withMap(banner + keepNames(code.text, map.text), absoluteMap(map.text));
  const bundle = finish(Buffer.from(text), [...externals.values()], contentsOf(result.metafile));
  const files = filesOf(result.metafile);
  const manifests = manifestsOf(files);
  return { bundle, manifests, inputs: await statAll([...files, ...manifests, ...filesThatDecide(capture.origin, bundle.externals)]) };
}

/** Files that are not in the bundle, but that another bundle would come from if they were others. */
function filesThatDecide(origin: string, externals: readonly ExternalPackage[]): string[] {
  const pinned = externals.flatMap(({ directory }) => [join(directory, "package.json"), lockFileOf(directory) ?? []].flat());
  return [...new Set([...pinned, ...tsconfigsAbove(origin)])];
}

/** Its `paths` decide what imports mean. */
function tsconfigsAbove(folder: string): string[] {
  const file = join(folder, "tsconfig.json");
  const above = dirname(folder) === folder ? [] : tsconfigsAbove(dirname(folder));
  return existsSync(file) ? [file, ...above] : above;
}

function finish(code: Uint8Array, externals: ExternalPackage[], contents: Bundle["contents"]): Bundle {
  externals.sort((a, b) => (a.name < b.name ? -1 : 1));
  const id = bundleIdOf({ runtime: "node", externals }, code);
  return { id, code, externals, contents };
}

/** Our own package is never bundled: a function that calls it on a worker shall use the worker's. */
function ownPackage({ code }: Entry, origin: string): ExternalPackage[] {
  if (!/(from|import) ?\(?"burla"/.test(code)) return [];
  const found = findPackage("burla", origin);
  return found === undefined ? [] : [new Packages().describe(found)];
}

/** Bundled CommonJS code calls `require`, which ES modules do not have. */
function requireBanner(end: string): string {
  return `import { createRequire as $burla_nodeRequire } from "node:module"; const require = $burla_nodeRequire(import.meta.url);${end}`;
}

function shiftMap(map: string): string {
  const parsed = JSON.parse(map) as { mappings: string };
  return JSON.stringify({ ...parsed, mappings: `;${parsed.mappings}` });
}

function absoluteMap(text: string): string {
  const map = JSON.parse(text) as { sources: string[]; sourceRoot?: string };
  map.sources = map.sources.map((source) =>
    /^[a-z][a-z0-9+.-]+:/i.test(source) ? source : pathToFileURL(`/${source}`).href,
  );
  return JSON.stringify(map);
}

function withMap(code: string, map: string): string {
  return `${code.trimEnd()}\n${sourceMapComment(map)}`;
}

function contentsOf(metafile: Metafile): Bundle["contents"] {
  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined);
  return Object.entries(output?.inputs ?? {}).map(([file, { bytesInOutput }]) => ({ file: fileOf(file), bytes: bytesInOutput }));
}

function filesOf(metafile: Metafile): string[] {
  return [...new Set(Object.keys(metafile.inputs).filter((file) => !isVirtual(file)).map((file) => fileOfInstance(fileOf(file))))];
}

function statAll(files: readonly string[]): Promise<InputFile[]> {
  return Promise.all(
    files.map(async (file) => {
      const { mtimeMs, size } = await stat(file);
      return { file, mtimeMs, sizeBytes: size };
    }),
  );
}

function fileOf(input: string): string {
  return isVirtual(input) || input.startsWith("/") ? input : `/${input}`;
}

/** Our entry, and what esbuild puts in the place of a file that a package has switched off. */
function isVirtual(input: string): boolean {
  return /^(<data|burla|\(disabled\)):/.test(input);
}

interface EsbuildFailure {
  errors?: { text: string; detail?: unknown; location?: { file: string; line: number } | null }[];
}

function bundleError({ name, entry }: Capture, cause: unknown): BurlaError {
  if (cause instanceof BurlaError) return cause;
  const first = (cause as EsbuildFailure).errors?.[0];
  if (first?.detail instanceof BurlaError) return first.detail;
  const number = new RegExp(`${IMPORT_SCHEME}(\\d+)`).exec(first?.text ?? "")?.[1];
  const specifier = number === undefined ? undefined : entry.imports[Number(number)]?.specifier;
  const file = first?.location?.file;
  return new CaptureError({
    path: specifier === undefined ? [name] : [name, specifier],
    location: file === undefined || extname(file) === "" || file.startsWith("burla") ? undefined : `${fileOf(file)}:${first?.location?.line}`,
    what: `it cannot be bundled: ${first?.text.replace(`${IMPORT_SCHEME}${number}`, specifier ?? "") ?? (cause as Error).message}`,
    cure: isPlugAndPlay() ? `${PNP_CURE} Under Yarn's Plug'n'Play they are not found.` : "Check that the import exists and is installed where the function is written.",
    cause,
  });
}

