/**
 * What becomes of a cell that is to run on the cluster: each statement that is a map runs there, the others run here; a cell
 * without one is one call.
 */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Edit } from "../pieces.ts";
import { EffectReader } from "./effects.ts";
import type { Meaning } from "./meaning.ts";
import { bare, isBorder, isFunctionText, mentioned } from "./nodes.ts";
import { attachedSiteEdits, siteEdits, SiteReader, type MapSite } from "./sites.ts";
import { Worth } from "./work.ts";

/** A statement of the cell, for people. */
export interface PlannedStep {
  readonly line: number;
  readonly text: string;
  readonly where: "here" | "map" | "call";
}

export interface CellPlan {
  readonly how: "map" | "call";
  /** Empty for a cell of one statement. */
  readonly steps: readonly PlannedStep[];
  /** Of a call: why it is one, and the line that keeps it from being a map, where one does. */
  readonly note: string;
  readonly noteLine: number | null;
  /** Makes of the maps calls of the session. @param attachStep the map that a job has begun before has already; null for none. */
  readonly edits: (attachStep: number | null) => Edit[];
}

/** A map of the cell, whatever its form. */
interface Taken {
  readonly node: ts.Node;
  readonly edits: () => Edit[];
  readonly attachEdits: () => Edit[];
}

interface Refused {
  readonly line: number;
  readonly reason: string;
}

const MAX_TEXT = 80;

/** @param body the statements that run, in order. */
export function planCell(ts: TypeScript, file: ts.SourceFile, body: readonly ts.Statement[], meaning: Meaning): CellPlan {
  const finder = new MapFinder(ts, file, meaning);
  let found = finder.find(body, false);
  // What is no work for a cluster goes there when it is all that the cell has.
  if (found.taken.length === 0 && found.weak.size > 0 && !finder.isWork(body, found.weak)) found = finder.find(body, true);
  const { taken, refused } = found;
  const how = taken.length > 0 ? "map" : "call";
  const steps = stepsOf(ts, file, (statement) => (how === "call" ? callPlace(ts, statement) : taken.some(({ node }) => isWithin(node, statement)) ? "map" : "here"));
  const edits = (attachStep: number | null) => taken.flatMap((one, index) => (index === attachStep ? one.attachEdits() : one.edits()));
  return { how, steps, edits, ...(how === "call" ? noteOf(refused, body.length) : { note: "", noteLine: null }) };
}

class MapFinder {
  readonly #ts: TypeScript;
  readonly #file: ts.SourceFile;
  readonly #meaning: Meaning;
  readonly #sites: SiteReader;
  readonly #worth: Worth;
  readonly #effects: EffectReader;

  constructor(ts: TypeScript, file: ts.SourceFile, meaning: Meaning) {
    this.#ts = ts;
    this.#file = file;
    this.#meaning = meaning;
    this.#sites = new SiteReader(ts, meaning);
    this.#worth = new Worth(ts, meaning);
    this.#effects = new EffectReader(ts, meaning);
  }

  /** Whether the cell has work beside these. */
  isWork(body: readonly ts.Statement[], without: ReadonlySet<ts.Node>): boolean {
    const worth = new Worth(this.#ts, this.#meaning, without);
    return body.some((statement) => worth.ofStatement(statement));
  }

  /** @param withWeak also maps whose elements are no work. */
  find(body: readonly ts.Statement[], withWeak: boolean): { taken: Taken[]; refused: Refused[]; weak: Set<ts.Node> } {
    const found = { taken: [] as Taken[], refused: [] as Refused[], weak: new Set<ts.Node>() };
    for (const site of body.flatMap((statement) => this.#sites.within(statement))) {
      const isWork = this.#worth.ofFunction(site.fn);
      const reason = this.#whyNot(site);
      if (reason !== undefined) {
        if (isWork) found.refused.push({ line: this.#lineOf(site.core), reason });
      } else if (isWork || withWeak) {
        found.taken.push({ node: site.core, edits: () => siteEdits(this.#ts, this.#file, site), attachEdits: () => attachedSiteEdits(this.#ts, this.#file, site) });
      } else {
        found.weak.add(site.core);
      }
    }
    return found;
  }

  #whyNot({ fn }: MapSite): string | undefined {
    return looksAtArray(this.#ts, fn) ? "its function looks at the whole array" : this.#effects.whyOfFunction(fn);
  }

  #lineOf(node: ts.Node): number {
    return lineOf(this.#file, node);
  }
}

/** A worker has one input and no array. */
function looksAtArray(ts: TypeScript, fn: ts.Expression): boolean {
  const node = bare(ts, fn);
  if (!isFunctionText(ts, node)) return false;
  const takesAll = node.parameters.length > 2 || node.parameters.some(({ dotDotDotToken }) => dotDotDotToken !== undefined);
  return takesAll || (ts.isFunctionExpression(node) && mentioned(ts, node.body, new Set(["arguments"])) !== undefined);
}

function isWithin(node: ts.Node, statement: ts.Node): boolean {
  return node.pos >= statement.pos && node.end <= statement.end;
}

function callPlace(ts: TypeScript, statement: ts.Statement): "here" | "call" {
  return ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement) || (isBorder(ts, statement) && !ts.isClassDeclaration(statement)) || ts.isClassDeclaration(statement) ? "here" : "call";
}

function stepsOf(ts: TypeScript, file: ts.SourceFile, where: (statement: ts.Statement) => PlannedStep["where"]): PlannedStep[] {
  const statements = file.statements.filter((statement) => !ts.isEmptyStatement(statement) && !ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement));
  if (statements.length < 2) return [];
  return statements.map((statement) => ({ line: lineOf(file, statement), text: headOf(statement.getText(file)), where: where(statement) }));
}

function headOf(text: string): string {
  const [first = ""] = text.split(/\r?\n/, 1);
  return first.length <= MAX_TEXT ? first : `${first.slice(0, MAX_TEXT - 1)}…`;
}

function noteOf(refused: readonly Refused[], statements: number): Pick<CellPlan, "note" | "noteLine"> {
  const [first] = [...refused].sort((a, b) => a.line - b.line);
  if (first !== undefined) return { note: `One call: line ${first.line} is no map, since ${first.reason}.`, noteLine: first.line };
  return { note: statements > 1 ? "One call: no statement of it calls a function for each of many inputs." : "One call.", noteLine: null };
}

function lineOf(file: ts.SourceFile, node: ts.Node): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}
