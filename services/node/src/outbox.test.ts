import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { newJobId } from "@burla/protocol";
import { Outbox } from "./outbox.ts";

test("everything is kept, in order and numbered without gaps, until it is stored", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant("add" as const), fc.nat(40))), (steps) => {
      const outbox = new Outbox();
      const jobId = newJobId();
      let [added, stored] = [0, 0];
      for (const step of steps) {
        if (step === "add") {
          added++;
          assert.equal(outbox.add({ type: "loadFailed", jobId }, Buffer.from([added % 256])).nodeSeq, added);
        } else {
          outbox.stored(step);
          stored = Math.max(stored, Math.min(step, added));
        }
        const left = [...outbox.all()];
        assert.deepEqual(left.map(({ message }) => message.nodeSeq), Array.from({ length: added - stored }, (_, at) => stored + at + 1));
        for (const { message, body } of left) assert.deepEqual([...body], [message.nodeSeq % 256]);
      }
    }),
  );
});

test("bytes, and those of lines among them, are counted until they are stored", () => {
  const outbox = new Outbox();
  const jobId = newJobId();
  outbox.add({ type: "nodeLogs", jobId, droppedLines: 0 }, Buffer.alloc(10));
  outbox.add({ type: "loadFailed", jobId }, Buffer.alloc(100));
  outbox.add({ type: "nodeLogs", jobId, droppedLines: 0 }, Buffer.alloc(5));
  assert.deepEqual([outbox.logBytes, outbox.bytes], [15, 115]);
  outbox.stored(2);
  assert.deepEqual([outbox.logBytes, outbox.bytes], [5, 5]);
  outbox.stored(3);
  assert.deepEqual([outbox.logBytes, outbox.bytes], [0, 0]);
});

test("a grant is named once, however many of its results wait", () => {
  const outbox = new Outbox();
  const [one, other] = [newJobId(), newJobId()];
  const result = { type: "nodeResults" as const, first: 0, count: 1, indices: null, failed: [], final: [], valuesBytes: 0, runMs: 1 };
  outbox.add({ ...result, jobId: one, grantId: 7 }, Buffer.alloc(0));
  outbox.add({ type: "nodeLogs", jobId: one, droppedLines: 0 }, Buffer.alloc(0));
  outbox.add({ ...result, jobId: one, grantId: 7, first: 1 }, Buffer.alloc(0));
  outbox.add({ ...result, jobId: other, grantId: 7 }, Buffer.alloc(0));
  outbox.add({ type: "grantEnded", jobId: one, grantId: 7, cause: "released", detail: "", lostWorkers: 0, unfinished: [3] }, Buffer.alloc(0));
  assert.deepEqual(outbox.grants(), [{ jobId: one, grantId: 7 }, { jobId: other, grantId: 7 }]);
  outbox.stored(5);
  assert.deepEqual(outbox.grants(), []);
});

test("what main has refused of a job is forgotten, and nothing else", () => {
  const outbox = new Outbox();
  const [bad, good] = [newJobId(), newJobId()];
  for (const jobId of [bad, good, bad]) outbox.add({ type: "nodeLogs", jobId, droppedLines: 0 }, new Uint8Array(10));
  outbox.forget(bad);
  assert.deepEqual([...outbox.all()].map(({ message }) => [message.jobId, message.nodeSeq]), [[good, 2]]);
  assert.deepEqual([outbox.logBytes, outbox.bytes], [10, 10]);
});
