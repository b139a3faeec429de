/**
 * The short form of the random faults. `BURLA_FAULT_SEED` begins with another seed, `BURLA_FAULT_RUNS` plays so many runs
 * however long that takes; `npm run faults` is the long form.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { campaign } from "./campaign.ts";

const { BURLA_FAULT_SEED: seed = "1", BURLA_FAULT_RUNS: runs } = process.env;
const RUNS = 12;
const BUDGET_MS = 80_000;

test("each input is answered exactly once, whatever happens to main, nodes, workers and programs", async (context) => {
  const endMs = performance.now() + (runs === undefined ? BUDGET_MS : Infinity);
  const tally = await campaign({
    seed: Number(seed), runs: Number(runs ?? RUNS), isShort: true, without: [], isOver: () => performance.now() > endMs, say: (line) => context.diagnostic(line),
  });
  for (const line of tally.text.split("\n")) context.diagnostic(line);
  assert.deepEqual(tally.complaints, []);
  assert.ok(tally.runs > 0);
});
