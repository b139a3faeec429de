/** The life of one chunk's inputs at a node, by cases and by chance. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AnsweredBatch } from "@burla/protocol";
import { accept, grantFrom, holdChunk, loseGrant, openRanges, outstandingOf, release, resume, returnGrant, shareOut, sizeOf, takeOver, wholeChunk, type HeldChunk } from "./chunk.ts";

const hold = (count: number) => holdChunk({ chunkId: 1, first: 100, count }, wholeChunk(count));
const batch = (first: number, count: number, failed: number[] = [], final: number[] = []): AnsweredBatch => ({ first, count, indices: null, failed, final, valuesBytes: 0 });
const positions = (chunk: HeldChunk) => openRanges(chunk).flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at));

test("what is granted, answered and given back is counted", () => {
  const chunk = hold(10);
  assert.deepEqual(grantFrom(chunk, 1, 4), { from: 0, to: 4, attempt: 1, losses: 0, failures: 0 });
  assert.deepEqual(accept(chunk, 1, batch(100, 2), 0), { dropped: [], retried: [], answered: 2, failed: 0 });
  release(chunk, 1, [3]);
  assert.equal(outstandingOf(chunk), 1);
  assert.deepEqual(positions(chunk), [2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(accept(chunk, 1, batch(102, 1, [0]), 0), { dropped: [], retried: [], answered: 1, failed: 1 });
  assert.equal(chunk.grants.size, 0);
});

test("a second answer, and one of a grant that is over, are dropped", () => {
  const chunk = hold(2);
  grantFrom(chunk, 1, 2);
  accept(chunk, 1, batch(100, 1), 0);
  assert.deepEqual(accept(chunk, 1, batch(100, 2), 0).dropped, [0]);
  assert.deepEqual(accept(chunk, 1, batch(100, 2), 0).dropped, [0, 1]);
});

test("a failure is tried again as often as asked for, then it counts", () => {
  const chunk = hold(1);
  for (let failures = 0; failures < 2; failures++) {
    grantFrom(chunk, failures, 1);
    const { retried, answered, dropped } = accept(chunk, failures, batch(100, 1, [0]), 2);
    assert.deepEqual([answered, dropped, retried.length], [0, [0], 1]);
    assert.equal(chunk.ready.length, 0, "it waits");
    resume(chunk, retried[0]!);
  }
  assert.equal(grantFrom(chunk, 3, 1)?.attempt, 3);
  assert.deepEqual(accept(chunk, 3, batch(100, 1, [0]), 2), { dropped: [], retried: [], answered: 1, failed: 1 });
});

test("a range whose worker ends is cut until the culprit stands alone, which is given up after three workers", () => {
  const chunk = hold(64);
  let losses = 0;
  let givenUp: number | undefined;
  for (let grantId = 1; chunk.ready.length > 0; grantId++) {
    const range = grantFrom(chunk, grantId, 64)!;
    const culprit = range.from <= 37 && 37 < range.to;
    const before = culprit ? 37 - range.from : range.to - range.from;
    accept(chunk, grantId, batch(100 + range.from, before), 0);
    if (!culprit) continue;
    losses++;
    givenUp = loseGrant(chunk, grantId)?.from ?? givenUp;
  }
  assert.equal(givenUp, 37);
  assert.ok(losses <= 6, `${losses} workers were lost`);
  assert.deepEqual(positions(chunk), []);
});

test("inputs whose nodes are lost again and again are given up at last, one by one", () => {
  let open = [{ from: 5, to: 6, attempt: 1, losses: 0, failures: 0 }];
  let nodes = 0;
  for (; open.length > 0; nodes++) open = takeOver(open).open;
  assert.equal(nodes, 12);
  assert.equal(takeOver(wholeChunk(10)).open[0]?.losses, 0, "of many nobody knows which");
});

test("what is shared is no longer here, and covers all that waited", () => {
  const chunk = hold(20);
  grantFrom(chunk, 1, 3);
  const shares = shareOut(chunk, 8);
  assert.ok(shares.length <= 8);
  assert.equal(shares.reduce((sum, share) => sum + sizeOf(share), 0), 17);
  assert.deepEqual(positions(chunk), [0, 1, 2]);
});

test("whatever happens in whatever order, an input is in one place and answered once", () => {
  type Step = { kind: "grant" | "answer" | "fail" | "release" | "return" | "lose" | "resume"; n: number };
  const kinds = ["grant", "answer", "fail", "release", "return", "lose", "resume"] as const;
  const steps = fc.array(fc.record({ kind: fc.constantFrom(...kinds), n: fc.nat(1000) }), { maxLength: 120 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(3), steps, (count, retries, schedule: Step[]) => {
      const chunk = hold(count);
      const answers = new Array<number>(count).fill(0);
      let nextGrant = 1;
      for (const { kind, n } of schedule) {
        const ids = [...chunk.grants.keys()];
        const grantId = ids[n % Math.max(1, ids.length)];
        const range = grantId === undefined ? undefined : chunk.grants.get(grantId)?.range;
        if (kind === "grant") grantFrom(chunk, nextGrant++, 1 + (n % 7));
        else if (kind === "resume") [...chunk.delayed].slice(0, 1).forEach((delayed) => resume(chunk, delayed));
        else if (grantId !== undefined && range !== undefined) {
          const size = 1 + (n % (range.to - range.from));
          if (kind === "answer" || kind === "fail") {
            const failed = kind === "fail" ? Array.from({ length: size }, (_, at) => at) : [];
            const { dropped } = accept(chunk, grantId, batch(100 + range.from, size, failed), retries);
            for (let at = 0; at < size; at++) if (!dropped.includes(at)) answers[range.from + at]!++;
          } else if (kind === "release") release(chunk, grantId, [range.from + (n % (range.to - range.from))]);
          else if (kind === "return") returnGrant(chunk, grantId);
          else {
            const givenUp = loseGrant(chunk, grantId);
            if (givenUp !== null) answers[givenUp.from]!++;
          }
        }
        const open = positions(chunk);
        assert.equal(new Set(open).size, open.length, "an input is in two places");
        for (let position = 0; position < count; position++) assert.equal(answers[position]! + Number(open.includes(position)), 1, `input ${position}`);
      }
    }),
    { numRuns: 500 },
  );
});
