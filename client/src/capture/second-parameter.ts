import type * as ESTree from "estree";
import type { FunctionNode } from "./syntax.ts";

/** What calls are told of themselves. */
const CONTEXT_KEYS = new Set(["index", "attempt", "signal", "log", "worker"]);

/**
 * Whether a function wants the context as its second argument. One with a default there, `(x, factor = 2) => …`, means
 * something of its own by it, as it was written to be called with one argument; unless it only takes the context apart,
 * `(x, { log } = console) => …`.
 * @param bound arguments that come before the input.
 */
export function takesContext(node: FunctionNode | undefined, bound = 0): boolean {
  const parameters = node !== undefined && "params" in node ? node.params : [];
  const second = parameters[1 + bound];
  if (second?.type === "Identifier") return !hasCompiledDefault(node, second.name);
  if (second?.type !== "AssignmentPattern") return true;
  return second.left.type === "ObjectPattern" && second.left.properties.every(isOfContext);
}

/** `if (factor === void 0) { factor = 2; }` at the begin, as compilers write a default for older JavaScript. */
function hasCompiledDefault(node: FunctionNode | undefined, name: string): boolean {
  const statements = node !== undefined && "body" in node && node.body.type === "BlockStatement" ? node.body.body : [];
  for (const statement of statements) {
    if (statement.type !== "IfStatement") return false;
    const { test } = statement;
    const isTest = test.type === "BinaryExpression" && test.operator === "===" && test.right.type === "UnaryExpression" && test.right.operator === "void";
    if (!isTest) return false;
    if (test.left.type === "Identifier" && test.left.name === name) return true;
  }
  return false;
}

function isOfContext(property: ESTree.AssignmentProperty | ESTree.RestElement): boolean {
  return property.type === "Property" && !property.computed && property.key.type === "Identifier" && CONTEXT_KEYS.has(property.key.name);
}
