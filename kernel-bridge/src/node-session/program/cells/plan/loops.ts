/**
 * Loops that only collect: `for (const x of xs) rows.push(f(x))`. Each turn becomes an input of a map; what it collects is put
 * in its place here. A turn may have variables of its own, conditions, `continue`, inner loops. It may not look at what earlier
 * turns have left.
 */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Edit } from "../pieces.ts";
import { SESSION } from "../session-names.ts";
import { CarriesState } from "./carries-state.ts";
import { CollectReader, OUT, VALUES, type Collected } from "./collect.ts";
import type { EffectReader } from "./effects.ts";
import { endsOfTurn, readHead, type LoopHead } from "./loop-head.ts";
import type { Meaning } from "./meaning.ts";
import { everyNode, mentioned, ownNames } from "./nodes.ts";
import type { ResultReader } from "./results.ts";
import type { Worth } from "./work.ts";

export interface CollectingLoop {
  readonly head: LoopHead;
  readonly isWork: boolean;
  readonly edits: readonly Edit[];
  readonly attachEdits: readonly Edit[];
}

export interface LoopTools {
  readonly meaning: Meaning;
  readonly effects: EffectReader;
  readonly worth: Worth;
  readonly results: ResultReader;
}

const KIND = "$burla_kind";
const TURNS = "$burla_turns";
const MAX_NAME = 80;

export class LoopReader {
  readonly #ts: TypeScript;
  readonly #file: ts.SourceFile;
  readonly #tools: LoopTools;

  constructor(ts: TypeScript, file: ts.SourceFile, tools: LoopTools) {
    this.#ts = ts;
    this.#file = file;
    this.#tools = tools;
  }

