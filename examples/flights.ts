/**
 * How much time to spare does a flight need?
 *
 * For each of some three thousand routes in the United States: the delay that nine flights in ten stay within,
 * with a bootstrap interval that says how sure that is. Every route is one call on the cluster.
 *
 *     npm run demo        or        npx tsx examples/flights.ts
 */
import { mkdir, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { remoteParallelMap, type CallContext } from "burla";
import { quantile } from "d3-array";
import { randomInt, randomLcg } from "d3-random";
import { readAirports, readFlights, type Route } from "./flights/data.ts";
import { drawPicture } from "./flights/picture.ts";
import { namePlaces } from "./flights/places.ts";
import { printSummary, sayWhenWorst } from "./flights/report.ts";
import { byRoute, type Spare } from "./flights/spare.ts";

const minFlights = 100;
const promise = 0.9;
const resamples = 100;

/** The delay that `promise` of the flights stayed within: the nearest rank, since delays are whole minutes. */
const within = (sorted: Int16Array): number => sorted[Math.ceil(promise * sorted.length) - 1] ?? NaN;

/** Runs on the cluster. What it uses travels with it: the imports, `within`, `promise` and `resamples`. */
function timeToSpare({ origin, destination, delays }: Route, { index }: CallContext): Spare {
  const draw = randomInt.source(randomLcg(index))(delays.length);
  const sample = new Int16Array(delays.length);
  const estimates = Array.from({ length: resamples }, () => {
    for (let i = 0; i < sample.length; i++) sample[i] = delays[draw()] ?? 0;
    return within(sample.sort());
  });
  const [low, high] = [0.025, 0.975].map((p) => Math.round(quantile(estimates, p) ?? NaN)) as [number, number];
  const minutes = within(delays.toSorted());
  if (high - low > 75) console.log(`${origin} to ${destination} is hard to promise: ${low} to ${high} minutes`);
  return { origin, destination, flights: delays.length, minutes, low, high };
}

const startedAtMs = performance.now();
const [flights, airports] = await Promise.all([readFlights(minFlights), readAirports()]);
const places = namePlaces(flights.routes, airports);
console.log(`${flights.records.toLocaleString("en")} flights on ${flights.routes.length.toLocaleString("en")} routes are read.`);

const results: Spare[] = [];
const announce = sayWhenWorst(places);
for await (const spare of remoteParallelMap(timeToSpare, flights.routes, { name: "flights", progress: true })) {
  results.push(spare);
  announce(spare, results.length);
}

results.sort(byRoute); // they came in order of completion, which differs from run to run
printSummary(results, places);
const picture = fileURLToPath(new URL("out/flights.svg", import.meta.url));
await mkdir(new URL("out/", import.meta.url), { recursive: true });
await writeFile(picture, await drawPicture(results, places, airports));
console.log(`\nPicture: ${relative(process.cwd(), picture)}   (${((performance.now() - startedAtMs) / 1000).toFixed(1)} s in all)`);
