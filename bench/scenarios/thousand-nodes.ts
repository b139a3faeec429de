/**
 * Main alone, with a thousand nodes: the real main service and a real client, and one process that holds the
 * connections of a thousand nodes which only pretend to call the function. What is measured is what one main costs.
 */
import type { Scenario } from "./scenario.ts";

export const thousandNodes: Scenario = {
  name: "thousand-nodes",
  title: "main with a thousand simulated nodes",
  procedure: "thousand-nodes",
  runner: "thousand-nodes",
  watch: "nothing",
  full: { nodes: 1_000, longCalls: 20_000, longCallMs: 1_000, shortCalls: 1_000_000 },
  quick: { nodes: 1_000, longCalls: 5_000, longCallMs: 1_000, shortCalls: 200_000 },
  timeoutMs: { full: 240_000, quick: 120_000 },
};
