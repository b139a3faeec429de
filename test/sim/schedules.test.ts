/**
 * Random schedules of the whole cluster. `BURLA_SIM_SCHEDULES` runs so many instead of as many as fit into the time,
 * `BURLA_SIM_SEED` begins with that seed: with one schedule it replays a failure.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

const BUDGET_MS = 25_000;

test("each input is answered exactly once, whatever goes wrong", (t) => {
  const seeds = seedsToRun();
  let [schedules, events] = [0, 0];
  const startMs = performance.now();
  for (let seed = seeds.first; schedules < seeds.count && performance.now() - startMs < seeds.budgetMs; seed++) {
    const world = new World(seed);
    try {
      world.run();
    } catch (error) {
      assert.fail(`BURLA_SIM_SEED=${seed} BURLA_SIM_SCHEDULES=1 replays this failure: ${error instanceof Error ? error.stack : String(error)}`);
    }
    schedules++;
    events += world.events;
  }
  t.diagnostic(`${schedules.toLocaleString("en")} schedules, ${(events / 1e6).toFixed(2)} million events, from seed ${seeds.first}`);
  assert.ok(schedules > 0);
});

function seedsToRun(): { first: number; count: number; budgetMs: number } {
  const { BURLA_SIM_SEED: seed, BURLA_SIM_SCHEDULES: schedules } = process.env;
  return {
    first: seed === undefined ? 1 : Number(seed),
    count: schedules === undefined ? 2_000 : Number(schedules),
    budgetMs: schedules === undefined ? BUDGET_MS : Infinity,
  };
}