  /** @throws CarriesState */
  read(node: ts.ForOfStatement | ts.ForInStatement | ts.ForStatement | ts.ExpressionStatement): CollectingLoop {
    const ts = this.#ts;
    const { meaning, effects, worth, results } = this.#tools;
    if (ts.isLabeledStatement(node.parent)) throw new CarriesState(`it has the label \`${node.parent.label.text}\``);
    const head = readHead(ts, node, (part) => worth.ofCode([part]));
    const ends = endsOfTurn(ts, head);
    const own = new Set([...head.targets, ...ownNames(ts, head.body)]);
    const collected = new CollectReader(ts, this.#file, meaning).read(head.body, own);
    if (collected.replay.length === 0) throw new CarriesState("it collects nothing");
    this.#refuseLooking(head, collected);
    const reason = effects.whyOfCode([...head.parts, head.body], new Set(head.targets), collected.here) ?? results.whyOfValues(collected.values);
    if (reason !== undefined) throw new CarriesState(reason);
    const inner = [...collected.edits, ...ends.map((end) => ({ start: end.getStart(this.#file), end: end.end, text: "return;" }))];
    return { head, isWork: worth.ofCode([head.body]), edits: this.#edits(node, head, collected, inner), attachEdits: this.#attachEdits(node, collected) };
  }

  /** At what earlier turns have put somewhere, in the turn itself or in a function that it calls. */
  #refuseLooking({ parts, body }: LoopHead, { roots, here }: Collected): void {
    const ts = this.#ts;
    for (const node of everyNode(ts, [...parts, body])) {
      if (here.has(node) || !ts.isIdentifier(node)) continue;
      if (mentioned(ts, node, roots) !== undefined) throw new CarriesState(`it looks at \`${node.text}\`, which earlier turns have changed`);
      const looked = this.#looksThrough(node.text, roots, new Set());
      if (looked !== undefined) throw new CarriesState(`\`${node.text}\` looks at \`${looked}\`, which earlier turns have changed`);
    }
  }

  #looksThrough(name: string, roots: ReadonlySet<string>, seen: Set<string>): string | undefined {
    const fn = seen.has(name) ? undefined : this.#tools.meaning.functionNamed(name);
    if (fn?.body === undefined) return undefined;
    seen.add(name);
    const own = ownNames(this.#ts, fn);
    const direct = mentioned(this.#ts, fn.body, new Set([...roots].filter((root) => !own.has(root))));
    if (direct !== undefined) return direct;
    const called = everyNode(this.#ts, [fn.body]).filter((node) => this.#ts.isIdentifier(node) && !own.has(node.text)) as ts.Identifier[];
    for (const { text } of called) {
      const looked = this.#looksThrough(text, roots, seen);
      if (looked !== undefined) return looked;
    }
    return undefined;
  }

  /** The loop's own text stays where it is: its head in a function that gives the turns, its body in one that is a turn. @param inner those within the body. */
  #edits(node: ts.Statement, head: LoopHead, collected: Collected, inner: readonly Edit[]): Edit[] {
    const file = this.#file;
    const { loops, each, body, targets } = head;
    const given = `[${targets.join(", ")}]`;
    const turn = `async (${given}, ${OUT}) => { `;
    const close = `; })) { ${replayText(collected)} }`;
    const open = `${this.#open(node, false)}, `;
    const isBlock = this.#ts.isBlock(body);
    const bodyStart = { start: body.getStart(file), end: isBlock ? body.getStart(file) + 1 : body.getStart(file) };
    if (each !== undefined) {
      const { receiver, fn } = each;
      const from = fn.parameters.length === 0 ? body.getStart(file) : (fn.parameters[0] as ts.Node).getStart(file);
      const after = `) => { ${TURNS}.push(${given}); }); return ${TURNS}; })(), ${turn}`;
      const listed = `).forEach((`;
      const heads = fn.parameters.length === 0
        ? [{ start: receiver.end, end: bodyStart.end, text: listed + after }]
        : [{ start: receiver.end, end: from, text: listed }, { start: (fn.parameters.at(-1) as ts.Node).end, end: bodyStart.end, text: after }];
      return [{ start: node.getStart(file), end: receiver.getStart(file), text: `${open}await (async () => { const ${TURNS} = []; (` }, ...heads, ...inner, { start: isBlock ? body.end - 1 : body.end, end: node.end, text: close }];
    }
    const outer = loops.slice(0, -1).flatMap(({ statement }) => (this.#ts.isBlock(statement) ? [{ start: statement.getStart(file), end: statement.getStart(file) + 1, text: " " }, { start: statement.end - 1, end: statement.end, text: " " }] : []));
    return [
      { start: node.getStart(file), end: node.getStart(file), text: `${open}(async function* () { ` },
      ...outer,
      { ...bodyStart, text: ` yield ${given}; })(), ${turn}` },
      ...inner,
      { start: isBlock ? body.end - 1 : body.end, end: body.end, text: close },
    ];
  }

  #attachEdits(node: ts.Statement, collected: Collected): Edit[] {
    return [{ start: node.getStart(this.#file), end: node.end, text: `${this.#open(node, true)}, null, null)) { ${replayText(collected)} }` }];
  }

  #open(node: ts.Statement, attach: boolean): string {
    const start = node.getStart(this.#file);
    const [name = ""] = node.getText(this.#file).split(/\r?\n/, 1);
    const site = { line: this.#file.getLineAndCharacterOfPosition(start).line + 1, name: headText(name), ...(attach && { attach }) };
    return `for (const [${KIND}, ${VALUES}] of await ${SESSION}.loop(${JSON.stringify(site)}`;
  }
}

/** `for (const x of xs)` of a line; of another one as much as is short. */
function headText(line: string): string {
  const head = /^for\b.*?\)(?=\s*(\{|$|\w))/.exec(line)?.[0] ?? line;
  return head.length <= MAX_NAME ? head : `${head.slice(0, MAX_NAME - 1)}…`;
}

function replayText({ replay }: Collected): string {
  return replay.map((text, kind) => `if (${KIND} === ${kind}) { ${text}; }`).join(" else ");
}
