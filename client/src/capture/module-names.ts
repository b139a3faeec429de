import { builtinModules } from "node:module";
import type * as ESTree from "estree";
import type { Variable } from "eslint-scope";
import type { CodeRef, Interop, ModuleSource } from "./code-refs.ts";
import { stringValue } from "./syntax.ts";
import { VITE_IMPORT, viteSpecifier } from "./vite-modules.ts";

const BUILTINS = new Set(builtinModules);

/** The helpers by which compilers turn the answer of `require` into something like an ES module. */
const INTEROP: Readonly<Record<string, Interop>> = {
  __toESM: "esbuild",
  __importDefault: "default",
  __importStar: "star",
  _interopRequireDefault: "default",
  _interopRequireWildcard: "star",
  _interop_require_default: "default",
  _interop_require_wildcard: "star",
};

/** `fs` and `node:fs` are one module. */
export function moduleSource(specifier: string, from: string, how: ModuleSource["how"]): ModuleSource {
  return { specifier: BUILTINS.has(specifier) ? `node:${specifier}` : specifier, from, how };
}

/**
 * The import that a variable stands for: an ES import, or a constant made from `require(...)` or `await import(...)`,
 * destructured or not, also in the forms that compilers write. Undefined for any other variable.
 */
export function importOf(variable: Variable, from: string): CodeRef | undefined {
  const definition = variable.defs[0];
  if (variable.defs.length !== 1 || definition === undefined) return undefined;
  if (definition.type === "ImportBinding") {
    return importBinding(definition.node, definition.parent as ESTree.ImportDeclaration, from, variable.name);
  }
  if (definition.type !== "Variable" || isReassigned(variable)) return undefined;
  const declarator = definition.node as ESTree.VariableDeclarator;
  const path = patternPath(declarator.id, variable.name);
  if (path === undefined || declarator.init == null) return undefined;
  const base = moduleExpression(declarator.init, from);
  if (base?.kind !== "module") return undefined;
  return { ...base, path: [...base.path, ...path], alias: variable.name };
}

/** Whether the variable is a `require` for the very file that it stands in: `const require = createRequire(import.meta.url)`. */
export function isOwnRequire(variable: Variable, from: string): boolean {
  const definition = variable.defs[0];
  if (variable.defs.length !== 1 || definition?.type !== "Variable" || isReassigned(variable)) return false;
  const { id, init } = definition.node as ESTree.VariableDeclarator;
  if (id.type !== "Identifier" || init?.type !== "CallExpression" || init.arguments.length !== 1) return false;
  const callee = init.callee.type === "Super" ? undefined : calleeRef(init.callee, variable, from);
  const isCreateRequire = callee?.kind === "module" && callee.source.specifier === "node:module" && [callee.name, ...callee.path].at(-1) === "createRequire";
  return isCreateRequire && isOwnPlace(init.arguments[0] as ESTree.Node);
}

/** The import that `createRequire` or `module.createRequire` stands for. */
function calleeRef(callee: ESTree.Expression, { scope }: Variable, from: string): CodeRef | undefined {
  if (callee.type === "MemberExpression" && callee.object.type !== "Super") {
    const base = calleeRef(callee.object, { scope } as Variable, from);
    const key = memberName(callee);
    return base?.kind !== "module" || key === undefined ? undefined : { ...base, path: [...base.path, key] };
  }
  if (callee.type !== "Identifier") return undefined;
  let found: Variable | undefined;
  for (let at: typeof scope | null = scope; at !== null && found === undefined; at = at.upper) found = at.set.get(callee.name);
  return found === undefined ? undefined : importOf(found, from);
}

/** `import.meta.url`, `import.meta.filename` or `__filename`. */
function isOwnPlace(node: ESTree.Node): boolean {
  if (node.type === "Identifier") return node.name === "__filename";
  if (node.type !== "MemberExpression" || node.object.type !== "MetaProperty") return false;
  return ["url", "filename"].includes(memberName(node) ?? "");
}

function isReassigned(variable: Variable): boolean {
  return variable.references.some((reference) => reference.isWrite() && reference.init !== true);
}

function importBinding(
  node: ESTree.ImportSpecifier | ESTree.ImportDefaultSpecifier | ESTree.ImportNamespaceSpecifier,
  declaration: ESTree.ImportDeclaration,
  from: string,
  alias: string,
): CodeRef | undefined {
  const specifier = stringValue(declaration.source);
  if (specifier === undefined) return undefined;
  const source = moduleSource(specifier, from, "import");
  const attributes = attributesOf(declaration);
  if (attributes !== undefined) source.attributes = attributes;
  return { kind: "module", source, name: importedName(node), path: [], alias };
}

