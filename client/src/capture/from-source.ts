import { readFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { BurlaError } from "@burla/protocol";
import type * as ESTree from "estree";
import type { Reference, Variable } from "eslint-scope";
import { isTopLevel, referencesIn } from "./analysis.ts";
import type { CodeRef } from "./code-refs.ts";
import type { Capture } from "./types.ts";
import { contextText, emitReexport, EntryScope } from "./entry.ts";
import { withEsbuild } from "./esbuild.ts";
import { CaptureError } from "./errors.ts";
import { Script } from "./script.ts";
import { scriptParts } from "./script-parts.ts";
import { takesContext } from "./second-parameter.ts";
import { ancestorsAt, isFunctionNode, stringValue, walk, type FunctionNode, type Node } from "./syntax.ts";
import { applyEdits, placeEdits, requireEdit, type Edit, type Piece, type TemplateContext } from "./template.ts";

/**
 * A function that a module exports, without running the module here: where the function runs, all of it runs.
 * @param setup another export of it, the function `setup`.
 */
export function captureExport(file: string, exportName: string, { setup, wantsContext = true }: { setup?: string | undefined; wantsContext?: boolean } = {}): Capture {
  const path = resolve(file);
  const source = { specifier: path, from: path, how: "import" } as const;
  const refs = [exportName, ...(setup === undefined ? [] : [setup])].map((name): CodeRef => ({ kind: "module", source, name, path: [] }));
  const entry = emitReexport(refs, { wantsContext });
  return { name: exportName, values: new Uint8Array(), entry, origin: dirname(path) };
}

/**
 * A function of a script, read from its source alone: nothing is run here, and of the script's top level only what the
 * function needs is sent: imports, declarations, and assignments to them. Throws CaptureError.
 */
export async function captureFromSource(file: string, functionName: string, setupName?: string): Promise<Capture> {
  const path = resolve(file);
  const script = await compileScript(path, readFileSync(path, "utf8"));
  const program = script.analysis.root as ESTree.Program & Node;
  const names = [functionName, ...(setupName === undefined ? [] : [setupName])];
  const roots = names.map((name) => topLevelVariables(script).get(name) ?? notDeclared(name, path));
  const kept = neededStatements(script, program, roots);
  const scope = new EntryScope();
  const pieces: Piece[] = kept.flatMap((statement) => statementPieces(script, statement, scope.context));
  pieces.push({ text: `\nexport default async () => ${names.length === 1 ? functionName : `[${names.join(", ")}]`};\n${contextText(takesContext(functionOf(roots[0])))}` });
  return { name: functionName, values: new Uint8Array(), entry: scope.finish(pieces), origin: dirname(path), parts: scriptParts(script, path, kept) };
}

/** Whether a module's export wants to be told of its calls, as far as its own file shows what it is. */
export async function exportWantsContext(file: string, exportName: string): Promise<boolean> {
  const path = resolve(file);
  const script = await compileScript(path, readFileSync(path, "utf8"));
  const variables = topLevelVariables(script);
  for (const statement of (script.analysis.root as ESTree.Program & Node).body) {
    if (statement.type === "ExportDefaultDeclaration" && exportName === "default") {
      const { declaration } = statement;
      return takesContext(declaration.type === "Identifier" ? functionOf(variables.get(declaration.name)) : asFunction(declaration as ESTree.Node));
    }
    if (statement.type !== "ExportNamedDeclaration" || statement.source != null) continue;
    const named = statement.specifiers.find(({ exported }) => exported.type === "Identifier" && exported.name === exportName);
    if (named?.local.type === "Identifier") return takesContext(functionOf(variables.get(named.local.name)));
  }
  return takesContext(functionOf(variables.get(exportName)));
}

/** What a variable is declared as, if that is a function. */
function functionOf(variable: Variable | undefined): FunctionNode | undefined {
  const node = variable?.defs[0]?.node as (ESTree.Node & { init?: ESTree.Node | null }) | undefined;
  return asFunction(node?.init ?? node);
}

function asFunction(node: ESTree.Node | undefined): FunctionNode | undefined {
  return node !== undefined && isFunctionNode(node as Node) ? (node as FunctionNode) : undefined;
}

function notDeclared(name: string, path: string): never {
  throw new CaptureError({
    path: [name],
    location: path,
    what: "the file has no function of that name at its top level",
    cure: "Give the name of a function, class or constant that the file declares.",
  });
}

/** The text of a file as JavaScript, with a map to what the user wrote. Throws CaptureError. */
export async function compileScript(file: string, text: string): Promise<Script> {
  const loader = { ".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx", ".jsx": "jsx" } as const;
  const { code, map } = await withEsbuild(({ transform }) =>
    transform(text, {
      loader: loader[extname(file) as keyof typeof loader] ?? "js",
      sourcemap: "external",
      sourcefile: pathToFileURL(file).href,
      target: "esnext",
    }),
  ).catch((cause: unknown) => {
    if (cause instanceof BurlaError) throw cause;
    throw new CaptureError({ path: [file], what: `it cannot be compiled: ${(cause as Error).message}`, cure: "Mend the syntax error.", cause });
  });
  const sourceMapUrl = `data:application/json;base64,${Buffer.from(map).toString("base64")}`;
  const isModule = !file.endsWith(".cjs") && (!file.endsWith(".cts") || /^\s*(import|export)\b/m.test(code));
  return new Script({ id: "source", url: pathToFileURL(file).href, source: code, isModule, sourceMapUrl });
}

function topLevelVariables(script: Script): Map<string, Variable> {
  const { scopes } = script.analysis.scopes;
  return new Map(scopes.flatMap(({ variables }) => variables.filter(isTopLevel).map((variable) => [variable.name, variable] as const)));
}

/** The top-level statements that the variables need, directly or not, in the order of the script. */
export function neededStatements(script: Script, program: ESTree.Program & Node, roots: readonly Variable[]): Node[] {
  const needed = new Set<Variable>();
  const kept = new Set<Node>();
  const pending = [...roots];
  const statementAt = (offset: number): Node | undefined =>
    (program.body as unknown as Node[]).find(({ start, end }) => start <= offset && offset < end);
  const keep = (statement: Node | undefined): void => {
    if (statement === undefined || kept.has(statement)) return;
    kept.add(statement);
    if (statement.type === "ImportDeclaration") return;
    for (const { resolved } of referencesIn(script.analysis, statement)) if (resolved !== null && isTopLevel(resolved)) pending.push(resolved);
  };
  for (let variable = pending.pop(); variable !== undefined; variable = pending.pop()) {
    if (needed.has(variable)) continue;
    needed.add(variable);
    for (const { name } of variable.defs) keep(statementAt((name as unknown as Node).start));
    for (const reference of variable.references) if (changesVariable(script, reference)) keep(statementAt(offsetOf(reference)));
  }
  return [...kept].sort((a, b) => a.start - b.start);
}

/** Whether the name stands at the left of a top-level assignment: `fn = ...`, `fn.cache = ...`, `Class.prototype.x = ...`. */
function changesVariable(script: Script, reference: Reference): boolean {
  const path = ancestorsAt(script.analysis.root, offsetOf(reference));
  const [, statement, expression] = path;
  if (statement?.type !== "ExpressionStatement" || expression?.type !== "AssignmentExpression") return false;
  const left = expression.left as unknown as Node;
  return left.start <= offsetOf(reference) && offsetOf(reference) < left.end;
}

function offsetOf(reference: Reference): number {
  return (reference.identifier as unknown as Node).start;
}

/** The text of a statement or expression of the script, fit for the top of an entry. */
export function statementPieces(script: Script, statement: Node, context: TemplateContext): Piece[] {
  const edits: Edit[] = [];
  let start = statement.start;
  if (statement.type === "ExportNamedDeclaration" && statement.declaration != null) start = (statement.declaration as unknown as Node).start;
  if (statement.type === "ExportDefaultDeclaration") start = (statement.declaration as unknown as Node).start;
  if (statement.type === "ImportDeclaration") {
    const source = statement.source as ESTree.Literal & Node;
    edits.push({ start: source.start, end: source.end, text: JSON.stringify(context.specifier(script, stringValue(source) ?? "", "import")) });
  }
  const place = { importMetas: [] as Node[], dynamicImports: [] as (ESTree.ImportExpression & Node)[] };
  walk(statement, (node) => {
    if (node.type === "MetaProperty" && node.meta.name === "import") place.importMetas.push(node);
    if (node.type === "ImportExpression") place.dynamicImports.push(node as ESTree.ImportExpression & Node);
    return true;
  });
  edits.push(...placeEdits(script, place, context));
  for (const reference of referencesIn(script.analysis, statement)) {
    const { name } = reference.identifier;
    const identifier = reference.identifier as unknown as Node;
    if (reference.resolved !== null) continue;
    const parent = ancestorsAt(statement, identifier.start).at(-2);
    if (name === "require") edits.push(requireEdit(script, identifier, parent, context));
    if (name === "__dirname" || name === "__filename") {
      edits.push({ start: identifier.start, end: identifier.end, text: `${context.metaName(script)}.${name.slice(2)}` });
    }
  }
  return [...applyEdits(script, start, statement.end, edits), { text: "\n" }];
}
