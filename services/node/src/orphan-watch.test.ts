import assert from "node:assert/strict";
import { test } from "node:test";
import { OrphanWatch } from "./orphan-watch.ts";

/** Looks every millisecond. @returns how often the node was asked whether it works, when it is orphaned. */
async function looksUntilOrphaned(aloneMs: number, worksAlone: (look: number) => boolean): Promise<number> {
  let looks = 0;
  await new Promise<void>((resolve) => {
    new OrphanWatch({ orphanMs: 1, aloneMs, worksAlone: () => worksAlone(++looks), onOrphaned: resolve }).mainLost();
  });
  return looks;
}

test("without work that needs no main a node is orphaned at the first look", async () => {
  assert.equal(await looksUntilOrphaned(60_000, () => false), 1);
});

test("with such work it is orphaned when the work is over", async () => {
  assert.equal(await looksUntilOrphaned(60_000, (look) => look < 3), 3);
});

test("it does not work alone for ever", async () => {
  assert.ok((await looksUntilOrphaned(5, () => true)) >= 1);
});

test("a main that is there again counts from the start", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const pass = (ms: number) => {
    for (let at = 0; at < ms; at++) t.mock.timers.tick(1);
  };
  let orphaned = 0;
  const watch = new OrphanWatch({ orphanMs: 12, aloneMs: 12, worksAlone: () => false, onOrphaned: () => orphaned++ });
  watch.mainLost();
  pass(11);
  watch.close();
  watch.mainLost();
  watch.mainLost();
  pass(11);
  assert.equal(orphaned, 0);
  pass(1);
  assert.equal(orphaned, 1);
});
