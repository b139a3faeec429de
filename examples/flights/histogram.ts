/** How many routes need how much time: the key to the colours of the map. */
import { bin, max, median } from "d3-array";
import { scaleLinear } from "d3-scale";
import { classBounds, colourOf, ink } from "./look.ts";
import { element, group, line, text } from "./svg.ts";
import type { Spare } from "./spare.ts";

const binMinutes = 3;
const shortest = -6;
const longest = 120;

/** Draws into a box of the given size, its corner at the origin; the axis hangs below it. */
export function drawHistogram(results: readonly Spare[], width: number, height: number): string {
  const x = scaleLinear([shortest, longest], [0, width]);
  const thresholds = Array.from({ length: (longest - shortest) / binMinutes }, (_, index) => shortest + index * binMinutes);
  const bins = bin<Spare, number>().value((spare) => spare.minutes).domain([shortest, longest]).thresholds(thresholds)(results);
  const y = scaleLinear([0, max(bins, (routes) => routes.length) ?? 1], [height, 0]);
  const bars = bins.map((routes) => {
    const [left, right] = [routes.x0 ?? 0, routes.x1 ?? 0];
    return element("rect", { x: x(left) + 0.5, y: y(routes.length), width: Math.max(0, x(right) - x(left) - 1), height: height - y(routes.length), fill: colourOf(left) });
  });
  return group({}, ...bars, drawAxis(x, width, height), drawMedian(results, x));
}

function drawAxis(x: (minutes: number) => number, width: number, height: number): string {
  const ticks = [0, ...classBounds, 90, 105, 120].map((minutes) =>
    group({}, line(x(minutes), height, x(minutes), height + 5, { stroke: ink.soft }), text(x(minutes), height + 18, minutes === 120 ? "120 min" : String(minutes), { class: "middle small" })),
  );
  return group({}, line(0, height, width, height, { stroke: ink.soft }), ...ticks);
}

function drawMedian(results: readonly Spare[], x: (minutes: number) => number): string {
  const typical = median(results, (spare) => spare.minutes) ?? 0;
  const above = results.filter((spare) => spare.minutes >= 60).length;
  return [
    line(x(typical), -12, x(typical), 0, { stroke: ink.strong }),
    text(x(typical), -18, `half of all routes need more than ${typical} minutes`, { class: "number" }),
    text(x(60), 40, `${above} routes need an hour or more`, { class: "note" }),
  ].join("");
}
