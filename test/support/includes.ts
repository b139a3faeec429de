import assert from "node:assert/strict";

/** The object has these properties; others are not looked at. */
export function assertIncludes(actual: object | undefined, expected: object): void {
  const there = actual as Record<string, unknown> | undefined;
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, there?.[key]])), expected);
}
