import { CaptureError } from "./errors.ts";
import { commonJsExports } from "./exported.ts";
import type * as ESTree from "estree";
import { computedFieldsOf } from "./class-members.ts";
import { readVariable, type Inspector } from "./inspect.ts";
import { pathNames, type Path } from "./path.ts";
import type { Script } from "./script.ts";
import { isClassNode, isFunctionNode, type FunctionNode, type Node } from "./syntax.ts";
import type { Template } from "./template.ts";

/** Finds the `this` that an arrow function closed over. */
export type OuterThis = (fn: object, template: Template, path: Path) => unknown;

/**
 * What V8 knows of a closure but its inspector does not tell: which run of a scope it belongs to, and its outer `this`.
 * Both are read from a heap snapshot, which takes a tenth of a second and more, so it is made at most once per capture.
 */
export class HeapContexts {
  readonly #inspector: Inspector;
  readonly #known: WeakMap<object, { value: unknown }>;
  #snapshot: Snapshot | undefined;

  constructor(inspector: Inspector, known: WeakMap<object, { value: unknown }>) {
    this.#inspector = inspector;
    this.#known = known;
  }

  /** An id of the scope run that holds the variable which `fn` closes over. */
  contextOf(fn: object, variable: string): number {
    return this.#read().contextHolding(this.#inspector.heapId(fn), variable)?.context ?? -1;
  }

  /** The value of a variable that the inspector does not show: the name that a function expression has inside itself. */
  variableOf(fn: object, variable: string): unknown {
    return this.#valueOf(fn, variable)?.value;
  }

  #valueOf(fn: object, variable: string): { value: unknown } | undefined {
    const snapshot = this.#read();
    const { value: id } = snapshot.contextHolding(this.#inspector.heapId(fn), variable) ?? {};
    if (id === undefined) return undefined;
    const held = snapshot.held(id);
    return held.kind === "object" ? { value: this.#inspector.objectByHeapId(id) } : held.kind === "primitive" ? { value: held.value } : undefined;
  }

  /**
   * The computed names of a class's fields, in the order of its text, as they were when the class was made: V8 keeps them
   * where the class itself keeps what it closes over. Undefined for one that cannot be read.
   */
  computedNames(fn: object, { site }: Template): (PropertyKey | undefined)[] {
    const found = this.#read().namesInContext(this.#inspector.heapId(fn));
    // Another number of names means that V8 keeps them otherwise than we know.
    if (found.length !== computedFieldsOf(site.node as ESTree.Class).length) return [];
    return found.map((name) => (typeof name === "object" ? this.#symbolOf(fn, name) : name));
  }

  #symbolOf(fn: object, { symbolId, description }: FoundSymbol): symbol | undefined {
    const { scopes } = this.#inspector.describe(fn);
    const wellKnown = Object.getOwnPropertyNames(Symbol).map((name) => (Symbol as unknown as Record<string, unknown>)[name]);
    const known: unknown[] = [...wellKnown, Symbol.for(description), ...scopes.flatMap((scope) => Object.keys(scope.variables).map((name) => readVariable(scope, name)))];
    return known.find((value): value is symbol => typeof value === "symbol" && this.#inspector.heapId(value) === symbolId);
  }

  /** The `this` of the function around an arrow function. */
  readonly thisOf: OuterThis = (fn, template, path) => {
    const known = this.#known.get(fn) ?? { value: this.#findThis(fn, template, path) };
    this.#known.set(fn, known);
    return known.value;
  };

  #findThis(fn: object, { site, script }: Template, path: Path): unknown {
    const around = site.ancestors.findLast(ownsThis);
    if (around === undefined) return topLevelThis(script);
    const running = isFunctionNode(around) ? this.#runningThis(script, around) : [];
    // Usually the arrow function was written in a call that is still running, which is far cheaper to look at.
    if (running.length > 0 && running.every((value) => value === running[0])) return running[0];
    const found = this.#valueOf(fn, "this");
    if (found === undefined) {
      throw new CaptureError({
        path: [...pathNames(path), "this"],
        what: "the object that it uses as this cannot be read",
        cure: "Put it into a variable first: const self = this.",
      });
    }
    return found.value;
  }

  #runningThis(script: Script, around: FunctionNode & Node): unknown[] {
    const bodyStart = (around.body as unknown as Node).start;
    const isWanted = (found: Script, offset: number): boolean => found === script && around.start <= offset && offset <= bodyStart;
    return this.#inspector.runningThis(isWanted) ?? [];
  }

  #read(): Snapshot {
    this.#snapshot ??= new Snapshot(this.#inspector.heapSnapshot() as SnapshotJson);
    return this.#snapshot;
  }
}

/** Whether an arrow function below the node has its `this` from there. */
function ownsThis(node: Node): boolean {
  if (node.type === "PropertyDefinition" || node.type === "StaticBlock") return true;
  return isFunctionNode(node) && node.type !== "ArrowFunctionExpression" && !isClassNode(node);
}

function topLevelThis(script: Script): unknown {
  return script.isModule || script.file === undefined ? undefined : commonJsExports(script.file);
}

interface SnapshotJson {
  snapshot: { meta: { node_fields: string[]; edge_fields: string[]; edge_types: [string[]]; node_types: [string[]] } };
  nodes: number[];
  edges: number[];
  strings: string[];
}

/** What a variable holds, as far as a snapshot tells: the values of some primitives are not in it. */
type Held = { kind: "object" } | { kind: "primitive"; value: unknown } | { kind: "unknown" };

const CONSTANTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([["undefined", undefined], ["null", null], ["true", true], ["false", false]]);

interface FoundSymbol {
  symbolId: number;
  description: string;
}

/** V8 cuts longer texts off in a snapshot. */
const MAX_NAME_LENGTH = 1000;

/** Follows the scope chain of closures in V8's heap snapshot. */
class Snapshot {
  readonly #json: SnapshotJson;
  readonly #nodeSize: number;
  readonly #edgeSize: number;
  readonly #idAt: number;
  readonly #edgeCountAt: number;
  readonly #nodeOfId = new Map<number, number>();
  readonly #firstEdge: number[] = [];

  constructor(json: SnapshotJson) {
    const { node_fields: nodeFields, edge_fields: edgeFields } = json.snapshot.meta;
    this.#json = json;
    this.#nodeSize = nodeFields.length;
    this.#edgeSize = edgeFields.length;
    this.#idAt = nodeFields.indexOf("id");
    this.#edgeCountAt = nodeFields.indexOf("edge_count");
    let edge = 0;
    for (let node = 0; node < json.nodes.length; node += this.#nodeSize) {
      this.#nodeOfId.set(json.nodes[node + this.#idAt] as number, node);
      this.#firstEdge.push(edge);
      edge += (json.nodes[node + this.#edgeCountAt] as number) * this.#edgeSize;
    }
  }

  /** The innermost scope around the closure that has the variable: its id, and the id of the value. */
  contextHolding(closureId: number, variable: string): { context: number; value: number | undefined } | undefined {
    const closure = this.#nodeOfId.get(closureId);
    let context = closure === undefined ? undefined : this.#edge(closure, "internal", "context");
    while (context !== undefined) {
      const value = this.#edge(context, "context", variable);
      if (value !== undefined) return { context: this.#id(context), value: this.#id(value) };
      if (this.#names(context).has(variable)) return { context: this.#id(context), value: undefined };
      context = this.#edge(context, "internal", "previous");
    }
    return undefined;
  }

  /** What the node with this id is. */
  held(id: number): Held {
    const node = this.#nodeOfId.get(id) as number;
    const type = this.#typeOf(node);
    const text = this.#text(node);
    if (type === "string") return text.length > MAX_NAME_LENGTH ? { kind: "unknown" } : { kind: "primitive", value: text };
    if (["concatenated string", "sliced string", "symbol", "bigint"].includes(type)) return { kind: "unknown" };
    if (type === "number") {
      const number = this.#edge(node, "internal", "value");
      return number === undefined ? { kind: "unknown" } : { kind: "primitive", value: Number(this.#text(number)) };
    }
    const name = type === "hidden" ? this.#edge(node, "hidden", "0") : undefined;
    const constant = name === undefined ? "" : this.#text(name);
    return CONSTANTS.has(constant) ? { kind: "primitive", value: CONSTANTS.get(constant) } : { kind: "object" };
  }

  /** The texts and symbols that V8 keeps under no name in the innermost scope of the closure. */
  namesInContext(closureId: number): (string | FoundSymbol | undefined)[] {
    const closure = this.#nodeOfId.get(closureId);
    const context = closure === undefined ? undefined : this.#edge(closure, "internal", "context");
    if (context === undefined) return [];
    return [...this.#edges(context)].flatMap(({ type, to }) => (type === "hidden" ? this.#nameAt(to) : []));
  }

  #nameAt(node: number): [string | FoundSymbol | undefined] | [] {
    const type = this.#typeOf(node);
    const text = this.#text(node);
    if (type === "string") return [text.length > MAX_NAME_LENGTH ? undefined : text];
    if (type === "concatenated string" || type === "sliced string") return [undefined];
    if (type !== "symbol") return [];
    const description = this.#edge(node, "internal", "name");
    return [{ symbolId: this.#id(node), description: description === undefined ? "" : this.#text(description) }];
  }

  #typeOf(node: number): string {
    const { meta } = this.#json.snapshot;
    return meta.node_types[0][this.#json.nodes[node + meta.node_fields.indexOf("type")] as number] as string;
  }

  #text(node: number): string {
    const { nodes, strings, snapshot } = this.#json;
    return strings[nodes[node + snapshot.meta.node_fields.indexOf("name")] as number] as string;
  }

  #names(node: number): Set<string> {
    return new Set([...this.#edges(node)].filter(({ type }) => type === "context").map(({ name }) => name));
  }

  #id(node: number): number {
    return this.#json.nodes[node + this.#idAt] as number;
  }

  #edge(node: number, type: string, name: string): number | undefined {
    for (const edge of this.#edges(node)) if (edge.type === type && edge.name === name) return edge.to;
    return undefined;
  }

  *#edges(node: number): Generator<{ type: string; name: string; to: number }> {
    const { edges, nodes, strings, snapshot } = this.#json;
    const types = snapshot.meta.edge_types[0];
    const first = this.#firstEdge[node / this.#nodeSize] as number;
    const end = first + (nodes[node + this.#edgeCountAt] as number) * this.#edgeSize;
    for (let at = first; at < end; at += this.#edgeSize) {
      const type = types[edges[at] as number] as string;
      const name = type === "element" || type === "hidden" ? String(edges[at + 1]) : (strings[edges[at + 1] as number] as string);
      yield { type, name, to: edges[at + 2] as number };
    }
  }
}
