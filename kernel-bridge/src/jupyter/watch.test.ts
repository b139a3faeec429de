import assert from "node:assert/strict";
import { test } from "node:test";
import { stepFor, type Silence } from "./watch.ts";

const quiet: Silence = { isConnected: true, state: "busy", isAsked: false, misses: 0 };

test("a kernel that is busy, or of which nothing is known, is asked, again and again", () => {
  for (const state of ["busy", "unknown"] as const) for (const isAsked of [false, true]) assert.equal(stepFor({ ...quiet, state, isAsked }), "ask");
});

test("a free kernel that does not answer is on a dead line", () => {
  assert.equal(stepFor({ ...quiet, state: "free" }), "ask");
  assert.equal(stepFor({ ...quiet, state: "free", isAsked: true }), "reconnect");
});

test("a kernel that the server does not know is no more", () => {
  assert.equal(stepFor({ ...quiet, state: "gone" }), "bury");
});

test("a server that is not reached twice is on a dead line, and on one that is known to be down there is nothing to do", () => {
  assert.equal(stepFor({ ...quiet, state: "unreachable", misses: 1 }), "wait");
  assert.equal(stepFor({ ...quiet, state: "unreachable", misses: 2 }), "reconnect");
  assert.equal(stepFor({ ...quiet, isConnected: false }), "wait");
});
