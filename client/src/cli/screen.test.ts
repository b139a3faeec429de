import assert from "node:assert/strict";
import { test } from "node:test";
import { Screen } from "./screen.ts";

function screen(size: { columns?: number; rows?: number }) {
  const written: string[] = [];
  return { written, screen: new Screen({ ...size, write: (text) => void written.push(text) }) };
}

test("each drawing takes the place of the one before, in one write", () => {
  const { written, screen: it } = screen({ columns: 80, rows: 24 });
  it.draw("one\ntwo\nthree");
  it.draw("four");
  it.draw("five");
  assert.deepEqual(written, ["\u001b[0Jone\ntwo\nthree\n", "\u001b[3A\u001b[0Jfour\n", "\u001b[1A\u001b[0Jfive\n"]);
});

test("what does not fit is cut, and said to be", () => {
  const { written, screen: it } = screen({ columns: 10, rows: 5 });
  it.draw(["a".repeat(9), "b".repeat(10), "c", "d", "e"].join("\n"));
  assert.deepEqual(written, [`\u001b[0J${"a".repeat(9)}\n${"b".repeat(8)}…\nc\n… 2 more lines\n`]);
  it.draw("f");
  assert.match(written[1] ?? "", /^\u001b\[4A/);
});

test("a terminal that does not say its size", () => {
  const { written, screen: it } = screen({});
  it.draw("x".repeat(100));
  assert.equal(written[0]?.length, "\u001b[0J".length + 79 + 1);
});
