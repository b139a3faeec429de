/** Reads the flight records and the airports that the package `vega-datasets` carries. */
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { autoType, csvParse } from "d3-dsv";
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** One direction between two airports, with the arrival delay of each of its flights. */
export interface Route {
  readonly origin: string;
  readonly destination: string;
  /** Minutes after the scheduled arrival, negative when early. */
  readonly delays: Int16Array;
}

export interface Airport {
  readonly iata: string;
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Flights {
  readonly routes: Route[];
  /** Records read, those of routes too small to be kept included. */
  readonly records: number;
}

const dataFolder = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data");

/** The absolute path of a file that `vega-datasets` carries. */
export const dataFile = (name: string): string => join(dataFolder, name);

/**
 * Reads three million flights (January to June 2001) and groups them by route.
 * @param minFlights routes with fewer flights are left out
 */
export async function readFlights(minFlights: number): Promise<Flights> {
  const [delay, origin, destination] = await readColumns("delay", "origin", "destination");
  const network = new Map<unknown, Map<unknown, number[]>>();
  for (let row = 0; row < delay.length; row++) {
    const from = entry(network, origin[row], () => new Map<unknown, number[]>());
    entry(from, destination[row], () => []).push(Number(delay[row]));
  }
  const routes = [...network].flatMap(([from, routesFrom]) =>
    [...routesFrom]
      .filter(([, delays]) => delays.length >= minFlights)
      .map(([to, delays]) => ({ origin: String(from), destination: String(to), delays: Int16Array.from(delays) })),
  );
  return { routes, records: delay.length };
}

/** All airports of the United States, by their three-letter code. */
export async function readAirports(): Promise<Map<string, Airport>> {
  const rows = csvParse<Airport, string>(await readFile(dataFile("airports.csv"), "utf8"), autoType);
  return new Map(rows.map((airport) => [airport.iata, airport]));
}

function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  return value;
}

type Column = unknown[];

/** Whole columns, not row objects: three million objects would take twice the time and memory. */
async function readColumns(...names: [string, string, string]): Promise<[Column, Column, Column]> {
  const file = await asyncBufferFromFile(dataFile("flights-3m.parquet"));
  const metadata = await parquetMetadataAsync(file);
  // Chunks come out of order: with full length from the start V8 keeps these arrays dense instead of as hash tables.
  const columns = new Map(names.map((name) => [name, new Array<unknown>(Number(metadata.num_rows))]));
  await parquetRead({
    file,
    metadata,
    compressors,
    columns: names,
    onChunk({ columnName, columnData, rowStart }) {
      const column = columns.get(columnName) ?? [];
      for (let i = 0; i < columnData.length; i++) column[rowStart + i] = columnData[i];
    },
  });
  const column = (name: string): Column => columns.get(name) ?? [];
  return [column(names[0]), column(names[1]), column(names[2])];
}
