/** Goes over the statements of a cell and finds its maps. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Edit } from "../pieces.ts";
import { CarriesState } from "./carries-state.ts";
import { EffectReader } from "./effects.ts";
import { isTurning } from "./loop-head.ts";
import { LoopReader, type CollectingLoop } from "./loops.ts";
import type { Meaning } from "./meaning.ts";
import { bare, isBorder, isFunctionText, isShort, isShortAssignment, mentioned } from "./nodes.ts";
import { ResultReader } from "./results.ts";
import { attachedSiteEdits, siteEdits, SiteReader, type MapSite } from "./sites.ts";
import { Worth } from "./work.ts";

/** A map of the cell, whatever its form. */
export interface Taken {
  readonly node: ts.Node;
  /** Whether it runs once, whatever the cell does. */
  readonly isStraight: boolean;
  readonly edits: readonly Edit[];
  /** The same without inputs and function, which a job that was started before has already. */
  readonly attachEdits: readonly Edit[];
}

/** What would be work for many, and must stay in one place. */
export interface Refused {
  readonly line: number;
  readonly reason: string;
}

export interface Found {
  /** In the order in which they run. */
  readonly taken: Taken[];
  readonly refused: Refused[];
  /** Maps whose elements are no work. */
  readonly weak: Set<ts.Node>;
}

export class MapFinder {
  readonly #ts: TypeScript;
  readonly #file: ts.SourceFile;
  readonly #meaning: Meaning;
  readonly #sites: SiteReader;
  readonly #worth: Worth;
  readonly #effects: EffectReader;
  readonly #results: ResultReader;
  readonly #loops: LoopReader;

  constructor(ts: TypeScript, file: ts.SourceFile, meaning: Meaning) {
    this.#ts = ts;
    this.#file = file;
    this.#meaning = meaning;
    this.#sites = new SiteReader(ts, meaning);
    this.#worth = new Worth(ts, meaning);
    this.#effects = new EffectReader(ts, meaning);
    this.#results = new ResultReader(ts, meaning);
    this.#loops = new LoopReader(ts, file, { meaning, effects: this.#effects, worth: this.#worth, results: this.#results });
  }

  /** Whether the cell has work beside these. */
  isWork(body: readonly ts.Statement[], without: ReadonlySet<ts.Node>): boolean {
    const worth = new Worth(this.#ts, this.#meaning, without);
    return body.some((statement) => worth.ofStatement(statement));
  }

  /** @param withWeak also maps whose elements are no work. */
  find(body: readonly ts.Statement[], withWeak: boolean): Found {
    const found: Found = { taken: [], refused: [], weak: new Set() };
    for (const statement of body) this.#visit(statement, { found, withWeak, isStraight: true });
    return found;
  }

  #visit(node: ts.Node, at: Walk): void {
    const ts = this.#ts;
    if (isBorder(ts, node)) return;
    if (isTurning(ts, node) && this.#loop(node, at)) return;
    const site = this.#sites.at(node);
    if (site !== undefined) return this.#site(site, at);
    if (ts.isWhileStatement(node) || ts.isDoStatement(node)) this.#refuse(node, "each turn of the loop begins with what the one before has left", at);
    if (ts.isCallExpression(node)) this.#refuseReduce(node, at);
    const isMaybe = ts.isIterationStatement(node, false) || ts.isIfStatement(node) || ts.isSwitchStatement(node) || ts.isTryStatement(node) || ts.isConditionalExpression(node) || isShortCut(ts, node);
    ts.forEachChild(node, (child) => this.#visit(child, isMaybe ? { ...at, isStraight: false } : at));
  }

  /** @returns whether all of it is done with. */
  #loop(node: Parameters<LoopReader["read"]>[0], at: Walk): boolean {
    const { found, withWeak } = at;
    let loop: CollectingLoop;
    try {
      loop = this.#loops.read(node);
    } catch (error) {
      if (!(error instanceof CarriesState)) throw error;
      this.#refuse(node, error.message, at);
      // What is within it is not refused a second time.
      const within = { ...found, refused: [] };
      this.#ts.forEachChild(node, (child) => this.#visit(child, { ...at, found: within, isStraight: false }));
      return true;
    }
    if (!loop.isWork && !withWeak) {
      found.weak.add(node);
      return true;
    }
    for (const part of loop.head.parts) this.#visit(part, at);
    found.taken.push({ node, isStraight: at.isStraight, edits: loop.edits, attachEdits: loop.attachEdits });
    return true;
  }

  #site(site: MapSite, at: Walk): void {
    const { found, withWeak } = at;
    for (const part of [site.receiver, site.fn]) this.#visit(part, at);
    const isWork = this.#worth.ofFunction(site.fn);
    const reason = this.#whyNot(site);
    if (reason !== undefined) {
      if (isWork) found.refused.push({ line: this.#lineOf(site.core), reason });
    } else if (isWork || withWeak) {
      found.taken.push({ node: site.core, isStraight: at.isStraight, edits: siteEdits(this.#ts, this.#file, site), attachEdits: attachedSiteEdits(this.#ts, this.#file, site) });
    } else {
      found.weak.add(site.core);
    }
  }

  #whyNot({ fn, shape }: MapSite): string | undefined {
    if (looksAtArray(this.#ts, fn)) return "its function looks at the whole array";
    // Of a test it does not matter what it gives.
    return this.#effects.whyOfFunction(fn) ?? (shape.from === "filter" ? undefined : this.#results.whyOfFunction(fn));
  }

  #refuseReduce(node: ts.CallExpression, at: Walk): void {
    const [fn] = node.arguments;
    const isReduce = this.#ts.isPropertyAccessExpression(node.expression) && ["reduce", "reduceRight"].includes(node.expression.name.text);
    if (isReduce && fn !== undefined && this.#worth.ofFunction(fn)) at.found.refused.push({ line: this.#lineOf(node), reason: "each call begins with what the one before has given" });
  }

  #refuse(node: ts.Node, reason: string, { found }: Walk): void {
    if (this.#worth.ofStatement(node)) found.refused.push({ line: this.#lineOf(node), reason });
  }

  #lineOf(node: ts.Node): number {
    return this.#file.getLineAndCharacterOfPosition(node.getStart(this.#file)).line + 1;
  }
}

interface Walk {
  readonly found: Found;
  readonly withWeak: boolean;
  readonly isStraight: boolean;
}

function isShortCut(ts: TypeScript, node: ts.Node): boolean {
  return ts.isBinaryExpression(node) && (isShort(ts, node.operatorToken.kind) || isShortAssignment(ts, node.operatorToken.kind));
}

/** A worker has one input and no array. */
function looksAtArray(ts: TypeScript, fn: ts.Expression): boolean {
  const node = bare(ts, fn);
  if (!isFunctionText(ts, node)) return false;
  const takesAll = node.parameters.length > 2 || node.parameters.some(({ dotDotDotToken }) => dotDotDotToken !== undefined);
  return takesAll || (ts.isFunctionExpression(node) && mentioned(ts, node.body, new Set(["arguments"])) !== undefined);
}
