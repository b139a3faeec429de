/** A parsed cell -> the text of the scripts that run it. Pure: text in, text out. */
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";
import { readImport, readReexport, type ImportStatement } from "./imports.ts";
import { assignedNames, bindingNames } from "./names.ts";
import type { Edit, Piece } from "./pieces.ts";
import { Meaning, type KnownNames } from "./plan/meaning.ts";
import { planCell, type CellPlan } from "./plan/plan.ts";
import { IMPORT_META, SESSION } from "./session-names.ts";
import { classPieces, functionPieces, piecesOf, variablePieces, withoutModifiers, type StatementContext } from "./statements.ts";

export interface ComposeOptions extends KnownNames {
  /** Which names may not become properties of the global object; `shadowed` are those of them that earlier cells have declared. */
  readonly protectedNames: ReadonlySet<string>;
  /** What to import in the place of a specifier. */
  readonly resolve: (specifier: string) => string;
}

/** One script. It evaluates to an async function that runs it. */
export interface ComposedScript {
  readonly pieces: readonly Piece[];
  /** Names that must be properties of the global object before it runs. */
  readonly names: readonly string[];
  /** Enums and namespaces, which must not add to what an earlier cell made of the name. */
  readonly reset: readonly string[];
  /** Names with a protected meaning, which the script keeps to the cells. */
  readonly shadows: readonly string[];
}

/** The statements of a cell by what becomes of them. */
interface SortedCell {
  readonly imports: readonly ImportStatement[];
  /** Enums and namespaces. */
  readonly objects: readonly (ts.EnumDeclaration | ts.ModuleDeclaration)[];
  readonly functions: readonly (ts.FunctionDeclaration & { name: ts.Identifier })[];
  readonly body: readonly ts.Statement[];
}

export class CellComposer {
  readonly #ts: TypeScript;
  readonly #file: ts.SourceFile;
  readonly #options: ComposeOptions;
  readonly #sorted: SortedCell;
  readonly #edits: readonly Edit[];

  constructor(ts: TypeScript, file: ts.SourceFile, options: ComposeOptions) {
    this.#ts = ts;
    this.#file = file;
    this.#options = options;
    this.#sorted = this.#sort();
    this.#edits = this.#metaEdits();
  }

