import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { CurrentExecution, Interrupted } from "./current.ts";

/** Longer than any test: it must not be what ends one. */
const NEVER_MS = 2 ** 30;

const never = new Promise<never>(() => undefined);

/** What a promise has come to by now. */
function watch(promise: Promise<unknown>): { state: string } {
  const seen = { state: "pending" };
  promise.then(() => (seen.state = "resolved"), (error: unknown) => (seen.state = (error as Error).name));
  return seen;
}

/** An interrupt ends it when the clean-up is over, and not before. */
async function assertEndsAfter(cleanUp: () => void, execution: CurrentExecution, result: Promise<unknown>): Promise<void> {
  const seen = watch(result);
  execution.interrupt();
  await turn();
  assert.equal(seen.state, "pending");
  cleanUp();
  await assert.rejects(result, Interrupted);
}

test("without an interrupt, what the code gives or throws is what comes", async () => {
  const execution = new CurrentExecution("cell", false, NEVER_MS);
  assert.equal(await execution.race(Promise.resolve(7)), 7);
  await assert.rejects(execution.race(Promise.reject(new RangeError("own"))), RangeError);
  assert.equal(execution.signal.aborted, false);
});

test("an interrupt ends what waits, and aborts the signal", async () => {
  const execution = new CurrentExecution("cell", false, NEVER_MS);
  const result = execution.race(never);
  execution.interrupt();
  await assert.rejects(result, Interrupted);
  assert.ok(execution.signal.reason instanceof Interrupted);
});

test("code that fails because of the interrupt ends as interrupted, after the clean-up", async () => {
  const execution = new CurrentExecution("cell", false, NEVER_MS);
  let cleaned: () => void = () => undefined;
  execution.signal.addEventListener("abort", () => execution.holdFor(new Promise<void>((resolve) => (cleaned = resolve))));
  const result = execution.race(new Promise((_, reject) => execution.signal.addEventListener("abort", () => reject(new Error("cancelled by its client")))));
  await assertEndsAfter(() => cleaned(), execution, result);
});

test("all clean-ups are waited for, also those that fail", async () => {
  const execution = new CurrentExecution("cell", false, NEVER_MS);
  let cleaned: () => void = () => undefined;
  execution.holdFor(new Promise<void>((resolve) => (cleaned = resolve)));
  execution.holdFor(Promise.reject(new Error("the cluster is gone")));
  const result = execution.race(never);
  await assertEndsAfter(() => cleaned(), execution, result);
});

test("a clean-up that never ends is cut; who shows how it went is told before the end", async () => {
  const execution = new CurrentExecution("cell", false, 5);
  const told: string[] = [];
  execution.onInterrupted(() => told.push("interrupted"));
  execution.holdFor(never);
  const result = execution.race(never).catch((error: Error) => told.push(error.name));
  execution.interrupt();
  await result;
  assert.deepEqual(told, ["interrupted", "Interrupted"]);
});

test("what is asked for after the interrupt ends at once", async () => {
  const execution = new CurrentExecution("cell", false, NEVER_MS);
  execution.interrupt();
  await assert.rejects(execution.race(never), Interrupted);
  await assert.rejects(execution.race(Promise.reject(new Error("late"))), Interrupted);
});
