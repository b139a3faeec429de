import { until as untilSoon } from "../../support/until.ts";

/** Engines and containers take their time on a machine that does much else. */
const PATIENCE_MS = 120_000;

/** As the `until` of other tests, with more patience. */
export function until<Value>(what: string, look: () => Value | Promise<Value>): Promise<NonNullable<Value>> {
  return untilSoon(what, look, PATIENCE_MS);
}
