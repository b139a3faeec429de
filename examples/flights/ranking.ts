/** A list of routes with the minutes each needs, as a dot, and the interval around it, as a bar. */
import type { ScaleLinear } from "d3-scale";
import { colourOf, ink } from "./look.ts";
import type { Places } from "./places.ts";
import { routeName } from "./report.ts";
import { element, group, line, text, translate } from "./svg.ts";
import type { Spare } from "./spare.ts";

export const rowHeight = 21;

/** Draws the rows below each other. `x` turns minutes into pixels; the names end left of its zero. */
export function drawRanking(rows: readonly Spare[], places: Places, x: ScaleLinear<number, number>, nameEnd: number): string {
  return group({}, ...rows.map((row, index) => group({ transform: translate(0, index * rowHeight) }, drawRow(row, places, x, nameEnd))));
}

function drawRow(row: Spare, places: Places, x: ScaleLinear<number, number>, nameEnd: number): string {
  const fill = colourOf(row.minutes);
  return [
    text(nameEnd, 4, routeName(row, places), { class: "end" }),
    line(x(row.low), 0, x(row.high), 0, { stroke: fill, "stroke-width": 5, "stroke-opacity": 0.45, "stroke-linecap": "round" }),
    element("circle", { cx: x(row.minutes), cy: 0, r: 4.5, fill, stroke: ink.paper }),
    text(x(row.high) + 9, 4, String(row.minutes), { class: "number" }),
  ].join("");
}
