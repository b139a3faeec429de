import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { userFrame } from "./stack.ts";

describe("the user's line in a stack", () => {
  const cases: [string, string, ReturnType<typeof userFrame>][] = [
    ["a named function", "Error: no\n    at score (/a/score.ts:12:9)", { file: "/a/score.ts", line: 12, column: 9 }],
    ["a function without a name", "Error: no\n    at /a/score.ts:12:9", { file: "/a/score.ts", line: 12, column: 9 }],
    ["an async function", "Error: no\n    at async /a/score.ts:12:9", { file: "/a/score.ts", line: 12, column: 9 }],
    ["a file URL", "Error: no\n    at score (file:///a/my%20score.ts:1:2)", { file: "/a/my score.ts", line: 1, column: 2 }],
    ["frames of others first", "Error: no\n    at parse (node:internal/x:1:1)\n    at f (/a/node_modules/p/i.js:3:3)\n    at score (/a/score.ts:5:6)", { file: "/a/score.ts", line: 5, column: 6 }],
    ["a method", "TypeError: x\n    at new Score [as make] (/a/b c/score.ts:7:1)", { file: "/a/b c/score.ts", line: 7, column: 1 }],
    ["a message that looks like a path", "Error: /a/b.ts:1:1 is bad", null],
    ["no place at all", "Error: no\n    at <anonymous>", null],
    ["an empty stack", "", null],
  ];
  for (const [name, stack, expected] of cases) it(`is found with ${name}`, () => assert.deepEqual(userFrame(stack), expected));
});
