/**
 * The scenarios, each with the same numbers for every system. What a runner does with them is in
 * `runners/js/driver.ts` and `runners/python/driver.py`, which mirror each other.
 */

import type { Scenario } from "./scenario.ts";
import { thousandNodes } from "./thousand-nodes.ts";

const seconds = (full: number, quick: number) => ({ full: full * 1000, quick: quick * 1000 });

export const scenarios: readonly Scenario[] = [
  {
    name: "noop",
    title: "20,000 calls that return their input",
    procedure: "noop",
    watch: "nothing",
    full: { calls: 20_000, repeats: 5, pauseMs: 1_000 },
    quick: { calls: 20_000, repeats: 3, pauseMs: 1_000 },
    timeoutMs: seconds(180, 120),
  },
  {
    name: "cpu-10ms",
    title: "10,000 calls of 10 ms CPU",
    procedure: "spin",
    watch: "nothing",
    full: { calls: 10_000, minMs: 10, maxMs: 10, stragglerMs: 0, seed: 1 },
    quick: { calls: 1_000, minMs: 10, maxMs: 10, stragglerMs: 0, seed: 1 },
    timeoutMs: seconds(240, 60),
  },
  {
    name: "straggler",
    title: "1,000 calls of 1 to 200 ms CPU, one of 5 s",
    procedure: "spin",
    watch: "nothing",
    full: { calls: 1_000, minMs: 1, maxMs: 200, stragglerMs: 5_000, seed: 7 },
    quick: { calls: 200, minMs: 1, maxMs: 100, stragglerMs: 1_000, seed: 7 },
    timeoutMs: seconds(240, 60),
  },
  {
    name: "values-1mb",
    title: "200 values of 1 MB each way",
    procedure: "echo",
    watch: "nothing",
    full: { calls: 200, bytes: 1_000_000, repeats: 3 },
    quick: { calls: 200, bytes: 1_000_000, repeats: 1 },
    timeoutMs: seconds(120, 60),
  },
  {
    name: "print",
    title: "5,000 calls that print ten lines each",
    procedure: "print",
    watch: "output",
    full: { calls: 5_000, lines: 10 },
    quick: { calls: 1_000, lines: 10 },
    timeoutMs: seconds(120, 60),
  },
  {
    name: "kill-worker",
    title: "2,000 calls of 10 ms CPU, one worker killed half way",
    procedure: "kill",
    watch: "nothing",
    full: { calls: 2_000, callMs: 10 },
    quick: { calls: 400, callMs: 10 },
    timeoutMs: seconds(120, 90),
  },
  {
    name: "cancel",
    title: "200 calls of 100 ms CPU, cancelled half way",
    procedure: "cancel",
    watch: "idle",
    full: { calls: 200, callMs: 100, cancelAfterResults: 100, cancelAfterMs: 60_000 },
    quick: { calls: 60, callMs: 100, cancelAfterResults: 30, cancelAfterMs: 30_000 },
    timeoutMs: seconds(90, 60),
  },
  {
    name: "cancel-long",
    title: "4 calls of 30 s CPU, cancelled after 2 s",
    procedure: "cancel",
    watch: "idle",
    full: { calls: 4, callMs: 30_000, cancelAfterResults: 4, cancelAfterMs: 2_000 },
    quick: { calls: 4, callMs: 10_000, cancelAfterResults: 4, cancelAfterMs: 2_000 },
    timeoutMs: seconds(120, 60),
  },
  {
    name: "generator",
    title: "a generator of a million inputs",
    procedure: "generator",
    watch: "memory",
    full: { calls: 1_000_000 },
    quick: { calls: 100_000 },
    timeoutMs: seconds(180, 45),
  },
  {
    name: "first-result",
    title: "time from the call to the first result",
    procedure: "first-result",
    watch: "nothing",
    full: { calls: 10, coldRuns: 5, warmRuns: 7, sameProcessCalls: 15, pauseMs: 1_000 },
    quick: { calls: 10, coldRuns: 3, warmRuns: 3, sameProcessCalls: 5, pauseMs: 1_000 },
    timeoutMs: seconds(60, 40),
  },
  thousandNodes,
];
