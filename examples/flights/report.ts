/** What the example prints. */
import { styleText } from "node:util";
import { median, sum } from "d3-array";
import { compareNeighbours } from "./neighbours.ts";
import { routeName, type Places } from "./places.ts";
import { rankRoutes, type Spare } from "./spare.ts";

const listed = 8;
/** A leader among fewer results is chance, not news. */
const newsAfter = 25;

/** Returns a function that takes the results as they arrive and tells when one needs more time than all before. */
export function sayWhenWorst(places: Places): (spare: Spare, done: number) => void {
  let worst = 0;
  return (spare, done) => {
    if (spare.minutes <= worst) return;
    worst = spare.minutes;
    if (done > newsAfter) console.log(`  most so far, after ${done.toLocaleString("en")} routes: ${worst} min, ${routeName(spare, places)}`);
  };
}

/** Prints the routes that need the most and the least time to spare. */
export function printSummary(results: readonly Spare[], places: Places): void {
  const { most, least } = rankRoutes(results, listed);
  const flights = sum(results, (spare) => spare.flights);
  const typical = median(results, (spare) => spare.minutes) ?? 0;
  console.log(`\n${styleText("bold", "Time to spare so that nine flights in ten keep the promise")}`);
  console.log(`${flights.toLocaleString("en")} flights, ${results.length.toLocaleString("en")} routes; half of the routes need more than ${typical} minutes\n`);
  printTable("The most", most, places);
  printTable("The least", least, places);
  console.log(styleText("dim", "Minutes saved by the airport next door, to the same destinations"));
  for (const { city, slow, fast } of compareNeighbours(results, 3)) {
    console.log(`${city}: ${fast.iata} instead of ${slow.iata}`.padEnd(30), String(Math.round(slow.minutes - fast.minutes)).padStart(8));
  }
}

function printTable(title: string, rows: readonly Spare[], places: Places): void {
  const nameWidth = Math.max(30, ...rows.map((row) => routeName(row, places).length));
  console.log(styleText("dim", `${title.padEnd(nameWidth)}  minutes   95 % interval   flights`));
  for (const row of rows) {
    const interval = `${row.low.toFixed(0)} to ${row.high.toFixed(0)}`;
    const numbers = [String(row.minutes).padStart(7), interval.padStart(13), row.flights.toLocaleString("en").padStart(7)];
    console.log(`${routeName(row, places).padEnd(nameWidth)}  ${numbers.join("   ")}`);
  }
  console.log();
}
