import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DeadlineHeap } from "./deadlines.ts";
import { nodeIdOf } from "./testing.ts";

test("deadlines are due in order of time, each once", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.nat(1000), (times, nowMs) => {
      const heap = new DeadlineHeap();
      for (const atMs of times) heap.add(atMs, { kind: "lease", nodeId: nodeIdOf(String(atMs)) });
      const sorted = [...times].sort((a, b) => a - b);
      assert.equal(heap.nextMs(), sorted[0] ?? null);
      const due = heap.due(nowMs).map((deadline) => (deadline.kind === "lease" ? deadline.nodeId : ""));
      assert.deepEqual(due, sorted.filter((atMs) => atMs <= nowMs).map((atMs) => nodeIdOf(String(atMs))));
      assert.deepEqual(heap.due(nowMs), []);
      assert.equal(heap.size, times.length - due.length);
    }),
  );
});
