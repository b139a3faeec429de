import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { fullLineText, lineText, LogWindow } from "./log-lines.ts";

const line = (index: number) => ({ index, origin: "call" as const, stream: "stdout" as const, timeMs: 0, nodeId: "local-0", text: `line ${index}` });
const add = (window: LogWindow, from: number, to: number) => {
  for (let index = from; index < to; index++) window.add(line(index));
};

describe("the window of a log", () => {
  it("hands out what is new", () => {
    const window = new LogWindow(10);
    assert.equal(window.take(), null);
    add(window, 0, 3);
    assert.deepEqual(window.take(), { lines: [line(0), line(1), line(2)], leftOut: 0, clear: false });
    assert.equal(window.take(), null);
  });

  it("keeps the newest lines of a long log", () => {
    const window = new LogWindow(10);
    add(window, 0, 1000);
    const batch = window.take();
    assert.deepEqual(batch?.lines.map(({ index }) => index), [990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
    assert.equal(batch?.leftOut, 990);
    assert.equal(batch?.clear, false);
  });

  it("makes room when it is full, and counts what is gone", () => {
    const window = new LogWindow(10);
    add(window, 0, 8);
    window.take();
    add(window, 8, 12);
    assert.deepEqual(window.take(), { lines: [8, 9, 10, 11].map(line), leftOut: 8, clear: true });
    add(window, 12, 14);
    assert.deepEqual(window.take(), { lines: [12, 13].map(line), leftOut: 0, clear: false });
  });
});

describe("a line of a log", () => {
  it("carries the index of its input", () => {
    assert.equal(lineText(line(12)), "[12] line 12");
    assert.equal(lineText({ ...line(-1), text: "loading" }), "loading");
    assert.equal(fullLineText(line(1)), "1970-01-01T00:00:00.000Z stdout [1] line 1\n");
  });
});
