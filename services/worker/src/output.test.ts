/** What calls print, in the real worker program, and whose it is. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, test } from "node:test";
import { LOG_BURST_LINES, MAX_LOG_LINE_BYTES } from "@burla/protocol";
import { startWorker, type TestWorker } from "./testing.ts";

/** Each call runs the text that is its input; `step(n)` resolves when the steps before it have been taken. */
const CODE = `
import fs from "node:fs";
import { execSync } from "node:child_process";
const AsyncFunction = (async () => {}).constructor;
let taken = 0;
const waiting = new Map();
const step = (n) => new Promise((resolve) => { waiting.set(n, resolve); go(); });
const go = () => { const next = waiting.get(taken); if (next) { waiting.delete(taken); taken++; next(); setImmediate(go); } };
export default () => {
  setTimeout(() => console.log("outside"), 0);
  return (code) => { if (code === "reset") { taken = 0; return; } return new AsyncFunction("fs", "execSync", "step", code)(fs, execSync, step); };
};
`;

let worker: TestWorker;
before(async () => {
  worker = await startWorker();
  await worker.load(CODE, { concurrency: 4 });
});
after(() => worker.stop());

let nextIndex = 0;

/** Runs the texts at once. @returns the lines of each. */
async function print(...codes: string[]): Promise<string[][]> {
  await worker.run(["reset"], { first: nextIndex++ });
  const first = nextIndex;
  nextIndex += codes.length;
  const outcomes = await worker.run(codes, { first });
  for (const outcome of outcomes) assert.ok("value" in outcome, String((outcome as { reason?: unknown }).reason));
  // What is sent behind the results' message is here when the next answer is.
  await worker.run(["reset"], { first: nextIndex++ });
  return codes.map((_, at) => worker.linesOf(first + at));
}

test("console and both streams, as lines without their newline, in order", async () => {
  const [lines] = await print(`console.log("one"); console.error("two"); process.stdout.write("three\\nfour\\n"); console.log({ a: [1] });`);
  assert.deepEqual(lines, ["one", "two", "three", "four", "{ a: [ 1 ] }"]);
  const at = nextIndex - 2;
  assert.deepEqual(worker.linesOf(at, 2), ["two"]);
});

test("a partial line grows until its newline, or until its call ends", async () => {
  const [lines] = await print(`process.stdout.write("a"); process.stdout.write("b\\nc"); process.stderr.write("err"); await null; process.stdout.write("d");`);
  assert.deepEqual(lines?.sort(), ["ab", "cd", "err"]);
});

test("concurrent calls that take turns keep their own lines", async () => {
  const turns = (name: string, steps: number[]) => steps.map((n) => `await step(${n}); process.stdout.write("${name}${n} ");`).join(" ");
  const [a, b] = await print(turns("a", [0, 2, 4]), turns("b", [1, 3, 5]));
  assert.deepEqual([a, b], [["a0 a2 a4 "], ["b1 b3 b5 "]]);
});

test("a character that is split over writes is whole again, also while another call prints", async () => {
  const half = (from: number, to: number) => `process.stdout.write(Buffer.from("é€😀").subarray(${from}, ${to}));`;
  const [a, b] = await print(`await step(0); ${half(0, 1)} await step(2); ${half(1, 4)} await step(4); ${half(4, 9)}`, `await step(1); ${half(0, 3)} await step(3); ${half(3, 9)} await step(5);`);
  assert.deepEqual([a, b], [["é€😀"], ["é€😀"]]);
});

test("binary and other encodings become text, and a cut character is marked", async () => {
  const [lines] = await print(`process.stdout.write("6869", "hex"); process.stdout.write(Uint8Array.of(0x0a, 0xff, 0x0a)); process.stdout.write(Buffer.from([0xe2, 0x82]));`);
  assert.deepEqual(lines, ["hi", "\ufffd", "\ufffd"]);
});

test("a write calls back", async () => {
  const [lines] = await print(`await new Promise((resolve) => process.stdout.write("x", resolve)); await new Promise((resolve) => process.stdout.write("y", "utf8", resolve)); console.log(process.stdout.write("z"));`);
  assert.deepEqual(lines, ["xyztrue"]);
});

