/** Puts the picture together: headline, map, two rankings, histogram, source. */
import { ascending, sum } from "d3-array";
import { scaleLinear } from "d3-scale";
import type { Airport } from "./data.ts";
import { drawHistogram } from "./histogram.ts";
import { ink, styleSheet } from "./look.ts";
import { drawMap } from "./map.ts";
import type { Places } from "./places.ts";
import { drawRanking, rowHeight } from "./ranking.ts";
import { element, group, line, text, translate } from "./svg.ts";
import type { Spare } from "./spare.ts";

const width = 1240;
const height = 800;
const listed = 10;

/** The whole picture as an SVG document. */
export async function drawPicture(results: readonly Spare[], places: Places, airports: ReadonlyMap<string, Airport>): Promise<string> {
  return element(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "title" },
    element("style", {}, styleSheet),
    element("rect", { width, height, fill: ink.paper }),
    drawHeadline(results),
    group({ transform: translate(30, 128) }, await drawMap(results, airports, 770, 480)),
    group({ transform: translate(60, 665) }, drawHistogram(results, 700, 72)),
    group({ transform: translate(830, 150) }, drawRankings(results, places)),
    text(40, height - 16, "Data: US Bureau of Transportation Statistics, flights of January to June 2001, from the package vega-datasets. Bars: 95 % bootstrap intervals.", { class: "small" }),
  );
}

function drawHeadline(results: readonly Spare[]): string {
  const flights = sum(results, (spare) => spare.flights).toLocaleString("en");
  return group(
    {},
    text(40, 56, "Time to spare", { class: "title", id: "title" }),
    text(40, 84, `How late nine flights in ten stay within, on ${results.length.toLocaleString("en")} routes of the United States: the time to plan for when being late matters.`, { class: "deck" }),
    text(40, 104, `${flights} flights, each line a route in the colour of its slower direction.`, { class: "note" }),
  );
}

function drawRankings(results: readonly Spare[], places: Places): string {
  const x = scaleLinear([-10, 130], [185, 370]);
  const most = results.toSorted((a, b) => ascending(b.low, a.low)).slice(0, listed);
  const least = results.toSorted((a, b) => ascending(a.high, b.high)).slice(0, listed);
  const gap = listed * rowHeight + 70;
  return group(
    {},
    text(0, -14, "Plan for the most", { class: "heading" }),
    group({ transform: translate(0, 12) }, drawRanking(most, places, x, 175)),
    group({ transform: translate(0, gap) }, text(0, -14, "Plan for the least", { class: "heading" }), group({ transform: translate(0, 12) }, drawRanking(least, places, x, 175))),
    line(x(0), 0, x(0), listed * rowHeight, { stroke: ink.hairline }),
  );
}
