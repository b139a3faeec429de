import type { Variable } from "eslint-scope";
import { isTopLevel } from "./analysis.ts";
import type { ClosedOver } from "./functions.ts";
import { readVariable, type ScopeSnapshot } from "./inspect.ts";
import type { Template } from "./template.ts";

/** A box that takes the place of a variable which several functions share. */
export interface Cell {
  v: unknown;
}

interface Use {
  fn: object;
  slot: number;
  closedOver: ClosedOver;
  template: Template;
}

/** Tells apart two runs of the same scope whose variables are all the same just now; see `heap-contexts.ts`. */
export type ContextIdOf = (fn: object, variableName: string) => number;

/**
 * The variables of captured functions. One that is assigned to by a captured function and used by more than one must
 * stay one variable where they run; every other may become a constant of each function's own.
 */
export class SharedVariables {
  /** By variable; those of the global object, such as a notebook makes, by name. */
  readonly #uses = new Map<Variable | string, Use[]>();
  readonly #contextIdOf: ContextIdOf;

  constructor(contextIdOf: ContextIdOf) {
    this.#contextIdOf = contextIdOf;
  }

  /** Notes that `fn` closes over the variable and gets its value through `slot`. */
  add(fn: object, closedOver: ClosedOver, slot: number, template: Template): void {
    const { variable, name, scope } = closedOver;
    if (variable === null && scope !== undefined) return;
    const key = variable ?? name;
    const uses = this.#uses.get(key);
    const use = { fn, slot, closedOver, template };
    if (uses === undefined) this.#uses.set(key, [use]);
    else uses.push(use);
  }

  /** Decides, once all functions are known, which slots hold a cell instead of a value. */
  *cells(): Generator<{ fn: object; slot: number; cell: Cell }> {
    for (const [variable, uses] of this.#uses) {
      if (uses.length < 2 || !uses.some(({ closedOver }) => closedOver.written)) continue;
      const instances = typeof variable === "string" ? [uses] : this.#instances(variable, uses);
      if (!instances.some((instance) => instance.length > 1)) continue;
      for (const instance of instances) {
        const cell: Cell = { v: instance[0]?.closedOver.value };
        for (const { fn, slot, closedOver, template } of instance) {
          template.supplies.set(closedOver.name, { kind: "cell" });
          yield { fn, slot, cell };
        }
      }
    }
  }

  /** Groups the uses by the variable that is meant: each run of a scope makes its own. */
  #instances(variable: Variable, uses: Use[]): Use[][] {
    if (isTopLevel(variable)) return [uses];
    const alike: Use[][] = [];
    for (const use of uses) {
      const group = alike.find(([first]) => first !== undefined && sameValues(first.closedOver.scope, use.closedOver.scope));
      if (group === undefined) alike.push([use]);
      else group.push(use);
    }
    return alike.flatMap((group) => (group.length < 2 ? [group] : this.#byContext(group)));
  }

  #byContext(group: Use[]): Use[][] {
    const byId = new Map<number, Use[]>();
    for (const use of group) {
      const id = this.#contextIdOf(use.fn, use.closedOver.name);
      byId.set(id, [...(byId.get(id) ?? []), use]);
    }
    return [...byId.values()];
  }
}

function sameValues(a: ScopeSnapshot | undefined, b: ScopeSnapshot | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const names = Object.keys(a.variables);
  return (
    names.length === Object.keys(b.variables).length &&
    names.every((name) => Object.hasOwn(b.variables, name) && Object.is(readVariable(a, name), readVariable(b, name)))
  );
}
