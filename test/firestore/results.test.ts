/** A local cluster whose queue is in Firestore: the same function as everywhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { useFirestoreCluster } from "../support/firestore.ts";
import { numbers } from "../support/inputs.ts";

useFirestoreCluster();

test("a thousand inputs, each once, in their order", async () => {
  const results = await remoteParallelMap((x: number) => x * 2, numbers(1000)).toArray();
  assert.deepEqual(results, numbers(1000).map((x) => x * 2));
});
