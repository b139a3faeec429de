import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { createOutput, progressText, tagOf } from "./output.ts";
import type { LogLine, Progress } from "./types.ts";

const PROGRESS: Progress = {
  jobId: "job-1", phase: "running", reason: "", nodes: 1, workers: 2, pushed: 2000, running: 3, done: 500, failed: 0, total: 1000, lostWorkers: 0,
};
const HALF = "━".repeat(12) + "╌".repeat(12);

const golden: [Partial<Progress>, number, string][] = [
  [{ phase: "waiting", reason: "waits for a node: 1 of 2 nodes starting" }, 0, "score  waits for a node: 1 of 2 nodes starting"],
  [{ phase: "waiting" }, 0, "score  waiting"],
  [{ phase: "interrupted" }, 0, "score  interrupted"],
  [{}, 0, `score  ${HALF} 500/1,000`],
  [{}, 1000, `score  ${HALF} 500/1,000  500/s  about 1 s left`],
  [{ failed: 12 }, 100_000, `score  ${HALF} 512/1,000  12 failed  5.1/s  about 2 min left`],
  [{ done: 1 }, 10_000_000, `score  ${"╌".repeat(24)} 1/1,000  0.0/s  about 2775.0 h left`],
  [{ total: null, pushed: 20_000, done: 12_345 }, 2000, "score  12,345 of so far 20,000  6,173/s"],
  [{ done: 1000 }, 4000, `score  ${"━".repeat(24)} 1,000/1,000  250/s`],
  [{ total: 0, done: 0 }, 10, `score  ${"╌".repeat(24)} 0/0`],
];
for (const [change, elapsedMs, expected] of golden) {
  test(`progress reads: ${expected}`, () => assert.equal(progressText("score", { ...PROGRESS, ...change }, elapsedMs), expected));
}

test("a line carries the index of its input; one outside of any call has none", () => {
  assert.equal(tagOf({ index: 12, origin: "call" }), "[12] ");
  assert.equal(tagOf({ index: -1, origin: "setup" }), "[setup] ");
  assert.equal(tagOf({ index: -1, origin: "other" }), "");
});

const LINE: LogLine = { index: 3, origin: "call", stream: "stdout", text: "hello", time: new Date(0), node: "n-1" };

test("lines and progress go to the functions of the user, and nowhere else", (t) => {
  const written = t.mock.method(process.stdout, "write", () => true);
  const [lines, reports]: [LogLine[], Progress[]] = [[], []];
  const output = createOutput({ name: "n", onLog: (line) => lines.push(line), progress: (progress) => reports.push(progress) });
  output.line(LINE);
  output.progress(PROGRESS);
  output.end();
  const count = written.mock.callCount();
  written.mock.restore();
  assert.deepEqual([lines, reports, count], [[LINE], [PROGRESS], 0]);
});

test("by default lines are printed where they were printed, tagged", (t) => {
  const texts: string[] = [];
  const out = t.mock.method(process.stdout, "write", (text: string) => texts.push(`out ${text}`) > 0);
  const err = t.mock.method(process.stderr, "write", (text: string) => texts.push(`err ${text}`) > 0);
  const output = createOutput({ name: "n", onLog: undefined, progress: false });
  output.line(LINE);
  output.line({ ...LINE, index: -1, origin: "other", stream: "stderr" });
  output.progress(PROGRESS);
  output.end();
  out.mock.restore();
  err.mock.restore();
  assert.deepEqual(texts, ["out [3] hello\n", "err hello\n"]);
});

describe("the line of progress", () => {
  const BELOW = { ...PROGRESS, done: 250 };
  const WAITS: Progress = { ...PROGRESS, phase: "waiting", reason: "waits for a node" };
  let texts: string[];

  beforeEach(() => {
    texts = [];
    mock.timers.enable({ apis: ["setTimeout"] });
    mock.method(performance, "now", () => nowMs);
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream) as (chunk: Uint8Array) => boolean;
      // What is no text is what the test's own process reports.
      mock.method(stream, "write", (chunk: string | Uint8Array) => (typeof chunk === "string" ? texts.push(chunk) > 0 : write(chunk)));
    }
    nowMs = 0;
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
    Object.defineProperty(process.stderr, "isTTY", { value: isTTY, configurable: true });
  });
  let nowMs = 0;
  const isTTY = process.stderr.isTTY;
  const pass = (ms: number) => {
    nowMs += ms;
    mock.timers.tick(ms);
  };
  const start = (terminal: boolean) => {
    Object.defineProperty(process.stderr, "isTTY", { value: terminal, configurable: true });
    return createOutput({ name: "n", onLog: undefined, progress: true });
  };
  const taken = () => texts.splice(0).join("");

  test("shows the last state of a burst in a terminal, also when nothing follows", () => {
    const output = start(true);
    output.progress({ ...PROGRESS, done: 0 });
    taken();
    output.progress(BELOW);
    output.progress(PROGRESS);
    pass(1_000);
    assert.match(taken(), /^\r\u001b\[2Kn .*500\/1,000[^\r]*$/);
    output.end();
  });

  test("comes again below what is printed, and leaves alone what has no end yet", () => {
    const output = start(true);
    output.progress(PROGRESS);
    taken();
    process.stdout.write("a line\n");
    pass(1_000);
    assert.match(taken(), /^\r\u001b\[2Ka line\n\r\u001b\[2Kn .*500/);
    process.stdout.write("half a ");
    taken();
    output.progress(BELOW);
    pass(1_000);
    assert.equal(taken(), "");
    process.stdout.write("line\n");
    output.progress(BELOW);
    pass(1_000);
    assert.match(taken(), /^line\n\r\u001b\[2Kn .*250/);
    output.end();
  });

  test("without a terminal is printed now and then, and at once when the job waits, or goes on", () => {
    const output = start(false);
    for (const progress of [WAITS, WAITS, { ...WAITS, reason: "waits for a job" }, BELOW, PROGRESS]) output.progress(progress);
    assert.deepEqual(taken().split("\n").map((line) => line.slice(3, 18)), ["waits for a nod", "waits for a job", "━━━━━━╌╌╌╌╌╌╌╌╌", ""]);
    pass(10_000);
    assert.match(taken(), /^n {2}.*500\/1,000[^\n]*\n$/);
    pass(10_000);
    assert.equal(taken(), "");
    output.end();
  });
});
