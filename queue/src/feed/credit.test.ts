import assert from "node:assert/strict";
import { test } from "node:test";
import { Credit } from "./credit.ts";

const WORKERS = 2;

/** Takes inputs one at a time, pushing all that is allowed at once. @returns what was pushed each time that something was. */
function pushesOf(credit: Credit, { inputs, callMs }: { inputs: number; callMs: number }): number[] {
  const pushes: number[] = [];
  let [pushed, taken] = [0, 0];
  while (taken < inputs) {
    const allowed = Math.min(inputs, credit.give().inputs);
    if (allowed > pushed) {
      pushes.push(allowed - pushed);
      credit.pushed({ chunkId: pushes.length, first: pushed, count: allowed - pushed, body: new Uint8Array(allowed - pushed) });
      pushed = allowed;
    }
    assert.ok(pushed > taken, "it goes on until all is taken");
    credit.answered({ nodeId: "node", workers: WORKERS, inputs: 1, runMs: callMs });
    credit.taken(1);
    taken++;
  }
  assert.equal(pushed, inputs);
  return pushes;
}

for (const callMs of [0.001, 1, 10, 100, 10_000]) {
  test(`results that are taken one at a time make no small chunks, with calls of ${callMs} ms`, () => {
    const inputs = 5_000;
    const credit = new Credit({ concurrency: 1, detach: false });
    const pushes = pushesOf(credit, { inputs, callMs });
    const { chunkInputs } = credit.give();
    const small = pushes.slice(1, -1).filter((count) => count < Math.min(8, chunkInputs));
    assert.deepEqual(small, []);
    assert.ok(pushes.length <= 2 + inputs / 8, `${pushes.length} pushes`);
  });
}

test("a job that nobody waits for is fed without a limit", () => {
  assert.equal(new Credit({ concurrency: 1, detach: true }).give().inputs, Number.MAX_SAFE_INTEGER);
});
