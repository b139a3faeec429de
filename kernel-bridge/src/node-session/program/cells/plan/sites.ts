/** Expressions that are maps over inputs, wherever they stand in a statement. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Edit } from "../pieces.ts";
import { SESSION } from "../session-names.ts";
import { limitOf } from "./limits.ts";
import type { Meaning } from "./meaning.ts";
import { bare } from "./nodes.ts";

/** How the results of a map become the value of the expression. */
export interface MapShape {
  /** `xs.map(f)`, `xs.flatMap(f)`, `xs.filter(f)`, `Array.from(xs, f)`, `pMap(xs, f, options)`. */
  readonly from: "map" | "flatMap" | "filter" | "from" | "pMap";
  /** What stands around it: `Promise.all(...)`, `Promise.allSettled(...)`. */
  readonly around: "none" | "all" | "allSettled";
  /** Whether that is awaited; else the value is a promise. */
  readonly isAwaited: boolean;
  /** `xs?.map(f)` */
  readonly isOptional: boolean;
}

/** A map, and how much of the expression around it goes with it. */
export interface MapSite {
  readonly core: ts.Expression;
  readonly receiver: ts.Expression;
  /** What is called for each input. */
  readonly fn: ts.Expression;
  /** Those of `pMap`. */
  readonly options: ts.Expression | undefined;
  /** How many calls at once there may be, where something else than `pMap` says so. */
  readonly limit: string | undefined;
  readonly shape: MapShape;
}

type Around = Pick<MapShape, "around" | "isAwaited">;

export class SiteReader {
  readonly #ts: TypeScript;
  readonly #meaning: Meaning;

  constructor(ts: TypeScript, meaning: Meaning) {
    this.#ts = ts;
    this.#meaning = meaning;
  }

  /** The map that a node is, if it is one. */
  at(node: ts.Node): MapSite | undefined {
    const ts = this.#ts;
    if (ts.isCallExpression(node)) return this.#read(node, node, false);
    if (!ts.isAwaitExpression(node)) return undefined;
    const awaited = bare(ts, node.expression);
    // Parentheses may stand between the two: then the await stays where it is, and waits for what is there already.
    return ts.isCallExpression(awaited) ? this.#read(awaited, awaited === node.expression ? node : awaited, true) : undefined;
  }

  #read(call: ts.CallExpression, core: ts.Expression, isAwaited: boolean): MapSite | undefined {
    const ts = this.#ts;
    if (this.#goesOn(call)) return undefined;
    const around = this.#isCallOf(call, "Promise", "all") ? "all" : this.#isCallOf(call, "Promise", "allSettled") ? "allSettled" : undefined;
    if (around === undefined) return this.#pMap(call, core, isAwaited) ?? this.#call(call, core, { around: "none", isAwaited });
    const [argument] = call.arguments;
    const inner = argument === undefined || call.arguments.length !== 1 ? undefined : bare(ts, argument);
    return inner !== undefined && ts.isCallExpression(inner) && !this.#goesOn(inner) ? this.#call(inner, core, { around, isAwaited }) : undefined;
  }

