import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelEvent } from "@burla/kernel-bridge";
import type { Change, Output } from "./messages.ts";
import { CellOutputs, Displays, MAX_STREAM_CHARACTERS } from "./outputs.ts";

const out = (text: string): KernelEvent => ({ type: "stream", name: "stdout", text });
const err = (text: string): KernelEvent => ({ type: "stream", name: "stderr", text });
const display = (text: string, displayId: string | null = null): KernelEvent => ({ type: "display", data: { "text/plain": text }, metadata: {}, displayId });
const update = (text: string, displayId: string): KernelEvent => ({ type: "displayUpdate", data: { "text/plain": text }, metadata: {}, displayId });

function cell(displays = new Displays()): { readonly outputs: CellOutputs; readonly spooled: string[]; say(...events: KernelEvent[]): Change[] } {
  const spooled: string[] = [];
  const outputs = new CellOutputs(displays, (text) => {
    spooled.push(text);
    return "/tmp/output.log";
  });
  return {
    outputs,
    spooled,
    say: (...events) => {
      for (const event of events) outputs.apply(event);
      return outputs.take();
    },
  };
}

test("a hundred thousand lines are one change", () => {
  const { say } = cell();
  const changes = say(...Array.from({ length: 100_000 }, (_, n) => out(`line ${n}\n`)));
  assert.equal(changes.length, 1);
  const [change] = changes;
  assert.ok(change?.op === "append" && change.output.kind === "stream");
  assert.equal(change.output.text.split("\n").length, 100_001);
});

test("streams keep their order among each other and other outputs", () => {
  const { say } = cell();
  assert.deepEqual(say(out("a"), out("b"), err("c"), out("d"), display("e"), out("f")).map(shape), ["stdout ab", "stderr c", "stdout d", "e", "stdout f"]);
});

test("more of a stream is told as more, not as the whole again", () => {
  const { say, outputs } = cell();
  const [first] = say(out("one\n"));
  assert.deepEqual(say(out("two\n"), out("three\n")), [{ op: "text", id: first?.op === "append" ? first.id : -1, text: "two\nthree\n" }]);
  assert.deepEqual(outputs.all.map(({ output }) => output), [{ kind: "stream", name: "stdout", text: "one\ntwo\nthree\n" }]);
});

test("a display is replaced in place; of many updates the last one is told", () => {
  const { say, outputs } = cell();
  say(display("0 %", "bar"), out("below"));
  const changes = say(update("10 %", "bar"), update("20 %", "bar"), update("30 %", "bar"));
  assert.deepEqual(changes.map(({ op }) => op), ["replace"]);
  assert.deepEqual(changes.map(shape), ["30 %"]);
  assert.deepEqual(outputs.all.map(({ output }) => text(output)), ["30 %", "stdout below"]);
});

test("an update of what nobody has seen yet changes it where it waits", () => {
  const { say } = cell();
  assert.deepEqual(say(display("0 %", "bar"), update("100 %", "bar")).map((change) => [change.op, shape(change)]), [["append", "100 %"]]);
});

test("an update from a later cell reaches the display of an earlier one, wherever it was shown", () => {
  const displays = new Displays();
  const [first, second] = [cell(displays), cell(displays)];
  const shown = [...first.say(display("old", "x"), display("old", "x"))].map((change) => (change.op === "append" ? change.id : -1));
  const changes = second.say(update("new", "x"), update("nobody", "unknown"));
  assert.deepEqual(changes.map((change) => (change.op === "replace" ? change.id : -1)), shown);
});

test("clearing removes what there is, or waits for what comes next", () => {
  const { say, outputs } = cell();
  say(out("a"), display("b", "d"));
  assert.deepEqual(say({ type: "clear", wait: true }), []);
  assert.deepEqual(say(out("c")).map(({ op }) => op), ["clear", "append"]);
  assert.deepEqual(say({ type: "clear", wait: false }), [{ op: "clear" }]);
  assert.deepEqual(outputs.all, []);
  assert.deepEqual(say(update("gone", "d")), []);
});

test("what is too long for a cell goes to the spool, which the cell names once", () => {
  const { say, outputs, spooled } = cell();
  say(out("x".repeat(MAX_STREAM_CHARACTERS - 2)), out("12345"), out("678"));
  assert.deepEqual(spooled, ["345", "678"]);
  const texts = outputs.all.map(({ output }) => text(output));
  assert.equal(texts[0]?.length, "stdout ".length + MAX_STREAM_CHARACTERS);
  assert.match(texts[1] ?? "", /all that follows is in \/tmp\/output\.log/);
  assert.equal(texts.length, 2);
});

function shape(change: Change): string {
  return change.op === "append" || change.op === "replace" ? text(change.output) : change.op;
}

function text(output: Output): string {
  if (output.kind === "stream") return `${output.name} ${output.text}`;
  return output.kind === "error" ? output.message : String(output.data["text/plain"]);
}
