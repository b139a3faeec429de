import { parse } from "acorn";
import { analyze as analyzeScopes } from "eslint-scope";
import type { Reference, ScopeManager, Variable } from "eslint-scope";
import { ancestorsAt, isFunctionNode, type FunctionNode, type Node } from "./syntax.ts";

/** Syntax tree and scopes of one script. */
export interface ScriptAnalysis {
  root: Node;
  /** Every use of a name in the script, in the order of the text. */
  references: readonly Reference[];
  scopes: ScopeManager;
}

/** Where a function stands in its script. */
export interface FunctionSite {
  node: FunctionNode;
  /** The nodes around it, outermost first. */
  ancestors: Node[];
  /** Offset at which the text that `toString` shows begins. */
  textStart: number;
}

/** Throws SyntaxError when the source uses syntax that is newer than the parser. */
export function analyze(source: string, isModule: boolean): ScriptAnalysis {
  const root = parse(source, {
    ecmaVersion: "latest",
    sourceType: isModule ? "module" : "script",
    ranges: true,
    allowHashBang: true,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    allowSuperOutsideMethod: true,
  }) as unknown as Node;
  const scopes = analyzeScopes(root as Parameters<typeof analyzeScopes>[0], {
    ecmaVersion: 2025 as 2024,
    sourceType: isModule ? "module" : "script",
    nodejsScope: !isModule,
    childVisitorKeys: null,
    fallback: "iteration",
    optimistic: true,
  });
  const references = scopes.scopes.flatMap((scope) => scope.references);
  references.sort((a, b) => startOf(a) - startOf(b));
  return { root, references, scopes };
}

/** Finds the function of that text around the offset that V8 gives for it. */
export function locate(analysis: ScriptAnalysis, offset: number, text: string, source: string): FunctionSite | undefined {
  const path = ancestorsAt(analysis.root, offset);
  for (let index = path.length - 1; index >= 0; index--) {
    const node = path[index] as Node;
    if (!isFunctionNode(node)) continue;
    const textStart = node.end - text.length;
    if (source.startsWith(text, textStart)) return { node, ancestors: path.slice(0, index), textStart };
  }
  return undefined;
}

/** The uses of names within a stretch of the script. */
export function referencesIn(analysis: ScriptAnalysis, range: { start: number; end: number }): Reference[] {
  const { references } = analysis;
  let low = 0;
  let high = references.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(references[middle] as Reference) < range.start) low = middle + 1;
    else high = middle;
  }
  const found: Reference[] = [];
  for (let index = low; index < references.length; index++) {
    const reference = references[index] as Reference;
    if (startOf(reference) >= range.end) break;
    found.push(reference);
  }
  return found;
}

/** Whether the variable belongs to the script's outermost scope, of which there is only one instance. */
export function isTopLevel(variable: Variable): boolean {
  const { scope } = variable;
  return scope.type === "module" || scope.type === "global" || scope.upper?.type === "global";
}

function startOf(reference: Reference): number {
  return (reference.identifier as unknown as Node).start;
}
