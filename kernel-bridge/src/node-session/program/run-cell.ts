/** Runs one cell: its text is parsed, rewritten, compiled, run, and its value shown. */
import { CellComposer, type ComposedScript } from "./cells/compose.ts";
import type { CellPlan } from "./cells/plan/plan.ts";
import type { CellMaps } from "./cells/cell-maps.ts";
import { compileScript } from "./cells/compile.ts";
import { objectText, parseCell, type ParseOptions } from "./cells/parse.ts";
import type { SessionScope } from "./scope.ts";
import { loadTypeScript } from "./typescript.ts";
import { watchedNames } from "./armed/watched.ts";

/** What a script of a cell gives. */
export interface CellValue {
  readonly value: unknown;
}

/** How a cell runs: here, or with its maps on the cluster. */
export type CellMode =
  | { readonly where: "here" }
  | {
      readonly where: "cluster";
      /** Which of its maps takes up a job that an earlier execution has begun. */
      readonly attachStep: number | null;
      /** Hears what becomes of the cell, before it runs. */
      readonly planned: (plan: CellPlan) => void;
    };

export interface CellRunnerOptions {
  readonly language: ParseOptions["language"];
  readonly scope: SessionScope;
  readonly maps: CellMaps;
}

export class CellRunner {
  readonly #options: CellRunnerOptions;

  constructor(options: CellRunnerOptions) {
    this.#options = options;
  }

  /**
   * @param signal a cell that is interrupted while it is compiled never begins: nobody would be there to end it.
   * @returns the value of its last expression; undefined where it has none. @throws what the cell throws.
   */
  async run(code: string, label: string, mode: CellMode, signal: AbortSignal): Promise<CellValue | undefined> {
    const { scope, language } = this.#options;
    const ts = await loadTypeScript();
    const options = { label, language };
    const file = objectText(ts, parseCell(ts, code, options), options);
    const composer = new CellComposer(ts, file, {
      protectedNames: scope.protectedNames,
      shadowed: new Set(Object.keys(scope.shadows)),
      session: scope.variables,
      imports: scope.imports,
      resolve: (specifier) => scope.resolve(specifier),
    });
    const run = (script: ComposedScript, part: number) => this.#runScript(script, { source: file.text, label, filename: part === 0 ? label : `${label}#${part}` }, signal);
    if (mode.where === "here") return run(composer.whole(), 0);
    const plan = composer.plan();
    mode.planned(plan);
    if (plan.how === "map") return run(composer.whole(plan, mode.attachStep), 0);
    await run(composer.beforeCall(), 0);
    // What the cell imports is there by now.
    const result = await run(composer.call(watchedNames(file.text, scope.variables)), 1);
    await run(composer.afterCall(), 2);
    return result;
  }

  async #runScript(script: ComposedScript, names: { source: string; label: string; filename: string }, signal: AbortSignal): Promise<CellValue | undefined> {
    const { scope, maps, language } = this.#options;
    const compiled = await compileScript(script.pieces, names.source, { label: names.label, language, filename: names.filename });
    signal.throwIfAborted();
    maps.add(names.filename, names.label, names.source, compiled.map);
    scope.declare(script);
    const main = compiled.script.runInThisContext() as () => Promise<CellValue | undefined>;
    return main();
  }
}