test("native writes and those of child processes belong to the call", async () => {
  const [lines] = await print(`fs.writeSync(1, "native\\n"); execSync("echo child; echo oops >&2", { stdio: "inherit" }); process.stdout.write("tail");`);
  assert.deepEqual(lines?.sort(), ["child", "native", "oops", "tail"]);
});

test("much native output is cut with a notice, and its file does not grow", async () => {
  const [lines] = await print(`const mib = Buffer.alloc(1 << 20, "x"); mib[99] = 10; fs.writeSync(1, mib); fs.writeSync(1, mib); fs.writeSync(1, "end\\n");`, `fs.writeSync(1, "after\\n");`);
  assert.ok(statSync(worker.stdoutFile).size < 1 << 20);
  assert.equal(lines?.[0], "x".repeat(99));
  assert.ok(lines.some((line) => /… \d+ bytes were dropped/.test(line)));
});

test("a line is cut at its limit, and says how long it was", async () => {
  const [lines] = await print(`console.log("x".repeat(${MAX_LOG_LINE_BYTES}));  console.log("y".repeat(${MAX_LOG_LINE_BYTES + 1}));`);
  assert.equal(lines?.[0]?.length, MAX_LOG_LINE_BYTES);
  assert.equal(lines[1], `${"y".repeat(MAX_LOG_LINE_BYTES)}… (${MAX_LOG_LINE_BYTES + 1} characters)`);
});

test("a line without an end takes no more memory than its limit", async () => {
  const [lines] = await print(`for (let at = 0; at < 200; at++) process.stdout.write("z".repeat(10_000)); process.stdout.write("\\n");`);
  assert.equal(lines?.length, 1);
  assert.ok((lines[0]?.length ?? 0) <= MAX_LOG_LINE_BYTES + 100);
});

test("a line that is written over is one line, and its states are sent now and then", async () => {
  const bar = (mark: string) => `for (let at = 0; at <= 2000; at++) { process.stdout.write("\\r${mark}" + at); if (at % 100 === 0) await null; }`;
  const [a, b, behind, windows, erased, native] = await print(
    `${bar("a")} process.stdout.write("\\n"); console.log("next");`, bar("b"),
    `for (let at = 0; at < 3; at++) process.stdout.write(at + "%\\r");`, `process.stdout.write("one\\r\\ntwo\\r"); process.stdout.write("\\nthree\\n");`,
    `process.stdout.write("1%\\u001b[2K\\u001b[1G2%\\n"); process.stdout.write("\\r    \\r");`,
    `fs.writeSync(1, "1%\\r2%\\r"); await new Promise((resolve) => setTimeout(resolve, 20)); fs.writeSync(1, "3%\\n4%\\r");`,
  );
  assert.deepEqual(a?.filter((line) => !line.endsWith("\r")), ["a2000", "next"]);
  assert.deepEqual(b?.filter((line) => !line.endsWith("\r")), ["b2000"]);
  for (const lines of [a, b]) {
    const states = lines?.filter((line) => line.endsWith("\r")) ?? [];
    assert.ok(states.length >= 1 && states.length < 20, `${states.length} states`);
    assert.match(states[0] ?? "", /^[ab]0\r$/);
  }
  assert.deepEqual([behind?.at(-1), windows, erased], ["2%", ["one", "two", "three"], ["2%"]]);
  assert.deepEqual(native, ["3%", "4%"]);
});

test("what is printed outside of any call belongs to none", async () => {
  await worker.until(() => worker.linesOf(-1).includes("outside"));
});

test("lines beyond the burst are dropped and counted", async () => {
  const before = worker.lines.length;
  const count = 4 * LOG_BURST_LINES;
  await print(`process.stdout.write("x\\n".repeat(${count}));`);
  await worker.until(() => worker.lines.length - before + worker.droppedLines >= count);
  assert.equal(worker.lines.length - before + worker.droppedLines, count);
  assert.ok(worker.droppedLines > 0);
  assert.ok(worker.lines.length - before >= LOG_BURST_LINES / 2);
});
