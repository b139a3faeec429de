import assert from "node:assert/strict";
import { test } from "node:test";
import { nextClaimMs, wantsChunk, type NodeLoad } from "./sizing.ts";

const load = (changes: Partial<NodeLoad>): NodeLoad => ({ workers: 1, concurrency: 1, outstanding: 0, waiting: 0, stalled: false, callTime: { callMs: 10, calls: 64 }, claimMs: 20, ...changes });

test("a node has so much work ahead that its workers are busy while it leases more", () => {
  assert.equal(wantsChunk(load({ waiting: 19 })), true);
  assert.equal(wantsChunk(load({ waiting: 20 })), false);
  assert.equal(wantsChunk(load({ waiting: 59, claimMs: 300 })), true);
  assert.equal(wantsChunk(load({ waiting: 60, claimMs: 300 })), false);
  assert.equal(wantsChunk(load({ waiting: 200, claimMs: 60_000 })), false, "within bounds");
});

test("nobody waits behind long calls", () => {
  const long = { callTime: { callMs: 1_000, calls: 64 }, claimMs: 5_000 };
  assert.equal(wantsChunk(load(long)), true);
  assert.equal(wantsChunk(load({ ...long, outstanding: 1 })), false);
});

test("the time of a lease is a running mean", () => {
  assert.equal(nextClaimMs(0, 80), 80);
  assert.equal(nextClaimMs(80, 160), 100);
});
