/**
 * The top level of a TypeScript or JavaScript file, as far as running a function needs it. Lezer's grammar gives a tree of
 * any text, however broken: nothing here throws while somebody types.
 */
import type { SyntaxNode, Tree } from "@lezer/common";
import { parser } from "@lezer/javascript";

/** A function that can be run over inputs. */
export interface FoundFunction {
  /** By which it is named when it is run: `default` for a default export. */
  readonly name: string;
  /** What a person calls it. */
  readonly label: string;
  /** Its first parameter as it is written, with its type; empty when it has none. */
  readonly parameter: string;
  /** Others can import it by this name. */
  readonly isExported: boolean;
  readonly start: number;
  readonly end: number;
}

/** Something that the file exports and that may hold inputs. */
export interface FoundValue {
  readonly name: string;
  /** It is an array by what is written; else only running it tells. */
  readonly isArray: boolean;
  /** Its first element as it is written; empty when that is not to be seen. */
  readonly first: string;
}

/** Offsets into the text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export type LanguageId = "typescript" | "typescriptreact" | "javascript" | "javascriptreact";
export const LANGUAGES: readonly LanguageId[] = ["typescript", "typescriptreact", "javascript", "javascriptreact"];

export interface Outline {
  readonly functions: readonly FoundFunction[];
  readonly values: readonly FoundValue[];
}

const DIALECTS: Record<LanguageId, string> = { typescript: "ts", typescriptreact: "ts jsx", javascript: "jsx", javascriptreact: "jsx" };
const WRAPPERS = new Set(["ParenthesizedExpression", "BinaryExpression", "TypeAssertion"]);
/** Values that are no inputs. */
const NO_INPUTS = new Set(["Number", "String", "TemplateString", "BooleanLiteral", "null", "RegExp", "ObjectExpression", "ClassExpression", "NewTarget"]);

export function parseFile(text: string, language: LanguageId): Tree {
  return parser.configure({ dialect: DIALECTS[language] }).parse(text);
}

export function outlineOf(text: string, language: LanguageId): Outline {
  const functions: FoundFunction[] = [];
  const values: FoundValue[] = [];
  const reader = new Reader(text, functions, values);
  for (const statement of topLevelStatements(parseFile(text, language))) reader.statement(statement);
  for (const [at, found] of functions.entries()) if (reader.exported.has(found.name)) functions[at] = { ...found, isExported: true };
  return { functions, values: [...values].sort((a, b) => Number(b.isArray) - Number(a.isArray)) };
}

/** Also exports that seem to stand within a block: there they cannot be, so an unfinished line above has swallowed them. */
function topLevelStatements(tree: Tree): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let node = tree.topNode.firstChild; node !== null; node = node.nextSibling) {
    found.push(node);
    if (holdsError(node)) found.push(...exportsWithin(node));
  }
  return found;
}

function holdsError(statement: SyntaxNode): boolean {
  let found = false;
  statement.cursor().iterate(({ type }) => {
    found ||= type.isError;
    return !found;
  });
  return found;
}

function exportsWithin(statement: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  statement.cursor().iterate((node) => {
    if (node.name === "ExportDeclaration" && node.from !== statement.from && !node.matchContext(["NamespaceDeclaration", "Block"])) found.push(node.node);
  });
  return found;
}

class Reader {
  readonly #text: string;
  readonly #functions: FoundFunction[];
  readonly #values: FoundValue[];
  /** Names that an `export { name }` exports as they are. */
  readonly exported = new Set<string>();
  /** Values at the top level that a later `export { name }` may export. */
  readonly #unexported = new Map<string, FoundValue>();

  constructor(text: string, functions: FoundFunction[], values: FoundValue[]) {
    this.#text = text;
    this.#functions = functions;
    this.#values = values;
  }

  statement(node: SyntaxNode): void {
    switch (node.name) {
      case "FunctionDeclaration":
        return this.#declaration(node, node);
      case "VariableDeclaration":
        return this.#variables(node, node, false);
      case "ExportDeclaration":
        return this.#export(node);
      case "ExpressionStatement":
        return this.#assignment(node);
    }
  }

