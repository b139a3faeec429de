/** The map: every route as an arc, the slowest on top. */
import { readFile } from "node:fs/promises";
import { ascending, greatest, rollups, sum } from "d3-array";
import { geoAlbersUsa, geoInterpolate, geoPath, type GeoProjection } from "d3-geo";
import { scaleSqrt } from "d3-scale";
import { feature, mesh } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";
import type { GeometryCollection, Topology } from "topojson-specification";
import { dataFile, type Airport } from "./data.ts";
import { colourOf, ink } from "./look.ts";
import { element, group, text } from "./svg.ts";
import type { Spare } from "./spare.ts";

type Point = readonly [x: number, y: number];
type Airports = ReadonlyMap<string, Airport>;
type Country = Topology<{ land: GeometryCollection; states: GeometryCollection }>;

const labelled = 24;

/** Draws the map into a box of the given size, its corner at the origin. */
export async function drawMap(results: readonly Spare[], airports: Airports, width: number, height: number): Promise<string> {
  const country = await readCountry();
  const land = feature(country, country.objects.land);
  const projection = geoAlbersUsa().fitSize([width, height], land);
  const path = geoPath(projection).digits(1);
  const locate = locator(airports, projection);
  return group(
    {},
    element("path", { d: path(land) ?? "", fill: ink.land }),
    element("path", { d: path(mesh(country, country.objects.states, (a, b) => a !== b)) ?? "", fill: "none", stroke: "#ffffff", "stroke-width": 0.8 }),
    drawArcs(results, airports, projection),
    drawAirports(results, locate),
  );
}

/** Less detail than a pixel shows would only make the file larger. */
async function readCountry(): Promise<Country> {
  const country = JSON.parse(await readFile(dataFile("us-10m.json"), "utf8")) as Country;
  return simplify(presimplify(country), 0.02) as Country;
}

const locator =
  (airports: Airports, projection: GeoProjection) =>
  (iata: string): Point | null => {
    const airport = airports.get(iata);
    return airport ? projection([airport.longitude, airport.latitude]) : null;
  };

/** One arc for both directions, in the colour of the worse; one path for all arcs of a colour. */
function drawArcs(results: readonly Spare[], airports: Airports, projection: GeoProjection): string {
  const pairs = rollups(
    results,
    (directions) => greatest(directions, (spare) => spare.minutes),
    ({ origin, destination }) => [origin, destination].sort().join(" "),
  ).flatMap(([, worse]) => worse ?? []);
  const classes = rollups(pairs, (spares) => spares, (spare) => colourOf(spare.minutes));
  const ordered = classes.sort(([, a], [, b]) => ascending(a[0]?.minutes, b[0]?.minutes));
  const strongest = ordered.length - 1;
  const paths = ordered.map(([stroke, spares], rank) =>
    element("path", {
      d: spares.map((spare) => arc(spare, airports, projection)).join(""),
      stroke,
      "stroke-width": 0.55 + (0.95 * rank) / strongest,
      "stroke-opacity": 0.5 + (0.4 * rank) / strongest,
    }),
  );
  return group({ fill: "none", "stroke-linecap": "round" }, ...paths);
}

/** The great circle as one curve: it passes through the projected middle of the way. */
function arc({ origin, destination }: Spare, airports: Airports, projection: GeoProjection): string {
  const [from, to] = [airports.get(origin), airports.get(destination)];
  if (!from || !to) return "";
  const [a, b] = [[from.longitude, from.latitude] as [number, number], [to.longitude, to.latitude] as [number, number]];
  const [start, middle, end] = [projection(a), projection(geoInterpolate(a, b)(0.5)), projection(b)];
  if (!start || !end) return "";
  // Alaska and Hawaii lie in insets: the way there crosses nothing that is on the map.
  const through = middle ?? [(start[0] + end[0]) / 2, Math.min(start[1], end[1])];
  const control = [0, 1].map((axis) => 2 * (through[axis] ?? 0) - ((start[axis] ?? 0) + (end[axis] ?? 0)) / 2);
  const written = [start, control, end].map(([x = 0, y = 0]) => `${x.toFixed(1)} ${y.toFixed(1)}`);
  return `M${written[0] ?? ""}Q${written[1] ?? ""} ${written[2] ?? ""}`;
}

function drawAirports(results: readonly Spare[], locate: (iata: string) => Point | null): string {
  const sizes = rollups(results, (spares) => sum(spares, (spare) => spare.flights), (spare) => spare.origin).sort((a, b) => ascending(b[1], a[1]));
  const radius = scaleSqrt([0, sizes[0]?.[1] ?? 1], [0.6, 6]);
  const dots = sizes.map(([iata, flights]) => {
    const point = locate(iata);
    return point ? element("circle", { cx: point[0], cy: point[1], r: radius(flights) }) : "";
  });
  const labels = sizes.slice(0, labelled).map(([iata, flights]) => {
    const point = locate(iata);
    return point ? text(point[0] + radius(flights) + 2.5, point[1] + 3.5, iata, { class: "airport" }) : "";
  });
  return group({}, group({ fill: ink.strong, stroke: ink.paper, "stroke-width": 0.6 }, ...dots), group({}, ...labels));
}
