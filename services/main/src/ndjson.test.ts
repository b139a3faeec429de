import assert from "node:assert/strict";
import { test } from "node:test";
import { streamOf, withSignsOfLife } from "./ndjson.ts";

async function* texts(...parts: (string | Promise<string>)[]): AsyncGenerator<string> {
  for (const part of parts) yield await part;
}

test("a silence is broken by empty lines, and loses and doubles nothing", async () => {
  let say: (text: string) => void = () => undefined;
  const later = new Promise<string>((resolve) => (say = resolve));
  const lines = withSignsOfLife(texts("a\n", later, "c\n"), 5);
  assert.equal((await lines.next()).value, "a\n");
  assert.equal((await lines.next()).value, "\n");
  assert.equal((await lines.next()).value, "\n");
  say("b\n");
  const rest: string[] = [];
  for await (const line of lines) if (line !== "\n") rest.push(line);
  assert.deepEqual(rest, ["b\n", "c\n"]);
});

test("it reads on only as somebody takes, and is told when nobody does any more", async () => {
  let taken = 0;
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield `${++taken}\n`;
  }
  const abort = new AbortController();
  const reader = streamOf(endless(), abort).getReader();
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), "1\n");
  await new Promise(setImmediate);
  assert.ok(taken <= 2, `${taken} were made`);
  await reader.cancel();
  assert.ok(abort.signal.aborted);
});
