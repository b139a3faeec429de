import type * as ESTree from "estree";
import type { FunctionSite, ScriptAnalysis } from "./analysis.ts";
import type { Node } from "./syntax.ts";
import { ownRequire } from "../own-files.ts";

const { cache: loadedModules } = ownRequire();

/** The name under which an ES module exports the function that stands at `site`. */
export function exportedName(analysis: ScriptAnalysis, site: FunctionSite): string | undefined {
  const parent = site.ancestors.at(-1);
  if (parent?.type === "ExportDefaultDeclaration") return "default";
  const local = topLevelName(site);
  if (local === undefined || isReassigned(analysis, local)) return undefined;
  for (const statement of (analysis.root as ESTree.Program & Node).body) {
    if (statement.type === "ExportNamedDeclaration") {
      if (statement.declaration != null && declares(statement.declaration, local)) return local;
      if (statement.source != null) continue;
      const specifier = statement.specifiers.find((one) => nameOf(one.local) === local);
      if (specifier !== undefined) return nameOf(specifier.exported);
    }
    if (statement.type === "ExportDefaultDeclaration" && nameOf(statement.declaration as ESTree.Node) === local) return "default";
  }
  return undefined;
}

/** All names that an ES module exports; undefined where it passes on whatever another exports. */
export function exportedNames(analysis: ScriptAnalysis): Set<string> | undefined {
  const names = new Set<string>();
  for (const statement of (analysis.root as ESTree.Program & Node).body) {
    if (statement.type === "ExportAllDeclaration") {
      if (statement.exported == null) return undefined;
      names.add(nameOf(statement.exported) ?? "");
    }
    if (statement.type === "ExportDefaultDeclaration") names.add("default");
    if (statement.type !== "ExportNamedDeclaration") continue;
    for (const { exported } of statement.specifiers) names.add(nameOf(exported) ?? "");
    if (statement.declaration != null) for (const variable of analysis.scopes.getDeclaredVariables(statement.declaration)) names.add(variable.name);
    if (statement.declaration?.type === "VariableDeclaration") {
      for (const declarator of statement.declaration.declarations) for (const variable of analysis.scopes.getDeclaredVariables(declarator)) names.add(variable.name);
    }
  }
  return names;
}

/** The way from a loaded CommonJS module's exports to the value: `[]` for the exports themselves. */
export function commonJsPath(file: string, value: unknown): string[] | undefined {
  const exports: unknown = loadedModules[file]?.exports;
  if (exports === value) return [];
  if ((typeof exports !== "object" || exports === null) && typeof exports !== "function") return undefined;
  for (const key of Object.keys(exports)) {
    if ((exports as Record<string, unknown>)[key] === value) return [key];
  }
  return undefined;
}

/** The files of all loaded CommonJS modules, by their exports. */
export function commonJsModules(): Map<unknown, string> {
  const files = new Map<unknown, string>();
  for (const [file, module] of Object.entries(loadedModules)) {
    if (module !== undefined && !file.includes("?")) files.set(module.exports, file);
  }
  return files;
}

/** The exports of a loaded CommonJS module. */
export function commonJsExports(file: string): unknown {
  return loadedModules[file]?.exports;
}

function topLevelName({ node, ancestors }: FunctionSite): string | undefined {
  const outer = ancestors.filter((ancestor) => ancestor.type !== "Program" && ancestor.type !== "ExportNamedDeclaration");
  if (outer.length === 0) return "id" in node ? node.id?.name : undefined;
  const [declaration, declarator, wrapper] = outer;
  if (declaration?.type !== "VariableDeclaration" || declarator?.type !== "VariableDeclarator" || outer.length > 3) return undefined;
  if (wrapper !== undefined && !isNameHelper(wrapper)) return undefined;
  return declarator.id.type === "Identifier" ? declarator.id.name : undefined;
}

/** esbuild wraps functions in `__name(fn, "name")` to keep their names. */
function isNameHelper(node: Node): boolean {
  return node.type === "CallExpression" && node.callee.type === "Identifier" && node.callee.name === "__name";
}

function isReassigned(analysis: ScriptAnalysis, name: string): boolean {
  const scope = analysis.scopes.scopes.find(({ type }) => type === "module");
  const variable = scope?.set.get(name);
  return variable?.references.some((reference) => reference.isWrite() && reference.init !== true) ?? false;
}

function declares(declaration: ESTree.Declaration, name: string): boolean {
  if (declaration.type !== "VariableDeclaration") return declaration.id?.name === name;
  return declaration.declarations.some(({ id }) => id.type === "Identifier" && id.name === name);
}

function nameOf(node: ESTree.Node): string | undefined {
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" ? String(node.value) : undefined;
}
