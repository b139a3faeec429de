/**
 * What a turn of a loop puts somewhere: `rows.push(f(x))`, `byKey[k] = f(x)`, `total += f(x)`. The values are made by the turn,
 * wherever it runs; the putting is done here, in order, by the very expression of the loop.
 */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import { isAssignment, isStep } from "../names.ts";
import { cut, type Edit } from "../pieces.ts";
import type { Meaning } from "./meaning.ts";
import { CarriesState } from "./carries-state.ts";
import { Mover, type Moved } from "./mover.ts";
import { bare, everyNode, isBorder, isShort, isShortAssignment, mentioned } from "./nodes.ts";

/** Where turns put their values, and what those are called where they are put in place. */
export const OUT = "$burla_out";
export const VALUES = "$burla_values";

const COLLECTING = new Set(["push", "unshift", "add", "set", "append"]);

/** An expression of the loop that collects, or an `if` around some that looks at what is there: `if (!m.has(k)) m.set(k, [])`. */
interface Collecting {
  readonly node: ts.Expression | ts.IfStatement;
  /** What it puts into. */
  readonly root: string;
}

export interface Collected {
  /** Names of what is put into. */
  readonly roots: ReadonlySet<string>;
  /** Nodes that are done here. */
  readonly here: ReadonlySet<ts.Node>;
  /** What turns make. */
  readonly values: readonly ts.Expression[];
  /** What becomes of the expressions in the turn. */
  readonly edits: readonly Edit[];
  /** What is done here for each of them, in the order of their numbers. */
  readonly replay: readonly string[];
}

export class CollectReader {
  readonly #ts: TypeScript;
  readonly #file: ts.SourceFile;
  readonly #meaning: Meaning;

  constructor(ts: TypeScript, file: ts.SourceFile, meaning: Meaning) {
    this.#ts = ts;
    this.#file = file;
    this.#meaning = meaning;
  }

