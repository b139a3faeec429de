/** What names mean where a cell begins: values of the session, and what the cell itself declares. Nothing of the user's runs for it. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import { bindingNames } from "../names.ts";
import { isAsyncText, isBorder, isFunctionText, type FunctionNode } from "./nodes.ts";

/** Of a function: whatever is larger is a program, not one of a cell. */
const MAX_TEXT = 256 * 1024;
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array) as new () => object;
/** Of generators, and of what goes over arrays, maps and sets. */
const ITERATOR = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;
const CONTAINERS = [Array, Map, Set, WeakMap, WeakSet, TYPED_ARRAY] as const;

/** Where a name was imported from, and what it means. */
export interface KnownImport {
  readonly specifier: string;
  readonly exported: string;
  readonly value: unknown;
}

export interface KnownNames {
  /** Variables of earlier cells. */
  readonly session: Readonly<Record<string, unknown>>;
  /** Names that earlier cells have imported. */
  readonly imports: ReadonlyMap<string, KnownImport>;
  /** Names of the language or of Node that earlier cells have declared anew. */
  readonly shadowed: ReadonlySet<string>;
}

export class Meaning {
  readonly #ts: TypeScript;
  readonly #known: KnownNames;
  /** What the cell declares, with the value that it begins with. */
  readonly #declared = new Map<string, ts.Node | undefined>();
  readonly #imported = new Map<string, Pick<KnownImport, "specifier" | "exported">>();
  readonly #classes: ts.ClassLikeDeclaration[] = [];
  readonly #texts = new Map<unknown, ts.Node | undefined>();

  constructor(ts: TypeScript, file: ts.SourceFile, known: KnownNames) {
    this.#ts = ts;
    this.#known = known;
    for (const statement of file.statements) this.#note(statement);
    for (const statement of file.statements) this.#noteWithin(statement, true);
  }

  /** Whether the cell gives the name its value. */
  isOfCell(name: string): boolean {
    return this.#declared.has(name);
  }

  /** Whether it means what the language or Node means by it. */
  isGlobal(name: string): boolean {
    const { session, imports, shadowed } = this.#known;
    return !this.#declared.has(name) && !this.#imported.has(name) && !imports.has(name) && !shadowed.has(name) && !Object.hasOwn(session, name) && name in globalThis;
  }

  importOf(name: string): Pick<KnownImport, "specifier" | "exported"> | undefined {
    return this.#imported.get(name) ?? (this.#declared.has(name) ? undefined : this.#known.imports.get(name));
  }

