/** A commit whose answer is lost is made again by `PatientStore`, and its chunks must not come twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Payloads } from "../payloads.ts";
import { PatientStore } from "../patient-store.ts";
import type { DocumentStore, Version, Write } from "../store.ts";
import { InputWriter } from "./input-writer.ts";

const JOB = "burla/test/jobs/job";
/** gRPC's numbers. */
const [ALREADY_EXISTS, UNAVAILABLE] = [6, 14];

/** The rules of creating and deleting documents, and answers that get lost. */
class Documents implements Pick<DocumentStore, "commit" | "get"> {
  readonly paths = new Set<string>();
  commits = 0;
  /** Called when a commit was made and before it is answered; returns whether the answer is lost. */
  losesAnswer: () => boolean = () => false;

  commit(writes: readonly Write[]): Promise<Version[]> {
    this.commits++;
    if (writes.some(({ op, path }) => op === "create" && this.paths.has(path))) return Promise.reject(refusal(ALREADY_EXISTS));
    for (const { op, path } of writes) {
      if (op === "delete") this.paths.delete(path);
      else this.paths.add(path);
    }
    return this.losesAnswer() ? Promise.reject(refusal(UNAVAILABLE)) : Promise.resolve(writes.map(() => "1.0"));
  }

  get(paths: readonly string[]) {
    return Promise.resolve(paths.map((path) => (this.paths.has(path) ? { path, id: path, fields: {}, version: "1.0" } : null)));
  }

  below(kind: string): string[] {
    return [...this.paths].filter((path) => path.startsWith(`${JOB}/${kind}/`));
  }
}

const refusal = (code: number) => Object.assign(new Error(`code ${code}`), { code });

function writerTo(documents: Documents) {
  const store = new PatientStore(documents as unknown as DocumentStore);
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
  documents.losesAnswer = () => (receipts.push(documents.below("receipts").length), false);
  push(0);
  await writer.flushed();
  push(1);
  await writer.flushed();
  assert.deepEqual([documents.below("chunks").length, stored(), errors], [2, 2, []]);
  assert.deepEqual(receipts, [1, 0, 1, 0]);
});

test("chunks of a commit whose answer was lost are there once", async () => {
  const documents = new Documents();
  const { writer, push, stored, errors } = writerTo(documents);
  documents.losesAnswer = () => documents.commits === 1;
  push(0);
  push(1);
  await writer.flushed();
  assert.deepEqual([documents.below("chunks").length, stored(), errors], [2, 2, []]);
  assert.deepEqual(documents.below("receipts"), []);
});

test("nor do they come back when nodes have answered and removed them before the second attempt", async () => {
  const documents = new Documents();
  const { writer, push, stored, errors } = writerTo(documents);
  documents.losesAnswer = () => {
    if (documents.commits > 1) return false;
    for (const path of documents.below("chunks")) documents.paths.delete(path);
    return true;
  };
  push(0);
  push(1);
  await writer.flushed();
  assert.deepEqual([documents.below("chunks"), stored(), errors], [[], 2, []]);
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