  #export(statement: SyntaxNode): void {
    const group = statement.getChild("ExportGroup");
    if (group !== null) return this.#group(group);
    const variables = statement.getChild("VariableDeclaration");
    if (variables !== null) return this.#variables(variables, statement, true);
    const declaration = statement.getChild("FunctionDeclaration");
    const isDefault = statement.getChild("default") !== null;
    if (declaration !== null) return this.#declaration(declaration, statement, isDefault ? "default" : undefined);
    const expression = isDefault ? unwrap(statement.lastChild?.name === ";" ? statement.lastChild.prevSibling : statement.lastChild) : null;
    if (isDefault && isMappable(expression)) this.#add("default", "default export", statement, expression, true);
    else if (expression?.name === "ArrayExpression") this.#values.push({ name: "default", isArray: true, first: this.#firstOf(expression) });
  }

  /** @param name by which it is run, when it is not its own. */
  #declaration(node: SyntaxNode, statement: SyntaxNode, name?: string): void {
    const own = this.#textOf(node.getChild("VariableDefinition"));
    if (isMappable(node) && (name ?? own) !== "") this.#add(name ?? own, own === "" ? "default export" : own, statement, node, statement.name === "ExportDeclaration");
  }

  #variables(node: SyntaxNode, statement: SyntaxNode, isExported: boolean): void {
    for (const definition of node.getChildren("VariableDefinition")) {
      const name = this.#textOf(definition);
      const { initialiser, hasArrayType } = partsOf(definition);
      if (isMappable(initialiser) || this.#looksLikeArrow(initialiser)) this.#add(name, name, definition.prevSibling?.name === "," ? definition : statement, initialiser, isExported);
      else if (initialiser !== null && !isFunction(initialiser) && !NO_INPUTS.has(initialiser.name)) {
        const value = { name, isArray: hasArrayType || initialiser.name === "ArrayExpression" || this.#makesArray(initialiser), first: this.#firstOf(initialiser) };
        if (isExported) this.#values.push(value);
        else this.#unexported.set(name, value);
      }
    }
  }

  #group(group: SyntaxNode): void {
    for (let child = group.firstChild; child !== null; child = child.nextSibling) {
      if (child.name === "VariableName" && child.nextSibling?.name !== "as") this.exported.add(this.#textOf(child));
      const value = child.name === "VariableName" ? this.#unexported.get(this.#textOf(child)) : undefined;
      if (value === undefined) continue;
      const isRenamed = child.nextSibling?.name === "as";
      const alias = isRenamed ? this.#textOf(child.nextSibling?.nextSibling ?? null) : "";
      this.#values.push({ ...value, name: alias === "" ? value.name : alias });
    }
  }

  /** `exports.name = ...`, `module.exports.name = ...`, `module.exports = ...` */
  #assignment(statement: SyntaxNode): void {
    const assignment = statement.getChild("AssignmentExpression");
    const target = assignment?.firstChild ?? null;
    if (assignment == null || target?.name !== "MemberExpression") return;
    const [, name] = /^(?:module\s*\.\s*)?exports\s*\.\s*([\w$]+)$/.exec(this.#textOf(target)) ?? [];
    const isWhole = /^module\s*\.\s*exports$/.test(this.#textOf(target));
    const value = unwrap(assignment.lastChild);
    const exported = isWhole ? "default" : name;
    if (exported === undefined || (name === "exports" && isWhole)) return;
    if (isMappable(value)) this.#add(exported, isWhole ? "module.exports" : exported, statement, value, true);
    else if (value?.name === "ArrayExpression") this.#values.push({ name: exported, isArray: true, first: this.#firstOf(value) });
  }

  #add(name: string, label: string, { from, to }: { from: number; to: number }, fn: SyntaxNode | null, isExported: boolean): void {
    this.#functions.push({ name, label, parameter: this.#parameterOf(fn), isExported, start: from, end: to });
  }

  #parameterOf(fn: SyntaxNode | null): string {
    const list = fn?.getChild("ParamList") ?? null;
    const first = list?.firstChild ?? null;
    if (list === null || first === null) return "";
    const start = first.name === "(" ? first.to : first.from;
    const comma = list.getChild(",");
    const end = comma?.from ?? (list.lastChild?.name === ")" ? list.lastChild.from : list.to);
    return oneLine(this.#text.slice(start, end));
  }

  #firstOf(array: SyntaxNode): string {
    const first = array.name === "ArrayExpression" ? (array.firstChild?.nextSibling ?? null) : null;
    return first === null || first.name === "]" || first.name === "Spread" ? "" : oneLine(this.#textOf(first));
  }

  /** The grammar knows no `async <T,>(...) => ...`. */
  #looksLikeArrow(node: SyntaxNode | null): boolean {
    return node !== null && /^async\s*<[^=;]*>\s*\([^;]*=>/.test(this.#text.slice(node.from, node.from + 500));
  }

  #makesArray(node: SyntaxNode): boolean {
    return node.name === "CallExpression" && /^(Array\.(from|of)\b|Object\.(keys|values|entries)\b)|\.(map|filter|flatMap|split|concat|slice|sort|toSorted)\($/.test(this.#textOf(node.firstChild) + (/^(Array|Object)\./.test(this.#textOf(node)) ? "" : "("));
  }

  #textOf(node: SyntaxNode | null): string {
    return node === null ? "" : this.#text.slice(node.from, node.to);
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function partsOf(definition: SyntaxNode): { initialiser: SyntaxNode | null; hasArrayType: boolean } {
  let hasArrayType = false;
  for (let node = definition.nextSibling; node !== null && node.name !== "," && node.name !== ";"; node = node.nextSibling) {
    if (node.name === "TypeAnnotation") hasArrayType = node.getChild("ArrayType") !== null;
    if (node.name === "Equals") return { initialiser: unwrap(node.nextSibling), hasArrayType };
  }
  return { initialiser: null, hasArrayType };
}

/** Without parentheses, `as`, `satisfies`. */
function unwrap(node: SyntaxNode | null): SyntaxNode | null {
  let at = node;
  while (at !== null && WRAPPERS.has(at.name)) {
    if (at.name === "BinaryExpression" && at.getChild("as") === null && at.getChild("satisfies") === null) return at;
    at = at.name === "ParenthesizedExpression" ? (at.firstChild?.nextSibling ?? null) : at.name === "TypeAssertion" ? at.lastChild : at.firstChild;
  }
  return at;
}

/** Function expressions and declarations of any kind. */
export function isFunction({ name }: SyntaxNode): boolean {
  return name === "ArrowFunction" || name === "FunctionExpression" || name === "FunctionDeclaration";
}

/** A function with a body, whose results can be sent: those of a generator cannot. */
function isMappable(node: SyntaxNode | null): boolean {
  if (node === null || !isFunction(node)) return false;
  return node.getChild("Star") === null && (node.name !== "FunctionDeclaration" || node.getChild("Block") !== null);
}
