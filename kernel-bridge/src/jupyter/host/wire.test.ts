import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, requestOf, statusFrame } from "./wire.ts";

const KEY = "the key of the connection file";

function framesOf(key: string): Buffer[] {
  return [Buffer.from("a routing id"), ...encode(key, { ...requestOf("execute_request", "me", { code: "é" }), parent_header: { session: "you" } }).map((part) => Buffer.from(part))];
}

test("what is signed is read again, with who asked for it", () => {
  const parsed = decode(KEY, framesOf(KEY));
  assert.ok(parsed !== undefined);
  assert.equal(parsed.type, "execute_request");
  assert.equal(parsed.parentSession, "you");
  const frame = JSON.parse(parsed.frame("shell")) as Record<string, { code?: string }>;
  assert.equal(frame["channel"], "shell");
  assert.equal(frame["content"]?.code, "é");
});

test("what another key has signed, or what was changed on its way, is not read", () => {
  assert.equal(decode(KEY, framesOf("another key")), undefined);
  const changed = framesOf(KEY);
  changed[6] = Buffer.from('{"code":"rm -r /"}');
  assert.equal(decode(KEY, changed), undefined);
});

test("what is no message is not read", () => {
  assert.equal(decode(KEY, []), undefined);
  assert.equal(decode(KEY, [Buffer.from("<IDS|MSG>")]), undefined);
  assert.equal(decode(KEY, framesOf(KEY).slice(0, 5)), undefined);
});

test("a status that the host tells looks like one of the kernel", () => {
  const frame = JSON.parse(statusFrame("dead", "host")) as { channel: string; header: { msg_type: string }; content: { execution_state: string } };
  assert.deepEqual([frame.channel, frame.header.msg_type, frame.content.execution_state], ["iopub", "status", "dead"]);
});