function importedName(
  node: ESTree.ImportSpecifier | ESTree.ImportDefaultSpecifier | ESTree.ImportNamespaceSpecifier,
): string {
  if (node.type === "ImportDefaultSpecifier") return "default";
  if (node.type === "ImportNamespaceSpecifier") return "*";
  return node.imported.type === "Identifier" ? node.imported.name : String(node.imported.value);
}

function attributesOf(declaration: ESTree.ImportDeclaration): Record<string, string> | undefined {
  const attributes = (declaration as { attributes?: ESTree.ImportAttribute[] }).attributes ?? [];
  if (attributes.length === 0) return undefined;
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key.type === "Identifier" ? key.name : String(key.value), String(value.value)]),
  );
}

/** What an expression made only of `require`, `import()`, interop helpers and property names stands for. */
function moduleExpression(node: ESTree.Expression | ESTree.Super, from: string): CodeRef | undefined {
  switch (node.type) {
    case "MemberExpression": {
      const base = moduleExpression(node.object, from);
      const key = memberName(node);
      if (base?.kind !== "module" || key === undefined) return undefined;
      return { ...base, path: [...base.path, key] };
    }
    case "AwaitExpression": {
      const specifier = awaitedSpecifier(node.argument, from);
      if (specifier === undefined) return undefined;
      return { kind: "module", source: moduleSource(specifier, from, "import"), name: "*", path: [] };
    }
    case "CallExpression":
      return node.callee.type === "Identifier" && node.callee.name === "require"
        ? requireCall(node, from)
        : interopCall(node, from);
    default:
      return undefined;
  }
}

/** What `await import("x")` imports, or Vite's form of an import. */
function awaitedSpecifier(node: ESTree.Expression, from: string): string | undefined {
  if (node.type === "ImportExpression") return stringValue(node.source);
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier" || node.callee.name !== VITE_IMPORT) return undefined;
  const specifier = stringValue(node.arguments[0]);
  return specifier === undefined ? undefined : viteSpecifier(specifier, from);
}

function requireCall(node: ESTree.SimpleCallExpression, from: string): CodeRef | undefined {
  const argument = node.arguments[0];
  const specifier = argument?.type === "SpreadElement" ? undefined : stringValue(argument);
  if (specifier === undefined) return undefined;
  return { kind: "module", source: moduleSource(specifier, from, "require"), name: "*", path: [] };
}

function interopCall(node: ESTree.SimpleCallExpression, from: string): CodeRef | undefined {
  const helper = calleeName(node.callee);
  const interop = helper === undefined || !Object.hasOwn(INTEROP, helper) ? undefined : INTEROP[helper];
  const argument = node.arguments[0];
  if (interop === undefined || argument === undefined || argument.type === "SpreadElement") return undefined;
  const base = moduleExpression(argument, from);
  if (base?.kind !== "module" || base.path.length > 0) return undefined;
  return { ...base, interop: interop === "esbuild" && node.arguments.length > 1 ? "esbuild-node" : interop };
}

/** `__importStar`, `tslib_1.__importStar` and `(0, tslib_1.__importStar)` all name the helper. */
function calleeName(callee: ESTree.Expression | ESTree.Super): string | undefined {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type === "MemberExpression") return memberName(callee);
  if (callee.type === "SequenceExpression") return calleeName(callee.expressions.at(-1) as ESTree.Expression);
  return undefined;
}

function memberName(node: ESTree.MemberExpression): string | undefined {
  if (!node.computed) return node.property.type === "Identifier" ? node.property.name : undefined;
  return node.property.type === "PrivateIdentifier" ? undefined : stringValue(node.property);
}

/** The properties that lead to a name in a pattern: `{ a: { b: name } }` gives `["a", "b"]`. */
function patternPath(pattern: ESTree.Pattern, name: string): string[] | undefined {
  if (pattern.type === "Identifier") return pattern.name === name ? [] : undefined;
  if (pattern.type !== "ObjectPattern") return undefined;
  for (const property of pattern.properties) {
    if (property.type !== "Property" || property.computed) continue;
    const key = property.key.type === "Identifier" ? property.key.name : stringValue(property.key as ESTree.Expression);
    const rest = patternPath(property.value, name);
    if (key !== undefined && rest !== undefined) return [key, ...rest];
  }
  return undefined;
}
