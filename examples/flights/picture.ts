/** Puts the picture together: headline, map, histogram, three lists, source. */
import { sum } from "d3-array";
import type { Airport } from "./data.ts";
import { drawHistogram } from "./histogram.ts";
import { ink, styleSheet } from "./look.ts";
import { drawMap } from "./map.ts";
import { compareNeighbours } from "./neighbours.ts";
import type { Places } from "./places.ts";
import { drawNeighbours, drawRoutes } from "./ranking.ts";
import { escape, element, group, text, translate } from "./svg.ts";
import { rankRoutes, type Spare } from "./spare.ts";

const width = 1240;
const height = 830;
const margin = 40;
const listed = 8;

/** The whole picture as an SVG document. */
export async function drawPicture(results: readonly Spare[], places: Places, airports: ReadonlyMap<string, Airport>): Promise<string> {
  const title = "Time to spare";
  return element(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": "title" },
    element("title", { id: "title" }, escape(`${title}: how late nine flights in ten stay within, on each route of the United States`)),
    element("style", {}, styleSheet),
    element("rect", { width, height, fill: ink.paper }),
    drawHeadline(title, results),
    group({ transform: translate(margin, 142) }, await drawMap(results, airports, 770, 490)),
    group({ transform: translate(margin, 698) }, drawHistogram(results, 750, 64)),
    group({ transform: translate(845, 136) }, drawLists(results, places)),
    text(margin, height - 18, "Arrivals from January to June 2001, routes with at least 100 flights. US Bureau of Transportation Statistics, from the package vega-datasets.", { class: "small" }),
  );
}

function drawHeadline(title: string, results: readonly Spare[]): string {
  const flights = sum(results, (spare) => spare.flights).toLocaleString("en");
  const slow = results.filter((spare) => spare.minutes >= 60);
  const atCoast = slow.filter(({ origin, destination }) => [origin, destination].some((iata) => ["BOS", "JFK", "LGA", "EWR"].includes(iata)));
  return group(
    {},
    text(margin, 60, title, { class: "title" }),
    text(margin, 90, `How late nine flights in ten stay within, on ${results.length.toLocaleString("en")} routes and ${flights} flights: the time to plan for when being late matters.`, { class: "deck" }),
    text(margin, 112, `On ${slow.length} routes that is an hour or more; ${atCoast.length} of them begin or end in New York or Boston.`, { class: "deck" }),
  );
}

function drawLists(results: readonly Spare[], places: Places): string {
  const { most, least } = rankRoutes(results, listed);
  const lists = [
    drawRoutes("Plan for the most", "Minutes, with the 95 % interval; ranked by its lower end", most, places),
    drawRoutes("Plan for the least", "Ranked by the upper end", least, places),
    drawNeighbours("Or go from the airport next door", "Mean over the destinations that both airports serve", compareNeighbours(results, 7)),
  ];
  return group({}, ...lists.map((list, index) => group({ transform: translate(0, index * 234) }, list)));
}
