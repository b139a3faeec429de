/** The lists at the side: a name, and its minutes on a scale. */
import { scaleLinear, type ScaleLinear } from "d3-scale";
import { colourOf, ink } from "./look.ts";
import type { Neighbours } from "./neighbours.ts";
import { routeName, type Places } from "./places.ts";
import { element, group, line, text, translate } from "./svg.ts";
import type { Spare } from "./spare.ts";

const rowHeight = 20.5;
const nameWidth = 182;
const scaleStart = nameWidth + 18;
const scaleEnd = nameWidth + 145;
type Scale = ScaleLinear<number, number>;

/** One list: heading, explanation, scale, rows; its corner at the origin. */
function drawList(heading: string, note: string, x: Scale, rows: readonly string[]): string {
  const bottom = rows.length * rowHeight;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => share * (x.domain()[1] ?? 0)).map((minutes) =>
    group({}, line(x(minutes), 0, x(minutes), bottom, { stroke: ink.hairline }), text(x(minutes), bottom + 13, String(minutes), { class: "middle small" })),
  );
  const placed = rows.map((row, index) => group({ transform: translate(0, (index + 0.5) * rowHeight) }, row));
  return group({}, text(0, 0, heading, { class: "heading" }), text(0, 17, note, { class: "note" }), group({ transform: translate(0, 27) }, ...grid, ...placed));
}

const dot = (x: Scale, minutes: number): string =>
  element("circle", { cx: x(minutes), cy: 0, r: 4.5, fill: colourOf(minutes), stroke: ink.paper });

/** Routes, each with the interval in which its minutes lie. */
export function drawRoutes(heading: string, note: string, routes: readonly Spare[], places: Places): string {
  const x = scaleLinear([0, 120], [scaleStart, scaleEnd]);
  const rows = routes.map((route) => {
    const stroke = colourOf(route.minutes);
    return [
      text(nameWidth, 4, routeName(route, places), { class: "end" }),
      line(x(route.low), 0, x(route.high), 0, { stroke, "stroke-width": 5, "stroke-opacity": 0.45, "stroke-linecap": "round" }),
      dot(x, route.minutes),
      text(x(route.high) + 8, 4, String(route.minutes), { class: "number" }),
    ].join("");
  });
  return drawList(heading, note, x, rows);
}

/** Two airports of a city, the distance between them being what the choice saves. */
export function drawNeighbours(heading: string, note: string, neighbours: readonly Neighbours[]): string {
  const x = scaleLinear([0, 60], [scaleStart, scaleEnd]);
  const rows = neighbours.map(({ city, slow, fast }) =>
    [
      text(nameWidth, 4, city, { class: "end" }),
      line(x(fast.minutes), 0, x(slow.minutes), 0, { stroke: ink.soft, "stroke-width": 1.5 }),
      dot(x, fast.minutes),
      dot(x, slow.minutes),
      text(x(fast.minutes) - 8, 4, fast.iata, { class: "end small" }),
      text(x(slow.minutes) + 8, 4, slow.iata, { class: "small" }),
    ].join(""),
  );
  return drawList(heading, note, x, rows);
}
