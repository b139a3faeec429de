/** How the worker calls what it has loaded. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorker, type TestWorker } from "./testing.ts";

let worker: TestWorker;
before(async () => {
  worker = await startWorker();
});
after(() => worker.stop());

test("a function is called as a plain function is: without a this", async () => {
  await worker.load('export default () => function () { return [this === undefined, typeof arguments[1]]; };');
  assert.deepEqual(await worker.run([1]), [{ value: [true, "object"] }]);
});
