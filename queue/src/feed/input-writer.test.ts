/** A commit whose answer is lost is made again by `PatientStore`, and its chunks must not come twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Payloads } from "../payloads.ts";
import { PatientStore } from "../patient-store.ts";
import { Documents, refusal } from "../testing.ts";
import { InputWriter } from "./input-writer.ts";

/** gRPC's number. */
const ALREADY_EXISTS = 6;
const JOB = "burla/test/jobs/job";
const below = (documents: Documents, kind: string) => documents.below(`${JOB}/${kind}`);

function writerTo(documents: Documents) {
  const store = new PatientStore(documents.asStore);
  const nobody = () => Promise.reject(new Error("no value is large"));
  let stored = 0;
  const errors: unknown[] = [];
  let fail: () => void = () => undefined;
  const failure = new Promise<void>((resolve) => (fail = resolve));
  const writer = new InputWriter({
    store, job: JOB, payloads: new Payloads(store, JOB, { put: nobody, get: nobody }),
    stored: (chunks) => (stored = chunks),
    failed: (error) => {
      errors.push(error);
      fail();
    },
  });
  const push = (chunkId: number) => writer.push({ chunkId, first: chunkId, count: 1, body: new Uint8Array([chunkId]) });
  return { writer, push, errors, failure, stored: () => stored };
}

test("a commit leaves a receipt, which goes with the next one, the last with the end of the inputs", async () => {
  const documents = new Documents();
  const { writer, push, stored, errors } = writerTo(documents);
  const receipts: number[] = [];
  documents.losesAnswer = () => (receipts.push(below(documents, "receipts").length), false);
  push(0);
  await writer.flushed();
  push(1);
  await writer.flushed();
  assert.deepEqual([below(documents, "chunks").length, stored(), errors], [2, 2, []]);
  assert.deepEqual(receipts, [1, 0, 1, 0]);
});

test("chunks of a commit whose answer was lost are there once", async () => {
  const documents = new Documents();
  const { writer, push, stored, errors } = writerTo(documents);
  documents.losesAnswer = () => documents.commits === 1;
  push(0);
  push(1);
  await writer.flushed();
  assert.deepEqual([below(documents, "chunks").length, stored(), errors], [2, 2, []]);
  assert.deepEqual(below(documents, "receipts"), []);
});

test("nor do they come back when nodes have answered and removed them before the second attempt", async () => {
  const documents = new Documents();
  const { writer, push, stored, errors } = writerTo(documents);
  documents.losesAnswer = () => {
    if (documents.commits > 1) return false;
    void documents.commit(below(documents, "chunks").map((path) => ({ op: "delete", path })));
    return true;
  };
  push(0);
  push(1);
  await writer.flushed();
  assert.deepEqual([below(documents, "chunks"), stored(), errors], [[], 2, []]);
});

test("a commit that somebody else is in the way of, without a receipt, is a failure", async () => {
  const documents = new Documents();
  documents.commit = () => Promise.reject(refusal(ALREADY_EXISTS));
  const { writer, push, errors, failure } = writerTo(documents);
  push(0);
  await failure;
  writer.close();
  assert.match(String(errors[0]), /code 6/);
});
