/** Large values in a bucket, on a stand-in for Cloud Storage. By main's blobs they travel in the suites `firestore` and `gce`. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BurlaError } from "@burla/protocol";
import { largeValuesOf, type LargeValues } from "@burla/queue";
import { StorageEmulator } from "../emulators/storage/emulator.ts";

const BUCKET = "values.of-burla";
const ROOT = "burla/test";
const VALUE = Buffer.alloc(2_000_000, "value");
const nobody: LargeValues = { put: () => Promise.reject(new Error("main is not asked")), get: () => Promise.reject(new Error("main is not asked")) };

let emulator: StorageEmulator;
before(async () => {
  emulator = await StorageEmulator.start(BUCKET);
});
after(() => emulator.close());

const valuesIn = (name: string) => largeValuesOf({ root: ROOT, bucket: { name, emulator: `http://${emulator.host}` } }, nobody);
const stored = () => emulator.buckets.get(BUCKET)!;

test("a value comes back as it was, and lies below the cluster's folder", async () => {
  const values = valuesIn(BUCKET);
  const name = await values.put(VALUE);
  assert.deepEqual(await values.get(name), new Uint8Array(VALUE));
  assert.ok(stored().has(`${ROOT}/values/${name}`), [...stored().keys()].join());
});

test("the same value twice has two names: nobody removes or writes over what another reads", async () => {
  const values = valuesIn(BUCKET);
  assert.notEqual(await values.put(VALUE), await values.put(VALUE));
});

test("what only passes is tried again", async () => {
  const values = valuesIn(BUCKET);
  emulator.faults.push({ kind: "status", status: 503 }, { kind: "status", status: 429 });
  const name = await values.put(VALUE);
  emulator.faults.push({ kind: "lostAnswer" });
  assert.equal((await values.get(name)).byteLength, VALUE.byteLength);
});

test("an upload whose answer is lost is made once", async () => {
  const before = stored().size;
  emulator.faults.push({ kind: "lostAnswer" });
  const name = await valuesIn(BUCKET).put(VALUE);
  assert.equal(stored().size, before + 1);
  assert.ok(stored().has(`${ROOT}/values/${name}`));
});

test("a bucket that is not there, and one that may not be used, are named", async () => {
  const says = (pattern: RegExp) => (error: unknown) => error instanceof BurlaError && error.code === "BURLA_QUEUE" && pattern.test(error.message);
  await assert.rejects(valuesIn("other-bucket").put(VALUE), says(/other-bucket.*404.*does not exist/s));
  emulator.faults.push({ kind: "status", status: 403 });
  await assert.rejects(valuesIn(BUCKET).get("any"), says(/values\.of-burla.*403/s));
});

test("without a bucket main keeps them", () => {
  assert.equal(largeValuesOf({ root: ROOT, bucket: null }, nobody), nobody);
});
