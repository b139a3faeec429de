import assert from "node:assert/strict";
import { test } from "node:test";
import { commitOnce } from "./commit-once.ts";
import { PatientStore } from "./patient-store.ts";
import { ConflictError } from "./store.ts";
import { Documents } from "./testing.ts";

const CHUNK = "jobs/job/chunks/one";

/** A store with one chunk of version 1, and the way to it that tries again. */
async function storeWithChunk() {
  const documents = new Documents();
  await documents.commit([{ op: "create", path: CHUNK, fields: { owner: "", freeAt: 0 } }]);
  return { documents, store: new PatientStore(documents.asStore) };
}

const claim = (owner: string) => ({ op: "update", path: CHUNK, fields: { owner, freeAt: 7.5, open: new Uint8Array(1) }, version: "1.0" }) as const;

test("an answer that comes is passed on", async () => {
  const { store } = await storeWithChunk();
  assert.deepEqual(await commitOnce(store, [claim("me")]), { versions: ["2.0"] });
});

test("an update whose answer was lost is found by what it wrote", async () => {
  const { documents, store } = await storeWithChunk();
  documents.losesAnswer = () => documents.commits === 2;
  const made = await commitOnce(store, [claim("me")]);
  assert.ok("trace" in made && made.trace.version === "2.0");
});

test("an update that another was faster with is refused", async () => {
  const { store } = await storeWithChunk();
  await store.commit([claim("other")]);
  await assert.rejects(commitOnce(store, [claim("me")]), ConflictError);
});

test("so is one that another has written over after its answer was lost", async () => {
  const { documents, store } = await storeWithChunk();
  documents.losesAnswer = () => {
    if (documents.commits > 2) return false;
    void documents.commit([{ ...claim("other"), version: "2.0" }]);
    return true;
  };
  await assert.rejects(commitOnce(store, [claim("me")]), ConflictError);
});

test("a commit that creates something is found by that, whatever became of what else it wrote", async () => {
  const { documents, store } = await storeWithChunk();
  documents.losesAnswer = () => documents.commits === 2;
  const made = await commitOnce(store, [{ op: "delete", path: CHUNK, version: "1.0" }, { op: "create", path: "jobs/job/results/a", fields: {} }]);
  assert.ok("trace" in made && made.trace.path === "jobs/job/results/a");
});
