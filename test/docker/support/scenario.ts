/** A scenario does something to a cluster, fails when what must hold does not, and gives the facts that it saw. */
import type { DockerCluster } from "./cluster.ts";

export type Facts = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface Scenario {
  readonly name: string;
  readonly run: (cluster: DockerCluster) => Promise<Facts>;
}

/** The middle of times, in ms, with one decimal. */
export function medianMs(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return roundMs(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
}

export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