  /** @param own names that a turn has for itself. @throws CarriesState */
  read(body: ts.Statement | ts.ConciseBody, own: ReadonlySet<string>): Collected {
    const roots = new Set(this.#find(body, own, new Set()).map(({ root }) => root));
    const found = this.#find(body, own, roots);
    const moved = found.map(({ node }) => this.#movedOf(node, roots));
    const replay = found.map(({ node }, kind) => this.#replay(node, moved[kind] as readonly Moved[]));
    const edits = found.flatMap(({ node }, kind) => this.#turnEdits(node, kind, moved[kind] as readonly Moved[]));
    const values = moved.flat().map(({ node }) => node);
    const made = new Set(everyNode(this.#ts, values));
    const here = new Set(everyNode(this.#ts, found.map(({ node }) => node)).filter((node) => !made.has(node)));
    return { roots, here, values, edits, replay };
  }

  /**
   * Expressions that are statements, also behind a condition: `x.ok && rows.push(x)`.
   *
   * @param roots where the condition of an `if` looks at these, all of it is done here.
   */
  #find(body: ts.Node, own: ReadonlySet<string>, roots: ReadonlySet<string>): Collecting[] {
    const ts = this.#ts;
    const found: Collecting[] = [];
    const expression = (node: ts.Expression): void => {
      const root = this.#collects(node, own);
      if (root !== undefined) return void found.push({ node, root });
      const inner = bare(ts, node);
      if (ts.isBinaryExpression(inner) && isShort(ts, inner.operatorToken.kind)) expression(inner.right);
      else if (ts.isConditionalExpression(inner)) [inner.whenTrue, inner.whenFalse].forEach(expression);
      else this.#refuseEffect(inner, own);
    };
    const visit = (node: ts.Node): void => {
      if (isBorder(ts, node)) return;
      if (ts.isExpressionStatement(node)) return expression(node.expression);
      const looked = ts.isIfStatement(node) ? mentioned(ts, node.expression, roots) : undefined;
      if (looked !== undefined && this.#branches(node as ts.IfStatement).every((branch) => this.#collects(branch, own) !== undefined)) found.push({ node: node as ts.IfStatement, root: looked });
      else ts.forEachChild(node, visit);
    };
    if (ts.isBlock(body) || ts.isStatement(body)) visit(body);
    else expression(body as ts.Expression);
    return found;
  }

  /** All that an `if` does; a statement that is no expression stands for itself, and collects nothing. */
  #branches({ thenStatement, elseStatement }: ts.IfStatement): ts.Expression[] {
    const ts = this.#ts;
    const statements = [thenStatement, ...(elseStatement === undefined ? [] : [elseStatement])].flatMap((branch): readonly ts.Statement[] => (ts.isBlock(branch) ? branch.statements : [branch]));
    return statements.map((statement) => (ts.isExpressionStatement(statement) ? statement.expression : (statement as unknown as ts.Expression)));
  }

  /** The name of what it puts something into, if that is none of the turn's own. */
  #collects(node: ts.Expression, own: ReadonlySet<string>): string | undefined {
    const ts = this.#ts;
    const target = this.#targetOf(node);
    const root = target === undefined ? undefined : pathRoot(ts, target);
    return root === undefined || own.has(root) ? undefined : root;
  }

  #targetOf(node: ts.Expression): ts.Expression | undefined {
    const ts = this.#ts;
    if (ts.isBinaryExpression(node) && isAssignment(ts, node.operatorToken.kind)) return node.left;
    if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(ts, node.operator)) return node.operand;
    if (!ts.isCallExpression(node) || node.questionDotToken !== undefined || !ts.isPropertyAccessExpression(node.expression) || node.expression.questionDotToken !== undefined || !COLLECTING.has(node.expression.name.text)) return undefined;
    const root = pathRoot(ts, node.expression.expression);
    // What the user's own class does with it, or a package, is not known.
    return root !== undefined && this.#meaning.mayBeContainer(root) && this.#meaning.methods(node.expression.name.text, root).length === 0 ? node.expression.expression : undefined;
  }

  /** `bar.tick()`: called for what it does to something that all turns share. */
  #refuseEffect(node: ts.Expression, own: ReadonlySet<string>): void {
    const ts = this.#ts;
    const call = ts.isAwaitExpression(node) ? bare(ts, node.expression) : node;
    if (!ts.isCallExpression(call) || !ts.isPropertyAccessExpression(call.expression)) return;
    const root = pathRoot(ts, call.expression.expression);
    if (root === undefined || own.has(root) || this.#meaning.isGlobal(root) || this.#meaning.importOf(root) !== undefined) return;
    throw new CarriesState(`it calls \`${call.expression.getText(this.#file)}\``);
  }

  #movedOf(node: Collecting["node"], roots: ReadonlySet<string>): Moved[] {
    const ts = this.#ts;
    const moved: Moved[] = [];
    const mover = new Mover(ts, this.#meaning, roots, moved);
    if (ts.isIfStatement(node)) {
      mover.value(node.expression, false);
      for (const branch of this.#branches(node)) mover.collecting(branch, true);
    } else {
      mover.collecting(node, false);
    }
    return moved.sort((a, b) => a.node.pos - b.node.pos);
  }

  /** `rows.push(f(x))` -> `rows.push($burla_values[0])`. */
  #replay(node: ts.Node, moved: readonly Moved[]): string {
    const edits = moved.map((one, index) => ({ start: one.node.getStart(this.#file), end: one.node.end, text: `${VALUES}[${index}]` }));
    return cut(this.#file.text, node.getStart(this.#file), node.end, edits).map(({ text }) => text).join("");
  }

  /** `rows.push(f(x))` -> `$burla_out.push([0, [f(x)]])`. */
  #turnEdits(node: ts.Node, kind: number, moved: readonly Moved[]): Edit[] {
    const edits: Edit[] = [];
    let at = node.getStart(this.#file);
    let text = `${OUT}.push([${kind}, [`;
    for (const [index, { node: value, isSpread }] of moved.entries()) {
      edits.push({ start: at, end: value.getStart(this.#file), text: `${text}${index === 0 ? "" : ", "}${isSpread ? "[...(" : "("}` });
      at = value.end;
      text = isSpread ? ")]" : ")";
    }
    return [...edits, { start: at, end: node.end, text: `${text}]])${this.#ts.isIfStatement(node) ? ";" : ""}` }];
  }
}

/** `groups` of `groups[k].rows`, of `groups.get(k)!`, of `(groups[k] ??= [])`. */
function pathRoot(ts: TypeScript, node: ts.Expression): string | undefined {
  const inner = bare(ts, node);
  if (ts.isIdentifier(inner)) return inner.text;
  if (ts.isPropertyAccessExpression(inner) || ts.isElementAccessExpression(inner)) return pathRoot(ts, inner.expression);
  if (ts.isBinaryExpression(inner) && isShortAssignment(ts, inner.operatorToken.kind)) return pathRoot(ts, inner.left);
  const isGet = ts.isCallExpression(inner) && ts.isPropertyAccessExpression(inner.expression) && inner.expression.name.text === "get";
  return isGet ? pathRoot(ts, (inner.expression as ts.PropertyAccessExpression).expression) : undefined;
}
