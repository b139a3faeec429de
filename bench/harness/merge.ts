/** Figures of some systems and scenarios, put among those of an earlier run. Pure. */
import type { Context, Note, Row } from "./results.ts";

/** What a run leaves behind. */
export interface Figures {
  readonly rows: readonly Row[];
  readonly context: Context;
}

const keyOf = ({ scenario, system }: Pick<Row, "scenario" | "system">) => `${scenario}\n${system}`;

/**
 * New rows and notes take the place of those of the same scenario and system; all others stay as they are. What was not
 * measured when the page says is named with when it was.
 * @param order the names of all systems, as they stand in tables.
 */
export function mergeFigures(earlier: Figures, later: Figures, order: readonly string[]): Figures {
  const renewed = new Set([...later.rows, ...later.context.notes].map(keyOf));
  const isKept = (each: Row | Note) => !renewed.has(keyOf(each));
  const rank = ({ system }: Row) => (order.indexOf(system) + order.length) % order.length;
  const rows = [...earlier.rows.filter(isKept), ...later.rows].sort((a, b) => rank(a) - rank(b));
  const { date, commit, versions } = later.context;
  const measured = Object.keys(versions).map((system): Note => ({ scenario: "all", system, text: `was measured on ${date} at ${commit}` }));
  const isTold = ({ scenario, system }: Note) => scenario === "all" && measured.some((note) => note.system === system);
  const notes = [...earlier.context.notes.filter((note) => isKept(note) && !isTold(note)), ...later.context.notes, ...measured];
  return { rows, context: { ...earlier.context, versions: { ...earlier.context.versions, ...versions }, notes } };
}
