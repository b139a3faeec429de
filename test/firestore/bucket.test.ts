/** Large values of a cluster that names a bucket lie there, and not in main. */
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { remoteParallelMap } from "burla";
import { StorageEmulator } from "../emulators/storage/emulator.ts";
import { useFirestoreCluster } from "../support/firestore.ts";

const BUCKET = "burla-values";
const SIZE = 3_000_000;

const storage = await StorageEmulator.start(BUCKET);
process.env["STORAGE_EMULATOR_HOST"] = storage.host;
const cluster = useFirestoreCluster({ nodes: 1, bucket: BUCKET });
after(() => storage.close());

test("inputs and results of 3 MB travel through the bucket", async () => {
  const [value] = await remoteParallelMap((bytes: Uint8Array) => bytes.map((byte) => byte + 1), [new Uint8Array(SIZE).fill(41)]).toArray();
  assert.equal(value?.byteLength, SIZE);
  assert.ok(value.every((byte) => byte === 42));
  const kept = [...(storage.buckets.get(BUCKET) ?? [])];
  assert.deepEqual(kept.map(([, { byteLength }]) => byteLength >= SIZE), [true, true], "the input and the result");
  assert.ok(kept.every(([name]) => name.startsWith("burla/local/values/")), kept.map(([name]) => name).join());
  const blobs = join(cluster.directory, "blobs");
  assert.ok(readdirSync(blobs).every((name) => statSync(join(blobs, name)).size < SIZE), "main keeps none of them");
});
