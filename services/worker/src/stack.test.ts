import assert from "node:assert/strict";
import { test } from "node:test";
import { EVALUATED_SCHEME } from "@burla/protocol";
import { userStack } from "./stack.ts";

test("a stack names code that stands in no file as its session does, and leaves out Node's own frames", () => {
  const stack = [
    "TypeError: no",
    `    at <anonymous> (${EVALUATED_SCHEME}REPL13:1:63)`,
    `    at ${EVALUATED_SCHEME}a%20cell:2:1`,
    "    at score (/home/you/score.ts:12:9)",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
  ].join("\n");
  assert.equal(userStack(stack), ["TypeError: no", "    at <anonymous> (REPL13:1:63)", "    at a cell:2:1", "    at score (/home/you/score.ts:12:9)"].join("\n"));
});
