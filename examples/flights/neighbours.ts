/** Airports of one city side by side: is the smaller one the safer choice? */
import { descending, mean } from "d3-array";
import type { Spare } from "./spare.ts";

export interface Neighbours {
  readonly city: string;
  /** Mean minutes to spare over the destinations that both airports serve; the one that needs more comes first. */
  readonly slow: Choice;
  readonly fast: Choice;
}

export interface Choice {
  readonly iata: string;
  readonly minutes: number;
}

const pairs: readonly (readonly [city: string, one: string, other: string])[] = [
  ["Boston", "BOS", "PVD"],
  ["Chicago", "ORD", "MDW"],
  ["Dallas", "DFW", "DAL"],
  ["Houston", "IAH", "HOU"],
  ["Los Angeles", "LAX", "BUR"],
  ["Miami", "MIA", "FLL"],
  ["New York", "JFK", "LGA"],
  ["San Francisco", "SFO", "OAK"],
  ["Washington", "IAD", "DCA"],
];

/** The pairs of airports that differ most, the largest difference first. */
export function compareNeighbours(results: readonly Spare[], listed: number): Neighbours[] {
  const difference = ({ slow, fast }: Neighbours): number => slow.minutes - fast.minutes;
  return pairs
    .map(([city, one, other]) => compare(results, city, one, other))
    .sort((a, b) => descending(difference(a), difference(b)))
    .slice(0, listed);
}

function compare(results: readonly Spare[], city: string, one: string, other: string): Neighbours {
  const fromOne = destinations(results, one);
  const fromOther = destinations(results, other);
  const shared = [...fromOne.keys()].filter((destination) => fromOther.has(destination));
  const choices = [
    { iata: one, minutes: mean(shared, (destination) => fromOne.get(destination)) ?? NaN },
    { iata: other, minutes: mean(shared, (destination) => fromOther.get(destination)) ?? NaN },
  ] as const;
  const [slow, fast] = choices[0].minutes >= choices[1].minutes ? choices : [choices[1], choices[0]];
  return { city, slow, fast };
}

const destinations = (results: readonly Spare[], origin: string): Map<string, number> =>
  new Map(results.filter((spare) => spare.origin === origin).map((spare) => [spare.destination, spare.minutes]));
