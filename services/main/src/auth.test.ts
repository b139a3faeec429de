import assert from "node:assert/strict";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";
import { newToken } from "@burla/protocol";
import { identify, type Identity } from "./auth.ts";
import { JOB_ID } from "./testing.ts";

const owner = newToken();
const node = newToken();
const job = newToken();
const tokens = { owner, node, jobs: () => [{ jobId: JOB_ID, token: job }] };

const cases: [string, string | undefined, Identity | null][] = [
  ["the owner's token", `Bearer ${owner}`, { role: "owner", person: null }],
  ["the nodes' token", `Bearer ${node}`, { role: "node" }],
  ["a job's token", `Bearer ${job}`, { role: "worker", jobId: JOB_ID }],
  ["the scheme in small letters", `bearer ${owner}`, { role: "owner", person: null }],
  ["no header", undefined, null],
  ["an empty header", "", null],
  ["the token alone", owner, null],
  ["another scheme", `Basic ${owner}`, null],
  ["two spaces", `Bearer  ${owner}`, null],
  ["something behind it", `Bearer ${owner} `, null],
  ["a line break behind it", `Bearer ${owner}\n`, null],
  ["a part of it", `Bearer ${owner.slice(0, -1)}`, null],
  ["one character more", `Bearer ${owner}a`, null],
  ["an empty token", "Bearer ", null],
  ["another token", `Bearer ${newToken()}`, null],
  ["a token of a thousand characters", `Bearer ${"a".repeat(1000)}`, null],
];
for (const [what, header, expected] of cases) {
  test(`${what} is ${expected === null ? "nobody" : expected.role}`, () => assert.deepEqual(identify(header, tokens), expected));
}

test("tokens are compared in constant time", (t) => {
  const compare = t.mock.method(crypto, "timingSafeEqual");
  syncBuiltinESMExports();
  try {
    identify(`Bearer ${newToken()}`, tokens);
    assert.equal(compare.mock.callCount(), 3);
  } finally {
    compare.mock.restore();
    syncBuiltinESMExports();
  }
});
