/** What to call an airport. */
import type { Airport, Route } from "./data.ts";
import type { Spare } from "./spare.ts";

/** Turns an airport's code into a name that a reader knows. */
export type Places = (iata: string) => string;

/** The city whose name people use, where the file has the suburb in which the runways lie. */
const knownAs: Readonly<Record<string, string>> = {
  DCA: "Washington DCA",
  IAD: "Washington IAD",
  EWR: "Newark",
  DFW: "Dallas DFW",
  DAL: "Dallas DAL",
  CVG: "Cincinnati",
  BDL: "Hartford",
  GSP: "Greenville",
  HPN: "White Plains",
  PDX: "Portland, Oregon",
  PWM: "Portland, Maine",
};

/** Names cities; where a city has several airports in use, the code tells them apart. */
export function namePlaces(routes: readonly Pick<Route, "origin" | "destination">[], airports: ReadonlyMap<string, Airport>): Places {
  const used = new Set(routes.flatMap(({ origin, destination }) => [origin, destination]));
  const cityOf = (iata: string): string => airports.get(iata)?.city ?? iata;
  const count = new Map<string, number>();
  for (const iata of used) count.set(cityOf(iata), (count.get(cityOf(iata)) ?? 0) + 1);
  return (iata) => knownAs[iata] ?? ((count.get(cityOf(iata)) ?? 0) > 1 ? `${cityOf(iata)} ${iata}` : cityOf(iata));
}

export const routeName = ({ origin, destination }: Spare, places: Places): string => `${places(origin)} → ${places(destination)}`;
