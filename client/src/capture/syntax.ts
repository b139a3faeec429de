import type * as ESTree from "estree";

/** A node as acorn makes it: with offsets into the source. */
export type Node = ESTree.Node & { start: number; end: number };

/** A function in any of its spellings, or a class. */
export type FunctionNode = (ESTree.Function | ESTree.Class) & { start: number; end: number };

const FUNCTION_TYPES = new Set([
  "ArrowFunctionExpression",
  "FunctionExpression",
  "FunctionDeclaration",
  "ClassExpression",
  "ClassDeclaration",
]);

export function isFunctionNode(node: Node): node is FunctionNode & Node {
  return FUNCTION_TYPES.has(node.type);
}

export function isClassNode(node: Node): node is ESTree.Class & Node {
  return node.type === "ClassExpression" || node.type === "ClassDeclaration";
}

/** The child nodes, in no particular order. */
export function* childrenOf(node: Node): Generator<Node> {
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) {
      yield value;
    }
  }
}

/** Calls `visit` for the node and everything below it; `visit` returns false to stay out of a node's children. */
export function walk(node: Node, visit: (node: Node) => boolean): void {
  const pending = [node];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (visit(next)) pending.push(...childrenOf(next));
  }
}

/** The nodes that contain the offset, outermost first. */
export function ancestorsAt(root: Node, offset: number): Node[] {
  const path = [root];
  for (let node: Node | undefined = root; node !== undefined; ) {
    let inner: Node | undefined;
    for (const child of childrenOf(node)) {
      if (child.start <= offset && offset < child.end) {
        // A shorthand property has its key and its value at the same place: the value is the reference.
        if (inner === undefined || child.start > inner.start || child.end < inner.end || child.type !== "Identifier") inner = child;
      }
    }
    if (inner !== undefined) path.push(inner);
    node = inner;
  }
  return path;
}

export function contains(outer: { start: number; end: number }, inner: { start: number; end: number }): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/** The value of a string literal, also when it is written as a template without holes. */
export function stringValue(node: ESTree.Node | null | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0) return node.quasis[0]?.value.cooked ?? undefined;
  return undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}
