/** What a call prints appears here, tagged with its input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteParallelMap, type BurlaError, type LogLine, type MapFunction, type MapOptions } from "burla";
import { useCluster } from "../support/cluster.ts";
import { numbers } from "../support/inputs.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();

/** The lines of a job as `index stream text`, sorted by index, in order within it. */
async function linesOf<Input>(fn: MapFunction<Input, unknown>, inputs: Input[], options: MapOptions = {}): Promise<string[]> {
  const lines: LogLine[] = [];
  await remoteParallelMap(fn, inputs, { ...options, onLog: (line) => lines.push(line) }).toArray();
  return lines
    .map((line, at) => ({ ...line, at }))
    .sort((a, b) => a.index - b.index || a.at - b.at)
    .map(({ index, stream, text }) => `${index} ${stream} ${text}`);
}

test("console.log and console.error carry the index of the input and their stream", async () => {
  const lines = await linesOf((x: number) => {
    console.log("out", { x });
    console.error(`err ${x}`);
  }, [0, 1]);
  assert.deepEqual(lines, ["0 stdout out { x: 0 }", "0 stderr err 0", "1 stdout out { x: 1 }", "1 stderr err 1"]);
});

test("lines come whole: partial writes are put together, many lines in one write are cut", async () => {
  const lines = await linesOf(async (x: number) => {
    process.stdout.write(`begin ${x} `);
    await new Promise((resolve) => setTimeout(resolve, 2));
    process.stdout.write("end\nsecond\n\nno newline");
  }, [0]);
  assert.deepEqual(lines, ["0 stdout begin 0 end", "0 stdout second", "0 stdout ", "0 stdout no newline"]);
});

test("write reports to its callback, and a stream can be piped into stdout", async () => {
  const lines = await linesOf(async () => {
    await new Promise<void>((resolve) => process.stdout.write("called back\n", "utf8", () => resolve()));
    const { Readable } = await import("node:stream");
    await new Promise((resolve) => Readable.from(["piped ", "text\n"]).on("end", resolve).pipe(process.stdout, { end: false }));
  }, [0]);
  assert.deepEqual(lines, ["0 stdout called back", "0 stdout piped text"]);
});

test("after an await, and with many calls at once in one worker, each line is its call's", async () => {
  const lines = await linesOf(async (x: number) => {
    console.log(`before ${x}`);
    await new Promise((resolve) => setTimeout(resolve, (x * 7) % 20));
    console.log(`after ${x}`);
  }, numbers(40), { concurrency: 20 });
  assert.deepEqual(lines, numbers(40).flatMap((x) => [`${x} stdout before ${x}`, `${x} stdout after ${x}`]));
});

test("native writes and children's output are the call's that made them", async () => {
  const lines = await linesOf(async (x: number) => {
    const { writeSync } = await import("node:fs");
    const { execSync } = await import("node:child_process");
    writeSync(1, `native ${x}\n`);
    execSync(`echo child ${x}; echo child error ${x} >&2`, { stdio: "inherit" });
  }, [0, 1, 2]);
  assert.deepEqual(lines.sort(), [0, 1, 2].flatMap((x) => [`${x} stderr child error ${x}`, `${x} stdout child ${x}`, `${x} stdout native ${x}`]).sort());
});

test("what is printed after the call ended is still its own", async () => {
  const lines = await linesOf(async (x: number) => {
    if (x === 0) setTimeout(() => console.log("late"), 30);
    else await new Promise((resolve) => setTimeout(resolve, 150));
  }, [0, 1], { maxParallelism: 1 });
  assert.deepEqual(lines, ["0 stdout late"]);
});

test("what the module prints when it is loaded belongs to no input", async () => {
  const { stdout } = await Script.run(cluster, `
    import { writeFileSync } from "node:fs";
    writeFileSync(new URL("./noisy.mjs", import.meta.url), 'console.log("loading"); export const double = (x) => x * 2;');
    const { double } = await import("./noisy.mjs");
    const lines = [];
    const results = await remoteParallelMap(double, [1], { onLog: (line) => lines.push(line.index + " " + line.text) }).toArray();
    console.log(JSON.stringify([results, [...new Set(lines)]]));
  `);
  assert.match(stdout, /\[\[2\],\["-1 loading"\]\]/);
});

