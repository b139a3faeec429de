/** The map: every route as an arc, the slowest on top. */
import { readFile } from "node:fs/promises";
import { descending, flatGroup, flatRollup, greatest, sum } from "d3-array";
import { geoAlbersUsa, geoInterpolate, geoPath, type GeoProjection } from "d3-geo";
import { scaleSqrt } from "d3-scale";
import { feature, mesh } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";
import type { GeometryCollection, Topology } from "topojson-specification";
import { dataFile, type Airport } from "./data.ts";
import { placeLabels } from "./labels.ts";
import { colourOf, ink, lineOf } from "./look.ts";
import { element, group, text } from "./svg.ts";
import type { Spare } from "./spare.ts";

type Airports = ReadonlyMap<string, Airport>;
type Country = Topology<{ land: GeometryCollection; states: GeometryCollection }>;

const labelled = 30;

/** Finer steps of a coast than this, in square degrees, are smaller than a pixel and only make the file larger. */
const smallestDetail = 0.015;

/** Draws the map into a box of the given size, its corner at the origin. */
export async function drawMap(results: readonly Spare[], airports: Airports, width: number, height: number): Promise<string> {
  const country = JSON.parse(await readFile(dataFile("us-10m.json"), "utf8")) as Country;
  const simple = simplify(presimplify(country), smallestDetail) as Country;
  const land = feature(simple, simple.objects.land);
  const projection = geoAlbersUsa().fitSize([width, height], land);
  const path = geoPath(projection).digits(1);
  const borders = mesh(simple, simple.objects.states, (a, b) => a !== b);
  return group(
    {},
    element("path", { d: path(land) ?? "", fill: ink.land }),
    element("path", { d: path(borders) ?? "", fill: "none", stroke: ink.paper }),
    drawArcs(results, airports, projection),
    drawAirports(results, airports, projection),
  );
}

/** One arc for both directions, in the colour of the worse; one path for all arcs of a colour. */
function drawArcs(results: readonly Spare[], airports: Airports, projection: GeoProjection): string {
  const bothWays = flatGroup(results, ({ origin, destination }) => [origin, destination].sort().join(" "));
  const worse = bothWays.flatMap(([, directions]) => greatest(directions, (spare) => spare.minutes) ?? []);
  const paths = flatGroup(worse.sort((a, b) => a.minutes - b.minutes), (spare) => colourOf(spare.minutes)).map(([stroke, routes]) => {
    const d = routes.map((route) => arc(route, airports, projection)).join("");
    const { width, opacity } = lineOf(routes[0]?.minutes ?? 0);
    return element("path", { d, stroke, "stroke-width": width, "stroke-opacity": opacity });
  });
  return group({ fill: "none", "stroke-linecap": "round" }, ...paths);
}

/** The great circle as one curve, led through the projected middle of the way. */
function arc({ origin, destination }: Spare, airports: Airports, projection: GeoProjection): string {
  const [from, to] = [airports.get(origin), airports.get(destination)];
  // Alaska and Hawaii lie in insets: a line from there to the mainland would tell of no real way.
  if (!from || !to || isApart(from) !== isApart(to)) return "";
  const [a, b] = [position(from), position(to)];
  const [start, middle, end] = [projection(a), projection(geoInterpolate(a, b)(0.5)), projection(b)];
  if (!start || !middle || !end) return "";
  const control = [2 * middle[0] - (start[0] + end[0]) / 2, 2 * middle[1] - (start[1] + end[1]) / 2] as const;
  const write = ([x, y]: readonly [number, number]): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${write(start)}Q${write(control)} ${write(end)}`;
}

const isApart = (airport: Airport): boolean => airport.longitude < -130;

const position = (airport: Airport): [number, number] => [airport.longitude, airport.latitude];

function drawAirports(results: readonly Spare[], airports: Airports, projection: GeoProjection): string {
  const departures = flatRollup(results, (routes) => sum(routes, (route) => route.flights), (route) => route.origin);
  const ordered = departures.sort((a, b) => descending(a[1], b[1]));
  const size = scaleSqrt([0, ordered[0]?.[1] ?? 1], [0.4, 5]);
  const points = ordered.flatMap(([label, flights]) => {
    const airport = airports.get(label);
    const point = airport && projection(position(airport));
    return point ? { x: point[0], y: point[1], radius: size(flights), label } : [];
  });
  const dots = points.map(({ x, y, radius }) => element("circle", { cx: x, cy: y, r: radius }));
  const labels = placeLabels(points, labelled).map(({ x, y, label }) => text(x, y, label));
  return group({}, group({ fill: ink.strong, stroke: ink.paper, "stroke-width": 0.6 }, ...dots), group({ class: "airport" }, ...labels));
}