  /** The value of a name of an earlier cell; undefined for all others. */
  valueOf(name: string): unknown {
    if (this.#declared.has(name) || this.#imported.has(name)) return undefined;
    const { session, imports } = this.#known;
    if (Object.hasOwn(session, name)) return session[name];
    const imported = imports.get(name);
    return imported !== undefined && isOwnFile(imported.specifier) ? imported.value : undefined;
  }

  /** What the cell's own declaration of the name begins with. */
  initializerOf(name: string): ts.Node | undefined {
    return this.#declared.get(name);
  }

  /** The text of a function of the user's own. */
  functionNamed(name: string): FunctionNode | undefined {
    const node = this.#declared.get(name) ?? this.#textOf(this.valueOf(name));
    return node !== undefined && (isFunctionText(this.#ts, node) || this.#ts.isFunctionDeclaration(node) || this.#ts.isMethodDeclaration(node)) ? node : undefined;
  }

  classNamed(name: string): ts.ClassLikeDeclaration | undefined {
    const node = this.#declared.get(name) ?? this.#textOf(this.valueOf(name));
    return node !== undefined && this.#ts.isClassLike(node) ? node : undefined;
  }

  isAsync(name: string): boolean {
    const node = this.functionNamed(name);
    return node !== undefined && isAsyncText(this.#ts, node);
  }

  /** Methods of that name: of the class of the object where that is known, else of all classes of the user's. */
  methods(name: string, root: string | undefined): ts.MethodDeclaration[] {
    const value = root === undefined ? undefined : this.valueOf(root);
    const classes = isObject(value) ? [this.#textOf(classOf(value))] : [...this.#classes, ...Object.values(this.#known.session).map((one) => (isClass(one) ? this.#textOf(one) : undefined))];
    return classes.flatMap((node) => (node !== undefined && this.#ts.isClassLike(node) ? this.#methodsOf(node, name) : []));
  }

  /** Whether the name may hold an array, a map or another object that its methods change. */
  mayBeContainer(name: string): boolean {
    if (this.#declared.has(name)) return true;
    const value = this.valueOf(name);
    if (!isObject(value)) return false;
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || prototype === Object.prototype || CONTAINERS.some((kind) => value instanceof kind) || Object.prototype.isPrototypeOf.call(ITERATOR, value);
  }

  #methodsOf(node: ts.ClassLikeDeclaration, name: string): ts.MethodDeclaration[] {
    return node.members.filter((member): member is ts.MethodDeclaration => this.#ts.isMethodDeclaration(member) && this.#ts.isIdentifier(member.name) && member.name.text === name);
  }

  #note(statement: ts.Statement): void {
    const ts = this.#ts;
    if (ts.isImportDeclaration(statement)) return this.#noteImport(statement);
    if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) return void this.#declared.set(statement.name.text, statement);
    if (ts.isClassDeclaration(statement) && statement.name !== undefined) {
      this.#classes.push(statement);
      return void this.#declared.set(statement.name.text, statement);
    }
    if ((ts.isEnumDeclaration(statement) || ts.isModuleDeclaration(statement)) && ts.isIdentifier(statement.name)) return void this.#declared.set(statement.name.text, undefined);
  }

  /** Variables, those of blocks too, and what else is assigned: of a name with several meanings none is known. */
  #noteWithin(node: ts.Node, isTop: boolean): void {
    const ts = this.#ts;
    if (ts.isFunctionDeclaration(node) && node.name !== undefined && !isTop) this.#give(node.name.text, undefined);
    if (isBorder(ts, node)) return;
    if (ts.isVariableDeclaration(node)) for (const bound of bindingNames(ts, node.name)) this.#give(bound, ts.isIdentifier(node.name) ? node.initializer : undefined);
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isIdentifier(node.left)) this.#give(node.left.text, node.right);
    ts.forEachChild(node, (child) => this.#noteWithin(child, false));
  }

  #give(name: string, value: ts.Node | undefined): void {
    this.#declared.set(name, this.#declared.has(name) ? undefined : value);
  }

  #noteImport({ importClause, moduleSpecifier }: ts.ImportDeclaration): void {
    const { text: specifier } = moduleSpecifier as ts.StringLiteral;
    if (importClause?.name !== undefined) this.#imported.set(importClause.name.text, { specifier, exported: "default" });
    const bindings = importClause?.namedBindings;
    if (bindings === undefined) return;
    if (this.#ts.isNamespaceImport(bindings)) this.#imported.set(bindings.name.text, { specifier, exported: "*" });
    else for (const { name, propertyName } of bindings.elements) this.#imported.set(name.text, { specifier, exported: (propertyName ?? name).text });
  }

  /** As it is written, read once. */
  #textOf(value: unknown): ts.Node | undefined {
    if (typeof value !== "function") return undefined;
    if (!this.#texts.has(value)) this.#texts.set(value, this.#parse(Function.prototype.toString.call(value)));
    return this.#texts.get(value);
  }

  #parse(text: string): ts.Node | undefined {
    if (text.length > MAX_TEXT || /\[native code\]\s*\}\s*$/.test(text)) return undefined;
    const ts = this.#ts;
    for (const candidate of [`(${text})`, `({ ${text} })`]) {
      const file = ts.createSourceFile("function.js", candidate, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
      if ((file as unknown as { parseDiagnostics: readonly unknown[] }).parseDiagnostics.length === 0) return firstCode(ts, file);
    }
    return undefined;
  }
}

function firstCode(ts: TypeScript, node: ts.Node): ts.Node | undefined {
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return node;
  return ts.forEachChild(node, (child) => firstCode(ts, child));
}

/** What the user has written, not installed. */
function isOwnFile(specifier: string): boolean {
  return /^(\.{0,2}\/|file:)/.test(specifier);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && Function.prototype.toString.call(value).startsWith("class");
}

function classOf(value: object): unknown {
  const prototype = Object.getPrototypeOf(value) as object | null;
  const found = prototype === null ? undefined : Object.getOwnPropertyDescriptor(prototype, "constructor");
  return found?.value as unknown;
}