test("a hundred thousand lines all arrive, in order", async () => {
  const lines = await linesOf((x: number) => { for (let i = 0; i < 25_000; i++) console.log(i); return x; }, [0, 1, 2, 3]);
  assert.equal(lines.length, 100_000);
  for (const [at, line] of lines.entries()) {
    if (line !== `${Math.floor(at / 25_000)} stdout ${at % 25_000}`) assert.fail(`line ${at} is ${line}`);
  }
});

test("lines of a call that does not end are here while it runs, and before it is killed", async () => {
  const lines: string[] = [];
  const run = remoteParallelMap(() => { console.log("A"); process.stdout.write("no end"); for (;;); }, [0], { timeoutMs: 3_000, onLog: (line) => lines.push(`${line.index} ${line.text}`) });
  const first = run.next();
  first.catch(() => undefined);
  await until("the first line is here", () => lines.length > 0);
  assert.deepEqual(lines, ["0 A"]);
  await assert.rejects(first, (error: BurlaError) => error.code === "BURLA_TIMEOUT");
  assert.deepEqual(lines, ["0 A", "0 no end"]);
});

const inParts = async () => {
  for (let part = 0; part < 500; part++) {
    process.stdout.write("line\n".repeat(1000));
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const atOnce = () => void process.stdout.write("line\n".repeat(500_000));

for (const [how, print] of [["many writes", inParts], ["a single write", atOnce]] as const) {
  test(`beyond the burst, lines are dropped, and it is said how many: ${how}`, async () => {
    const lines = await linesOf(print, [0]);
    assert.ok(lines.length < 500_001);
    const notice = lines.filter((line) => /dropped/.test(line)).map((line) => Number(/(\d[\d,]*) lines? w(?:ere|as) dropped/.exec(line)?.[1]?.replaceAll(",", "")));
    assert.ok(notice.length > 0, "there is a notice");
    assert.equal(lines.length - notice.length + notice.reduce((sum, count) => sum + count, 0), 500_000);
  });
}

test("a very long line is cut, and says how long it was", async () => {
  const [line] = await linesOf(() => console.log("x".repeat(1_000_000)), [0]);
  assert.ok(line !== undefined && line.length < 20_000);
  assert.match(line, /1000000 characters/);
});

test("a very long line written in pieces is cut too", async () => {
  const [line] = await linesOf(() => { for (let i = 0; i < 1000; i++) process.stdout.write("y".repeat(1000)); process.stdout.write("\n"); }, [0]);
  assert.ok(line !== undefined && line.length < 20_000);
  assert.match(line, /1000000 characters/);
});

test("characters cut over two writes, and bytes that are no text, do no harm", async () => {
  const lines = await linesOf((x: number) => {
    const euro = Buffer.from("€");
    process.stdout.write(euro.subarray(0, 1));
    process.stdout.write(euro.subarray(1));
    process.stdout.write("\n");
    process.stdout.write(new Uint8Array([0xff, 0xfe, 0x00, 10]));
    return x;
  }, [0]);
  assert.equal(lines[0], "0 stdout €");
  assert.equal(lines.length, 2);
});

test("console.table, dir, and a console of one's own are captured", async () => {
  const lines = await linesOf(async () => {
    const { Console } = await import("node:console");
    new Console(process.stdout).log("own console");
    console.dir({ a: 1 });
    console.warn("warned");
  }, [0]);
  assert.deepEqual(lines, ["0 stdout own console", "0 stdout { a: 1 }", "0 stderr warned"]);
});

test("all lines are here before the last result's iteration ends", async () => {
  for (const round of numbers(5)) {
    const lines = await linesOf((x: number) => console.log(`${round} ${x}`), numbers(50));
    assert.equal(lines.length, 50);
  }
});

test("by default lines are printed with the index of their input", async () => {
  const { code, stdout, stderr } = await Script.run(cluster, `
    await remoteParallelMap((x) => { console.log("hello"); console.error("oops"); return x; }, ["a", "b"]).toArray();
  `);
  assert.equal(code, 0);
  assert.deepEqual(stdout.trim().split("\n").sort(), ["[0] hello", "[1] hello"]);
  assert.deepEqual(stderr.trim().split("\n").sort(), ["[0] oops", "[1] oops"]);
});

test("an onLog that throws is the caller's uncaught error, and not swallowed", async () => {
  const { code, stderr } = await Script.run(cluster, `
    await remoteParallelMap((x) => console.log(x), [1], { onLog: () => { throw new Error("in onLog"); } }).toArray();
    setTimeout(() => undefined, 500);
  `);
  assert.notEqual(code, 0);
  assert.match(stderr, /in onLog/);
});
