import assert from "node:assert/strict";
import { test } from "node:test";
import { EventQueue } from "./event-queue.ts";
import type { KernelEvent } from "./kernel.ts";

const text = (value: string, name: "stdout" | "stderr" = "stdout"): KernelEvent => ({ type: "stream", name, text: value });
const OVER: KernelEvent = { type: "ended", outcome: "ok" };

async function all(queue: EventQueue): Promise<KernelEvent[]> {
  const events: KernelEvent[] = [];
  for await (const event of queue) events.push(event);
  return events;
}

test("events come in their order, and none after the end", async () => {
  const queue = new EventQueue();
  queue.push({ type: "started", executionCount: 1 });
  queue.push(text("a"));
  queue.push(OVER);
  queue.push(text("too late"));
  assert.deepEqual(await all(queue), [{ type: "started", executionCount: 1 }, text("a"), OVER]);
});

test("unread text of one stream is joined, that of two is not", async () => {
  const queue = new EventQueue();
  for (const event of [text("a"), text("b"), text("c", "stderr"), text("d"), OVER]) queue.push(event);
  assert.deepEqual(await all(queue), [text("ab"), text("c", "stderr"), text("d"), OVER]);
});

test("a reader who is first waits, and sees text as it comes", async () => {
  const queue = new EventQueue();
  const reader = queue[Symbol.asyncIterator]();
  const first = reader.next();
  queue.push(text("a"));
  assert.deepEqual((await first).value, text("a"));
  queue.push(text("b"));
  assert.deepEqual((await reader.next()).value, text("b"));
});

test("a million lines that nobody reads are few events, and all text is there", async () => {
  const queue = new EventQueue();
  for (let i = 0; i < 1_000_000; i++) queue.push(text("0123456789\n"));
  queue.push(OVER);
  const events = await all(queue);
  assert.ok(events.length < 1_000, `${events.length} events`);
  assert.equal(events.reduce((sum, event) => sum + (event.type === "stream" ? event.text.length : 0), 0), 11_000_000);
});
