import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { builtinModules } from "node:module";
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild, ResolveResult } from "esbuild";
import type { ModuleSource } from "./code-refs.ts";
import { CompiledTexts } from "./compiled-texts.ts";
import type { Capture } from "./types.ts";
import { IMPORT_SCHEME } from "./entry.ts";
import { withFiles } from "./entry-text.ts";
import { mayNameItsPlace, withPlace } from "./own-place.ts";
import { findPackage, packageDirectory, type ExternalPackage, type Packages } from "./packages.ts";
import { sourceMapComment } from "./source-map-comment.ts";
import { instanceNamed, isFolder } from "./url-specifiers.ts";

const NAMESPACE = "burla";
const BUILTINS = new Set(builtinModules);

/** Marks resolutions of ours, so that asking esbuild's own resolver does not come back here. */
const ASKED = Symbol("asked");

/**
 * Feeds the entry to esbuild, resolves its imports from the user's own files, keeps packages outside that cannot be
 * bundled (they are added to `externals`), and gives bundled files their own `import.meta.url` and `__dirname`.
 */
export function importPlugin(capture: Capture, packages: Packages, externals: Map<string, ExternalPackage>): Plugin {
  const texts = new CompiledTexts(capture.name);
  return {
    name: "burla-capture",
    setup(build) {
      build.onResolve({ filter: /^burla-entry$/ }, () => ({ path: "entry.mjs", namespace: NAMESPACE }));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, async () => ({ contents: await entryText(build, capture), loader: "js", resolveDir: capture.origin }));
      build.onResolve({ filter: new RegExp(`^${IMPORT_SCHEME}`) }, (args) => resolveEntryImport(build, capture, args));
      build.onResolve({ filter: /^burla$/ }, ({ resolveDir }) => {
        const directory = findPackage("burla", resolveDir);
        if (directory !== undefined) externals.set("burla", packages.describe(directory));
        return { path: "burla", external: true };
      });
      build.onResolve({ filter: /[%?#]|^file:/ }, (args) => resolveInstance(build, args));
      build.onResolve({ filter: /^[^.]/ }, (args) => keepOutside(build, args, packages, externals));
      build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, ({ path, suffix }) => inItsPlace(build, path, suffix, packages, texts));
    },
  };
}

/**
 * The entry names the files that it imports, as far as they go into the bundle: what a plugin resolves, esbuild reads
 * without its `tsconfig.json` and `package.json`, which decide what decorators and default imports mean.
 */
async function entryText(build: PluginBuild, { entry }: Capture): Promise<string> {
  const files = await Promise.all(
    entry.imports.map(async (source) => {
      const kind = source.how === "require" ? "require-call" : "import-statement";
      const { path, namespace, external, suffix, errors } = await resolveSource(build, source, { kind, with: source.attributes ?? {} });
      return errors.length === 0 && namespace === "file" && !external && suffix === "" ? path : undefined;
    }),
  );
  const { code, map } = withFiles(entry, files);
  return `${code}${sourceMapComment(map)}`;
}

async function resolveEntryImport(build: PluginBuild, { entry }: Capture, args: OnResolveArgs): Promise<OnResolveResult> {
  const source = entry.imports[Number(args.path.slice(IMPORT_SCHEME.length))];
  if (source === undefined) return { errors: [{ text: `unknown import ${args.path}` }] };
  return await resolveSource(build, source, args);
}

async function resolveSource(build: PluginBuild, { specifier, from }: ModuleSource, { kind, with: attributes }: Pick<OnResolveArgs, "kind" | "with">): Promise<ResolveResult> {
  const instance = kind === "require-call" ? undefined : instanceNamed(specifier, from);
  const found = await build.resolve(instance?.path ?? specifier, { kind, importer: from, resolveDir: isFolder(from) ? from : dirname(from), with: attributes, pluginData: instance === undefined ? undefined : ASKED });
  return { ...found, suffix: instance?.suffix ?? found.suffix };
}

/** What a bundled file imports by more than a path. */
async function resolveInstance(build: PluginBuild, { path, importer, namespace, kind, resolveDir, pluginData, with: attributes }: OnResolveArgs): Promise<OnResolveResult | undefined> {
  if (pluginData === ASKED || namespace === NAMESPACE || !["import-statement", "dynamic-import"].includes(kind)) return undefined;
  const instance = instanceNamed(path, importer);
  if (instance === undefined) return undefined;
  const { path: file, external, namespace: found, errors } = await build.resolve(instance.path, { importer, namespace, kind, resolveDir, pluginData: ASKED, with: attributes });
  return { path: file, external, namespace: found, errors, suffix: instance.suffix };
}

async function keepOutside(
  build: PluginBuild,
  args: OnResolveArgs,
  packages: Packages,
  externals: Map<string, ExternalPackage>,
): Promise<OnResolveResult | undefined> {
  if (args.pluginData === ASKED || args.kind === "entry-point" || args.namespace === NAMESPACE) return undefined;
  if (args.path.startsWith("node:") || BUILTINS.has(args.path)) return undefined;
  const { path, importer, namespace, kind, resolveDir } = args;
  const resolved = await build.resolve(path, { importer, namespace, kind, resolveDir, pluginData: ASKED, with: args.with });
  const directory = resolved.namespace === "file" ? packageDirectory(resolved.path) : undefined;
  if (directory === undefined) return undefined;
  const known = packages.externalReason(directory);
  if (known === undefined) return undefined;
  const found = packages.describe(directory);
  externals.set(found.name, found);
  if (!isAbsolute(path)) return { path, external: true };
  return { path: specifierOf(found, resolved.path), external: true };
}

/** How a program would name that file of the package: by the package's name alone if it is what that gives. */
function specifierOf({ name, directory }: ExternalPackage, file: string): string {
  const require = process.getBuiltinModule("node:module").createRequire(join(directory, "package.json"));
  try {
    if (realpathSync(require.resolve(name, { paths: [dirname(directory)] })) === realpathSync(file)) return name;
  } catch {
    // A package without a main file, or that only `import` may see.
  }
  return name + file.slice(directory.length).replaceAll("\\", "/");
}

/** A bundled file keeps its own place: assets beside it are still found where the user's files are. */
async function inItsPlace(build: PluginBuild, path: string, suffix: string, packages: Packages, texts: CompiledTexts): Promise<{ contents: string; loader: "js" | "jsx" | "ts" | "tsx" } | undefined> {
  const text = await readFile(path, "utf8");
  const directory = packageDirectory(path);
  if (directory !== undefined) packages.inspectFile(directory, text);
  const compiled = await texts.of(path, text, build);
  if (compiled !== undefined) return { contents: mayNameItsPlace(compiled) ? withPlace(compiled, path, suffix) : compiled, loader: "js" };
  return mayNameItsPlace(text) ? { contents: withPlace(text, path, suffix), loader: loaderOf(path) } : undefined;
}

function loaderOf(path: string): "js" | "jsx" | "ts" | "tsx" {
  if (/\.[cm]?ts$/.test(path)) return "ts";
  if (path.endsWith(".tsx")) return "tsx";
  return path.endsWith(".jsx") ? "jsx" : "js";
}