  /** What becomes of a cell that is to run on the cluster. */
  plan(): CellPlan {
    return planCell(this.#ts, this.#file, this.#sorted.body, new Meaning(this.#ts, this.#file, this.#options));
  }

  /** The cell as it runs here. @param plan its maps go through the session. */
  whole(plan?: Pick<CellPlan, "edits" | "loops">, attachStep: number | null = null): ComposedScript {
    const context = this.#context(plan?.edits(attachStep) ?? []);
    const { imports, functions, body } = this.#sorted;
    const names = [...imports.flatMap((one) => one.names), ...functions.map(({ name }) => name.text), ...body.flatMap((statement) => this.#declares(statement))];
    const inner = [
      ...imports.map(({ text }) => ({ text })),
      ...functions.flatMap((fn) => functionPieces(context, fn)),
      ...body.flatMap((statement, index) => this.#sessionPieces(context, statement, index === body.length - 1 && plan?.loops.has(statement) !== true)),
    ];
    return this.#script(inner, names, true);
  }

  /** What a cell that is one call does here before it: imports, enums. */
  beforeCall(): ComposedScript {
    const { imports } = this.#sorted;
    return this.#script(imports.map(({ text }) => ({ text })), imports.flatMap((one) => one.names), true);
  }

  /**
   * The call: a function with the cell in it, and the names that it gives back.
   *
   * @param watched names of the session that it may change: it gives back those that it has changed.
   */
  call(watched: readonly string[]): ComposedScript {
    const { functions, body } = this.#sorted;
    const context = this.#context([]);
    const returned = this.returnedNames;
    const last = body.at(-1);
    const value = last === undefined ? undefined : this.#valueOf(last);
    const inner: Piece[] = [
      ...functions.flatMap((fn) => [...withoutModifiers(context, fn), { text: "\n" }]),
      ...body.flatMap((statement, index) => (index === body.length - 1 && value !== undefined ? [] : this.#localPieces(context, statement))),
    ];
    if (value !== undefined) inner.push({ text: ";const $burla_value = (" }, ...piecesOf(context, value), { text: ");\n" });
    const others = watched.filter((name) => !returned.includes(name));
    inner.push({ text: `;return { value: ${value === undefined ? "undefined" : "$burla_value"}, ...$burla_sendable({ ${returned.join(", ")} }), changed: ${others.length === 0 ? "{}" : "$burla_changed()"} };\n` });
    const bind = returned.map((name) => `;if (Object.hasOwn($burla_result.names, "${name}")) ${name} = $burla_result.names.${name};`).join("");
    const pieces = [{ text: `const $burla_result = await ${SESSION}.call(async () => {\n${SENDABLE}${others.length === 0 ? "" : watchText(others)}` }, ...inner, { text: `});\n${bind}\nreturn { value: $burla_result.value };\n` }];
    return this.#script(pieces, this.#declaredVariables(), false);
  }

  /** What a cell that is one call does here after it: functions and classes, which are not sent back. */
  afterCall(): ComposedScript {
    const context = this.#context([]);
    const { functions, body } = this.#sorted;
    const code = body.filter((statement) => this.#isCode(statement));
    const pieces = [
      ...functions.flatMap((fn) => functionPieces(context, fn)),
      ...code.flatMap((statement) => this.#sessionPieces(context, statement, false)),
    ];
    return this.#script(pieces, [...functions.map(({ name }) => name.text), ...code.flatMap((statement) => this.#declares(statement))], false);
  }

  /** The variables that a cell which is one call gives back. */
  get returnedNames(): readonly string[] {
    const assigned = assignedNames(this.#ts, this.#sorted.body).filter((name) => this.#isTopLevel(name));
    return [...new Set([...this.#declaredVariables(), ...assigned])];
  }

  #declaredVariables(): string[] {
    return this.#sorted.body.filter((statement) => !this.#isCode(statement)).flatMap((statement) => this.#declares(statement));
  }

  /** Not a variable of a block within the cell. */
  #isTopLevel(name: string): boolean {
    const ts = this.#ts;
    let isLocal = false;
    const visit = (node: ts.Node): void => {
      if (ts.isVariableDeclaration(node) && !isOfTheCell(ts, node) && bindingNames(ts, node.name).includes(name)) isLocal = true;
      if (!ts.isFunctionLike(node)) ts.forEachChild(node, visit);
    };
    for (const statement of this.#sorted.body) visit(statement);
    return !isLocal;
  }

  /** Declarations of functions and classes: code, that runs nothing. */
  #isCode(statement: ts.Statement): boolean {
    const ts = this.#ts;
    if (ts.isClassDeclaration(statement)) return true;
    if (!ts.isVariableStatement(statement)) return false;
    return statement.declarationList.declarations.every(({ initializer }) => initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer) || ts.isClassExpression(initializer)));
  }

  #context(edits: readonly Edit[]): StatementContext {
    return { ts: this.#ts, file: this.#file, edits: [...this.#edits, ...edits] };
  }

  #script(inner: readonly Piece[], declared: readonly string[], withObjects: boolean): ComposedScript {
    const objects = withObjects ? this.#sorted.objects : [];
    const context = this.#context([]);
    const { protectedNames, shadowed } = this.#options;
    const isMentioned = (name: string) => new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`).test(this.#file.text);
    const shadows = [...new Set([...declared.filter((name) => protectedNames.has(name)), ...[...shadowed].filter(isMentioned)])];
    const keep = (line: (name: string) => string) => shadows.map(line).join(" ");
    const text = (value: string): Piece => ({ text: value });
    const pieces = [
      text(`"use strict";\n`),
      ...objects.flatMap((node) => [...withoutModifiers(context, node), text("\n")]),
      text(`;(async () => {\n`),
      ...(shadows.length === 0 ? inner : [text(`${keep((name) => `let ${name} = ${SESSION}.shadows[${JSON.stringify(name)}];`)} try {\n`), ...inner, text(`} finally { ${keep((name) => `${SESSION}.shadows[${JSON.stringify(name)}] = ${name};`)} }\n`)]),
      text("})\n"),
    ];
    return {
      pieces,
      names: [...new Set(declared)].filter((name) => !protectedNames.has(name)),
      reset: objects.flatMap(({ name }) => (this.#ts.isIdentifier(name) ? [name.text] : [])),
      shadows,
    };
  }

  /** A statement whose declarations become variables of the session. */
  #sessionPieces(context: StatementContext, statement: ts.Statement, isLast: boolean): Piece[] {
    const ts = this.#ts;
    const value = isLast ? this.#valueOf(statement) : undefined;
    if (value !== undefined) return [{ text: ";return { value: (" }, ...piecesOf(context, value), { text: ") };\n" }];
    if (ts.isVariableStatement(statement) && !this.#isUsing(statement)) return variablePieces(context, statement);
    if (ts.isClassDeclaration(statement) && statement.name !== undefined) {
      if (!(statement.modifiers ?? []).some((modifier) => ts.isDecorator(modifier))) return classPieces(context, statement as ts.ClassDeclaration & { name: ts.Identifier });
      // A decorated class must be a declaration: it stands in a block of its own, from which it is given out.
      return [{ text: `;${statement.name.text} = await (async () => {` }, ...withoutModifiers(context, statement), { text: `\nreturn ${statement.name.text}; })();\n` }];
    }
    return this.#localPieces(context, statement);
  }

  /** A statement as it is. */
  #localPieces(context: StatementContext, statement: ts.Statement): Piece[] {
    const ts = this.#ts;
    if (ts.isExportAssignment(statement)) return [{ text: ";(" }, ...piecesOf(context, statement.expression), { text: ");\n" }];
    const hasModifiers = ts.isVariableStatement(statement) || ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement);
    return [...(hasModifiers ? withoutModifiers(context, statement) : piecesOf(context, statement)), { text: ";\n" }];
  }

  /** The expression whose value the statement shows. */
  #valueOf(statement: ts.Statement): ts.Node | undefined {
    const ts = this.#ts;
    if (ts.isExpressionStatement(statement) || ts.isExportAssignment(statement)) return statement.expression;
    return undefined;
  }

  #isUsing({ declarationList }: ts.VariableStatement): boolean {
    const { flags } = declarationList;
    const { NodeFlags } = this.#ts;
    return (flags & NodeFlags.BlockScoped) === NodeFlags.Using || (flags & NodeFlags.BlockScoped) === NodeFlags.AwaitUsing;
  }

  #declares(statement: ts.Statement): string[] {
    const ts = this.#ts;
    if (ts.isVariableStatement(statement) && !this.#isUsing(statement)) return statement.declarationList.declarations.flatMap(({ name }) => bindingNames(ts, name));
    return ts.isClassDeclaration(statement) && statement.name !== undefined ? [statement.name.text] : [];
  }

  #sort(): SortedCell {
    const ts = this.#ts;
    const imports: ImportStatement[] = [];
    const objects: (ts.EnumDeclaration | ts.ModuleDeclaration)[] = [];
    const functions: (ts.FunctionDeclaration & { name: ts.Identifier })[] = [];
    const body: ts.Statement[] = [];
    for (const statement of this.#file.statements) {
      if (this.#isTypeOnly(statement)) continue;
      if (ts.isImportDeclaration(statement)) addDefined(imports, readImport(ts, this.#file, statement, this.#options.resolve));
      else if (ts.isExportDeclaration(statement)) addDefined(imports, readReexport(ts, this.#file, statement, this.#options.resolve));
      else if (ts.isEnumDeclaration(statement) || ts.isModuleDeclaration(statement)) objects.push(statement);
      else if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) functions.push(statement as ts.FunctionDeclaration & { name: ts.Identifier });
      else body.push(statement);
    }
    return { imports, objects, functions, body };
  }

  #isTypeOnly(statement: ts.Statement): boolean {
    const ts = this.#ts;
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement) || ts.isEmptyStatement(statement)) return true;
    if (ts.isFunctionDeclaration(statement) && statement.body === undefined) return true;
    return ts.canHaveModifiers(statement) && (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword);
  }

  #metaEdits(): Edit[] {
    const ts = this.#ts;
    const edits: Edit[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) edits.push({ start: node.getStart(this.#file), end: node.end, text: IMPORT_META });
      ts.forEachChild(node, visit);
    };
    if (/\bimport\s*\.\s*meta\b/.test(this.#file.text)) visit(this.#file);
    return edits;
  }
}

/** Variables without those that cannot be sent back: a function that the cell has made, a socket. */
const SENDABLE = `const { serialize: $burla_serialize } = await import("node:v8");
const $burla_sendable = (all) => {
  const names = {}, lost = [];
  for (const [name, value] of Object.entries(all)) {
    try { if (typeof value === "function" || (typeof value === "object" && value !== null)) $burla_serialize(value); names[name] = value; } catch (error) { lost.push([name, error.message]); }
  }
  return { names, lost };
};
`;

/** Notes what the names mean and hold before the cell runs, to tell afterwards which of them it has changed. */
function watchText(names: readonly string[]): string {
  return `const $burla_bytes = (value) => { try { return $burla_serialize(value).toString("latin1"); } catch { return undefined; } };
const $burla_watched = () => Object.entries({ ${names.join(", ")} }).map(([name, value]) => ({ name, value, bytes: $burla_bytes(value) }));
const $burla_before = $burla_watched();
const $burla_changed = () => Object.fromEntries($burla_watched().filter(({ value, bytes }, at) => !Object.is(value, $burla_before[at].value) || bytes !== $burla_before[at].bytes).map(({ name, value }) => [name, value]));
`;
}

/** Not one of a block, a loop or a `catch`. */
function isOfTheCell(ts: TypeScript, { parent: list }: ts.VariableDeclaration): boolean {
  return ts.isVariableDeclarationList(list) && ts.isVariableStatement(list.parent) && ts.isSourceFile(list.parent.parent);
}

function addDefined<Item>(list: Item[], item: Item | undefined): void {
  if (item !== undefined) list.push(item);
}

