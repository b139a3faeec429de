import { ascending, descending } from "d3-array";

/** What one call of the example finds out about one route. */
export interface Spare {
  readonly origin: string;
  readonly destination: string;
  readonly flights: number;
  /** The arrival delay, in minutes, that nine in ten flights stayed within. */
  readonly minutes: number;
  /** Bounds of the 95 % bootstrap interval of `minutes`. */
  readonly low: number;
  readonly high: number;
}

/** The order of the alphabet. */
export const byRoute = (a: Spare, b: Spare): number => ascending(a.origin, b.origin) || ascending(a.destination, b.destination);

/**
 * The routes that need the most and the least time. Ranked by the bound that is on the safe side, not by the
 * estimate, so that a route with few flights is not listed by chance.
 */
export function rankRoutes(results: readonly Spare[], listed: number): { most: Spare[]; least: Spare[] } {
  return {
    most: results.toSorted((a, b) => descending(a.low, b.low)).slice(0, listed),
    least: results.toSorted((a, b) => ascending(a.high, b.high)).slice(0, listed),
  };
}
