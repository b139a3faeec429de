/** What the product promises, on one machine of two cores. `report.ts` says whether a run kept it. */
import type { Row } from "./harness/results.ts";

export interface Target {
  readonly title: string;
  readonly scenario: string;
  readonly metric: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** A number, or the system whose figure of the same run is the bar. */
  readonly bar: number | { readonly system: string };
}

export interface Verdict {
  readonly target: Target;
  readonly measured: number;
  readonly bar: number;
  readonly met: boolean;
}

export const PRODUCT = "burla";

const noop = { scenario: "noop", metric: "calls_per_second", unit: "1/s", better: "higher" } as const;

export const targets: readonly Target[] = [
  { title: "no-op calls faster than Ray's pool", ...noop, bar: { system: "ray-pool" } },
  { title: "no-op calls faster than joblib", ...noop, bar: { system: "joblib" } },
  { title: "10 ms calls: cores fully used", scenario: "cpu-10ms", metric: "efficiency", unit: "%", better: "higher", bar: 97 },
  { title: "first result, cluster warm, fresh client", scenario: "first-result", metric: "warm_fresh_process", unit: "ms", better: "lower", bar: 20 },
  { title: "first result, cluster warm, client too", scenario: "first-result", metric: "warm_same_process", unit: "ms", better: "lower", bar: 20 },
  { title: "first result, nothing running", scenario: "first-result", metric: "cold", unit: "ms", better: "lower", bar: 500 },
  { title: "growth of any process over a million inputs", scenario: "generator", metric: "max_growth", unit: "MiB", better: "lower", bar: 100 },
  { title: "processors idle after a cancel", scenario: "cancel", metric: "idle_after", unit: "s", better: "lower", bar: 1 },
  { title: "processors idle after a cancel of long calls", scenario: "cancel-long", metric: "idle_after", unit: "s", better: "lower", bar: 1 },
];

/** Holds the targets against a run; a target whose figure, or whose bar, was not measured is left out. */
export function judge(rows: readonly Row[]): readonly Verdict[] {
  const figure = (target: Target, system: string) =>
    rows.find((row) => row.scenario === target.scenario && row.metric === target.metric && row.system === system)?.value;
  return targets.flatMap((target) => {
    const measured = figure(target, PRODUCT);
    const bar = typeof target.bar === "number" ? target.bar : figure(target, target.bar.system);
    if (measured === undefined || bar === undefined) return [];
    return [{ target, measured, bar, met: target.better === "higher" ? measured >= bar : measured <= bar }];
  });
}
