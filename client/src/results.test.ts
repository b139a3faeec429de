import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeEnvelopes, encodeValues, toEnvelope, type JobId, type MainToClient, type NodeId, type Of } from "@burla/protocol";
import { ResultBuffer } from "./results.ts";
import type { Settled } from "./types.ts";

type Results = Of<MainToClient, "results">;

interface Answer {
  index: number;
  fails: boolean;
  dropped: boolean;
}

function batchOf(seq: number, answers: readonly Answer[]): { message: Results; body: Uint8Array } {
  const values = encodeValues(answers.filter(({ fails }) => !fails).map(({ index }) => `v${index}`));
  const errors = encodeEnvelopes(answers.filter(({ fails }) => fails).map(({ index }) => toEnvelope(new RangeError(`e${index}`))));
  const positions = (is: (answer: Answer) => boolean) => answers.flatMap((answer, position) => (is(answer) ? [position] : []));
  const message: Results = {
    type: "results", jobId: "job-01j9x3k5v7abcdefghj" as JobId, seq, first: 0, count: answers.length, indices: answers.map(({ index }) => index),
    failed: positions(({ fails }) => fails), valuesBytes: values.byteLength, dropped: positions(({ dropped }) => dropped), nodeId: "n" as NodeId,
  };
  return { message, body: Buffer.concat([values, errors]) };
}

const ok = (...indices: number[]): Answer[] => indices.map((index) => ({ index, fails: false, dropped: false }));

function bufferOf(order: "completion" | "input") {
  const acks: number[] = [];
  const buffer = new ResultBuffer<string>({ order, taken: ({ seq }) => acks.push(seq) });
  return { buffer, acks, add: (seq: number, answers: readonly Answer[]) => {
    const { message, body } = batchOf(seq, answers);
    buffer.add(message, body);
  } };
}

function drain(buffer: ResultBuffer<string>): Settled<string>[] {
  const entries: Settled<string>[] = [];
  for (let entry = buffer.next(); entry !== undefined; entry = buffer.next()) entries.push(entry);
  return entries;
}

/** Batches that answer each index once, some of them before with an answer that was dropped, in any order. */
const history = fc.integer({ min: 1, max: 60 }).chain((total) =>
  fc.record({
    indices: fc.shuffledSubarray(Array.from({ length: total }, (_, index) => index), { minLength: total }),
    cuts: fc.array(fc.integer({ min: 1, max: 10 }), { minLength: total, maxLength: total }),
    failing: fc.array(fc.boolean(), { minLength: total, maxLength: total }),
    retried: fc.array(fc.boolean(), { minLength: total, maxLength: total }),
  }),
);

function batchesOf({ indices, cuts, failing, retried }: { indices: number[]; cuts: number[]; failing: boolean[]; retried: boolean[] }): Answer[][] {
  const batches: Answer[][] = [];
  for (let at = 0, cut = 0; at < indices.length; at += cuts[cut++] ?? 1) {
    const part = indices.slice(at, at + (cuts[cut] ?? 1));
    batches.push([...part.filter((index) => retried[index]).map((index) => ({ index, fails: true, dropped: true })), ...part.map((index) => ({ index, fails: failing[index] === true, dropped: false }))]);
  }
  return batches;
}

test("each input is given once with its own outcome, in both orders, with batches that come again and positions that are dropped", () => {
  fc.assert(
    fc.property(history, fc.constantFrom("completion" as const, "input" as const), fc.nat(5), (story, order, again) => {
      const { buffer, acks, add } = bufferOf(order);
      const batches = batchesOf(story);
      const entries: Settled<string>[] = [];
      for (const [at, answers] of batches.entries()) {
        for (let repeat = Math.max(0, at - again); repeat <= at; repeat++) add(repeat + 1, batches[repeat] ?? []);
        add(at + 1, answers);
        entries.push(...drain(buffer));
      }
      assert.equal(buffer.lastSeq, batches.length);
      assert.equal(buffer.taken, story.indices.length);
      const expected = order === "input" ? [...story.indices].sort((a, b) => a - b) : batches.flatMap((answers) => answers.filter(({ dropped }) => !dropped).map(({ index }) => index));
      assert.deepEqual(entries.map(({ index }) => index), expected);
      for (const entry of entries) {
        if (entry.status === "fulfilled") assert.equal(entry.value, `v${entry.index}`);
        else assert.ok(entry.reason instanceof RangeError && entry.reason.message === `e${entry.index}` && (entry.reason as Error & { inputIndex: number }).inputIndex === entry.index);
        assert.equal(entry.status === "rejected", story.failing[entry.index]);
      }
      assert.deepEqual(acks, batches.map((_, at) => at + 1));
    }),
  );
});

test("in order of completion a batch is acknowledged when the consumer comes back after its last entry", () => {
  const { buffer, acks, add } = bufferOf("completion");
  add(1, ok(0, 1));
  add(2, ok(2));
  assert.deepEqual([buffer.next()?.index, buffer.next()?.index, acks.length], [0, 1, 0]);
  assert.equal(buffer.next()?.index, 2);
  assert.deepEqual(acks, [1]);
  assert.equal(buffer.next(), undefined);
  assert.deepEqual(acks, [1, 2]);
});

test("in order of the inputs it is acknowledged when it comes, and waits for the one before", () => {
  const { buffer, acks, add } = bufferOf("input");
  add(1, ok(1, 2));
  assert.deepEqual([buffer.next(), acks], [undefined, [1]]);
  add(2, ok(0));
  assert.deepEqual(drain(buffer).map(({ index }) => index), [0, 1, 2]);
});

test("when a job has stopped, what is behind an input without an answer is given all the same, failures first", () => {
  const { buffer, add } = bufferOf("input");
  add(1, ok(0, 2));
  add(2, [{ index: 4, fails: true, dropped: false }]);
  assert.deepEqual(drain(buffer).map(({ index }) => index), [0]);
  buffer.end();
  assert.deepEqual(drain(buffer).map(({ index }) => index), [4, 2]);
});

test("an input that another attempt answered in a later batch is given once", () => {
  const { buffer, add } = bufferOf("completion");
  add(1, ok(0, 1));
  add(2, ok(1, 2));
  assert.deepEqual(drain(buffer).map(({ index }) => index), [0, 1, 2]);
});

test("a batch in a row needs no list of indices", () => {
  const { buffer } = bufferOf("completion");
  const { message, body } = batchOf(1, ok(7, 8));
  buffer.add({ ...message, first: 7, indices: null }, body);
  assert.deepEqual(drain(buffer), [{ index: 7, status: "fulfilled", value: "v7" }, { index: 8, status: "fulfilled", value: "v8" }]);
});

test("failures that are no errors keep their value", () => {
  const { buffer } = bufferOf("completion");
  const { message } = batchOf(1, [{ index: 0, fails: true, dropped: false }]);
  const values = encodeValues([]);
  buffer.add({ ...message, valuesBytes: values.byteLength }, Buffer.concat([values, encodeEnvelopes([toEnvelope(undefined)])]));
  assert.deepEqual(drain(buffer), [{ index: 0, status: "rejected", reason: undefined }]);
});
