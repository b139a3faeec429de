/**
 * WeakMaps and WeakSets in which code keeps notes about its objects. Those of the user's own code are refused: what they
 * hold cannot be told from what they only have not lost yet. But packages keep theirs (which schemas are set up, which
 * nodes have a parent), and compilers put private fields into some: there, each captured object takes its notes along.
 */
import { types } from "node:util";
import type { Variable } from "eslint-scope";
import { packageDirectory } from "./packages.ts";
import type { Script } from "./script.ts";
import { ancestorsAt, type Node } from "./syntax.ts";

export function isWeakCollection(value: unknown): value is WeakMap<object, unknown> | WeakSet<object> {
  return types.isWeakMap(value) || types.isWeakSet(value);
}

/** Whether a weak collection that code closes over is such a notebook: its objects may take their notes along. */
export function isNotebook(script: Script, variable: Variable | null): boolean {
  if (script.file !== undefined && packageDirectory(script.file) !== undefined) return true;
  return variable !== null && variable.references.length > 0 && variable.references.every((reference) => isOfCompiler(script, (reference.identifier as unknown as Node).start));
}

/** Helpers of esbuild, TypeScript, Babel and SWC for members that the runtime would not have: `__privateGet(this, _x)`. */
const HELPER = /^_*(class_?)?(private|check_?private|accessor)/i;

/** Whether the name stands where a compiler puts it: where it is made, in a helper's call, or in `_x.set(this, value)`. */
function isOfCompiler(script: Script, offset: number): boolean {
  const path = ancestorsAt(script.analysis.root, offset);
  const [grandparent, parent, name] = path.slice(-3);
  if (parent?.type === "VariableDeclarator") return true;
  if (parent?.type === "AssignmentExpression") return parent.left === (name as unknown);
  if (parent?.type === "CallExpression") return parent.callee.type === "Identifier" && HELPER.test(parent.callee.name);
  if (parent?.type !== "MemberExpression" || grandparent?.type !== "CallExpression") return false;
  const { property } = parent;
  return property.type === "Identifier" && ["set", "add"].includes(property.name) && grandparent.arguments[0]?.type === "ThisExpression";
}
