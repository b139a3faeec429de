import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_VIEW_FAILURES } from "../../../cell-view.ts";
import { failedAgain } from "./kept.ts";

const failures = new Map([9, 4, 7].map((position) => [position, new Error("failed")]));

test("of what is asked for only what has failed runs again, in order", () => {
  assert.deepEqual(failedAgain({ failures }, [7, 4, 5], null), [4, 7]);
});

test("asked for none, or for as many as a cell shows, all that failed run again", () => {
  assert.deepEqual(failedAgain({ failures }, [], null), [4, 7, 9]);
  assert.deepEqual(failedAgain({ failures }, Array.from({ length: MAX_VIEW_FAILURES }, (_, index) => 100 + index), null), [4, 7, 9]);
});

test("in an array with gaps, indexes are those of the array", () => {
  const present = [0, 1, 2, 3, 10, 11, 12, 13, 14, 15];
  assert.deepEqual(failedAgain({ failures }, [10, 13, 5], present), [4, 7]);
});