  /** `xs?.map(f).length`: where there is nothing to map, what follows is passed over too. */
  #goesOn({ parent, flags }: ts.CallExpression): boolean {
    const ts = this.#ts;
    return (flags & ts.NodeFlags.OptionalChain) !== 0 && (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent) || ts.isCallExpression(parent)) && (parent.flags & ts.NodeFlags.OptionalChain) !== 0;
  }

  #call(call: ts.CallExpression, core: ts.Expression, around: Around): MapSite | undefined {
    const ts = this.#ts;
    const { expression: callee } = call;
    if (!ts.isPropertyAccessExpression(callee) || call.arguments.some((argument) => ts.isSpreadElement(argument))) return undefined;
    const [first, second] = call.arguments;
    const shape = { ...around, isOptional: (call.flags & ts.NodeFlags.OptionalChain) !== 0 };
    if (this.#isCallOf(call, "Array", "from")) {
      return call.arguments.length === 2 && first !== undefined && second !== undefined ? { core, receiver: first, fn: second, options: undefined, limit: this.#limit(second), shape: { ...shape, from: "from" } } : undefined;
    }
    const from = methodOf(callee.name.text, around);
    // Asking for a map of a nullish value must fail as it does here, so an optional call stays one whole.
    if (from === undefined || call.arguments.length !== 1 || first === undefined || call.questionDotToken !== undefined || callee.expression.kind === ts.SyntaxKind.SuperKeyword) return undefined;
    return { core, receiver: callee.expression, fn: first, options: undefined, limit: this.#limit(first), shape: { ...shape, from } };
  }

  #limit(fn: ts.Expression): string | undefined {
    return limitOf(this.#ts, fn, this.#meaning);
  }

  #pMap(call: ts.CallExpression, core: ts.Expression, isAwaited: boolean): MapSite | undefined {
    const ts = this.#ts;
    const [receiver, fn, options] = call.arguments;
    const imported = ts.isIdentifier(call.expression) ? this.#meaning.importOf(call.expression.text) : undefined;
    if (imported?.specifier !== "p-map" || imported.exported !== "default" || receiver === undefined || fn === undefined || call.arguments.length > 3) return undefined;
    if (call.arguments.some((argument) => ts.isSpreadElement(argument)) || (options !== undefined && !this.#isConcurrencyAlone(options))) return undefined;
    return { core, receiver, fn, options, limit: undefined, shape: { from: "pMap", around: "all", isAwaited, isOptional: false } };
  }

  /** The other options change what is given and thrown. */
  #isConcurrencyAlone(options: ts.Expression): boolean {
    const ts = this.#ts;
    return ts.isObjectLiteralExpression(options) && options.properties.every((property) => (ts.isPropertyAssignment(property) || ts.isShorthandPropertyAssignment(property)) && property.name.getText() === "concurrency");
  }

  #isCallOf({ expression: callee }: ts.CallExpression, object: string, method: string): boolean {
    const ts = this.#ts;
    return ts.isPropertyAccessExpression(callee) && callee.questionDotToken === undefined && ts.isIdentifier(callee.expression) && callee.expression.text === object && callee.name.text === method && this.#meaning.isGlobal(object);
  }
}

/** A test or a list that is a promise is no test and no list. */
function methodOf(name: string, { around }: Around): MapShape["from"] | undefined {
  if (name === "map") return "map";
  return around === "none" && (name === "flatMap" || name === "filter") ? name : undefined;
}

/** Makes of the map a call of the session. */
export function siteEdits(ts: TypeScript, file: ts.SourceFile, site: MapSite): Edit[] {
  const { core, receiver, fn, options, limit } = site;
  const [open, close] = aroundSite(ts, file, site);
  const last = options ?? fn;
  const edits = [
    { start: core.getStart(file), end: receiver.getStart(file), text: `${open}, (` },
    { start: receiver.end, end: fn.getStart(file), text: "), (" },
    { start: last.end, end: core.end, text: `)${limit === undefined ? "" : `, { concurrency: ${limit} }`}${close}` },
  ];
  return options === undefined ? edits : [...edits, { start: fn.end, end: options.getStart(file), text: "), (" }];
}

/** The same without inputs and function, which a job that was started before has already. */
export function attachedSiteEdits(ts: TypeScript, file: ts.SourceFile, site: MapSite): Edit[] {
  const [open, close] = aroundSite(ts, file, site, true);
  return [{ start: site.core.getStart(file), end: site.core.end, text: `${open}, null, null${close}` }];
}

function aroundSite(ts: TypeScript, file: ts.SourceFile, { core, shape }: MapSite, attach = false): [string, string] {
  const line = file.getLineAndCharacterOfPosition(core.getStart(file)).line + 1;
  const call = `await ${SESSION}.map(${JSON.stringify({ ...shape, line, ...(attach && { attach }) })}`;
  const isLater = shape.around !== "none" && !shape.isAwaited;
  const statement = ts.findAncestor(core, (node) => ts.isExpressionStatement(node));
  const isFirst = statement !== undefined && statement.getStart(file) === core.getStart(file);
  if (isFirst && core.parent === statement && !isLater) return [call, ")"];
  // A statement that begins with a parenthesis would go on with the line before, where that has no semicolon.
  return [`${isFirst ? "0, " : ""}(${call}`, isLater ? ")).later" : "))"];
}
