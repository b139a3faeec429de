import type * as ESTree from "estree";
import type { Reference, Variable } from "eslint-scope";
import { referencesIn, type FunctionSite, type ScriptAnalysis } from "./analysis.ts";
import { computedNamesOf } from "./class-members.ts";
import { childrenOf, contains, isClassNode, isFunctionNode, type Node } from "./syntax.ts";

/** A name that a function uses and does not declare. */
export interface FreeName {
  name: string;
  /** Its declaration in the same script; null when it is a global or comes from outside the script. */
  variable: Variable | null;
  references: Reference[];
  /** Whether the function assigns to it. */
  written: boolean;
}

/** What has to be known of a function's text, apart from its value, to make it run elsewhere. */
export interface FunctionSyntax {
  freeNames: FreeName[];
  /** Uses the `this` of the function around it. */
  usesOuterThis: boolean;
  /** Uses `super`, so the object that it was written in matters. */
  usesSuper: boolean;
  /** Names with `#` that the text uses but does not declare. */
  outerPrivateNames: string[];
  importMetas: Node[];
  dynamicImports: (ESTree.ImportExpression & Node)[];
  /** Parts that run once, when a class is made: they must not run again. */
  staticInitializers: Node[];
  /** Something that ties the text to its place: `eval(...)` or `with`. */
  unmovable: "eval" | "with" | undefined;
}

/** Reads the text of one function. */
export function readSyntax(analysis: ScriptAnalysis, site: FunctionSite): FunctionSyntax {
  const { node } = site;
  const syntax: FunctionSyntax = {
    freeNames: [],
    usesOuterThis: false,
    usesSuper: false,
    outerPrivateNames: [],
    importMetas: [],
    dynamicImports: [],
    staticInitializers: isClassNode(node) ? staticInitializersOf(node) : [],
    unmovable: undefined,
  };
  walkFunction(node, syntax);
  const evaluated = [...syntax.staticInitializers, ...computedNames(node)];
  const skipped = (offset: number): boolean => evaluated.some((part) => part.start <= offset && offset < part.end) || heritageHolds(node, offset);
  syntax.freeNames = freeNamesIn(analysis, node, skipped);
  return syntax;
}

/** Whether `toString` shows a method (`foo() {}`), which is no expression by itself. */
export function isMethodText({ node, textStart }: FunctionSite): boolean {
  return node.type === "FunctionExpression" && textStart < node.start;
}

/** The names used within a node and declared outside of it. */
export function freeNamesIn(analysis: ScriptAnalysis, node: Node, skipped: (offset: number) => boolean): FreeName[] {
  const found = new Map<string, FreeName>();
  for (const reference of referencesIn(analysis, node)) {
    const identifier = reference.identifier as unknown as Node;
    if (skipped(identifier.start) || isInside(reference.resolved, node)) continue;
    const { name } = reference.identifier;
    const entry = found.get(name) ?? { name, variable: reference.resolved, references: [], written: false };
    entry.references.push(reference);
    entry.written ||= reference.isWrite();
    found.set(name, entry);
  }
  return [...found.values()];
}

function isInside(variable: Variable | null, node: Node): boolean {
  if (variable === null) return false;
  const block = variable.scope.block as unknown as Node;
  // The name of a function declaration is declared around it, although its block is the function in one case:
  // a function expression's own name, which stays inside.
  return contains(node, block);
}

function heritageHolds(node: Node, offset: number): boolean {
  if (!isClassNode(node) || !node.superClass) return false;
  const heritage = node.superClass as unknown as Node;
  return heritage.start <= offset && offset < heritage.end;
}

function staticInitializersOf(node: ESTree.Class): Node[] {
  return node.body.body.flatMap((member) => {
    if (member.type === "StaticBlock") return [member as unknown as Node];
    if (member.type === "PropertyDefinition" && member.static && member.value) return [member.value as unknown as Node];
    return [];
  });
}

/** Names of members that were evaluated when the class was made, and are sent as what they gave. */
function computedNames(node: Node): Node[] {
  return isClassNode(node) ? computedNamesOf(node) : [];
}

function walkFunction(root: Node, syntax: FunctionSyntax): void {
  const declaredPrivate: Set<string>[] = [];
  const evaluated = new Set([...syntax.staticInitializers, ...computedNames(root)]);
  const visit = (node: Node, ownsThis: boolean, ownsSuper: boolean): void => {
    if (evaluated.has(node)) return;
    read(node, ownsThis, ownsSuper);
    const isClass = isClassNode(node);
    if (isClass) declaredPrivate.push(privateNamesOf(node));
    for (const child of childrenOf(node)) {
      if (isClass && child === (node.superClass as unknown)) {
        if (node !== root) visit(child, ownsThis, ownsSuper);
        continue;
      }
      const isBody = isClass && child === (node.body as unknown);
      const isPlainFunction = isFunctionNode(node) && !isClass && node.type !== "ArrowFunctionExpression";
      const isMethodChild =
        (node.type === "Property" && (node.method || node.kind !== "init")) || node.type === "MethodDefinition";
      visit(child, ownsThis || isBody || isPlainFunction, ownsSuper || isBody || isMethodChild);
    }
    if (isClass) declaredPrivate.pop();
  };
  const read = (node: Node, ownsThis: boolean, ownsSuper: boolean): void => {
    switch (node.type) {
      case "ThisExpression":
        if (!ownsThis) syntax.usesOuterThis = true;
        break;
      case "Super":
        if (!ownsSuper) syntax.usesSuper = true;
        break;
      case "PrivateIdentifier": {
        const name = `#${node.name}`;
        if (!declaredPrivate.some((names) => names.has(name)) && !syntax.outerPrivateNames.includes(name)) {
          syntax.outerPrivateNames.push(name);
        }
        break;
      }
      case "MetaProperty":
        if (node.meta.name === "import") syntax.importMetas.push(node);
        break;
      case "ImportExpression":
        syntax.dynamicImports.push(node as ESTree.ImportExpression & Node);
        break;
      case "WithStatement":
        syntax.unmovable = "with";
        break;
      case "CallExpression":
        if (node.callee.type === "Identifier" && node.callee.name === "eval") syntax.unmovable ??= "eval";
        break;
      default:
    }
  };
  visit(root, false, false);
}

/** The private members that a class's own text declares. */
export interface PrivateMembers {
  /** Fields of instances. */
  fields: string[];
  /** Fields of the class itself. */
  staticFields: string[];
  /** Whether instances have any, methods included: then each instance carries the class's mark. */
  marksInstances: boolean;
}

/** What `#names` the class declares. */
export function privateMembersOf(node: ESTree.Class): PrivateMembers {
  const members: PrivateMembers = { fields: [], staticFields: [], marksInstances: false };
  for (const member of node.body.body) {
    if (member.type === "StaticBlock" || member.key.type !== "PrivateIdentifier") continue;
    if (!member.static) members.marksInstances = true;
    if (member.type === "PropertyDefinition") (member.static ? members.staticFields : members.fields).push(`#${member.key.name}`);
  }
  return members;
}

function privateNamesOf(node: ESTree.Class): Set<string> {
  const names = new Set<string>();
  for (const member of node.body.body) {
    if (member.type !== "StaticBlock" && member.key.type === "PrivateIdentifier") names.add(`#${member.key.name}`);
  }
  return names;
}
