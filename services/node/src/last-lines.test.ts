/** What a call printed before the end of its worker, whatever that end is; and while it runs. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openWorkshop, TestGroup, type Workshop } from "./testing.ts";

const CODE = `
import { execSync, spawnSync } from "node:child_process";
import fs from "node:fs";
const forever = () => { for (;;); };
const ends = {
  loop: forever,
  wait: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  exec: () => execSync("sleep 60"),
  abort: () => process.abort(),
  kill: () => process.kill(process.pid, "SIGKILL"),
  segv: () => process.kill(process.pid, "SIGSEGV"),
  heap: () => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); },
  exit: () => process.reallyExit(3),
  regexp: () => /^(a+)+$/.test("a".repeat(40) + "b"),
};
const prints = {
  line: () => { console.log("A"); console.error("B"); },
  part: () => { process.stdout.write("A"); process.stdout.write("…"); },
  log: (context) => context.log("A"),
  native: () => { fs.writeSync(1, "A\\nno end"); },
  child: () => { spawnSync("echo", ["A"], { stdio: "inherit" }); },
  bytes: () => { process.stdout.write(Buffer.from("A\\n")); },
  many: () => { for (let at = 0; at < 5000; at++) console.log("line " + at); },
  long: () => { for (let at = 0; at < 300; at++) console.log(at + " " + "x".repeat(15000)); },
};
const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
/** Prints in every way while it keeps its thread busy, and tells when. */
const busy = (ways, rounds) => {
  for (let at = 0; at < rounds; at++) {
    if (ways.includes("js")) console.log("js " + at);
    if (ways.includes("fd")) fs.writeSync(1, "fd " + at + "\\n");
    if (ways.includes("child")) execSync("echo child " + at, { stdio: "inherit" });
    if (ways.includes("pieces")) { fs.writeSync(1, "pie"); wait(150); fs.writeSync(1, "ces " + at + "\\n"); }
    wait(150);
  }
  return rounds;
};
export default () => async ({ print, end, later, ways, rounds, first }, context) => {
  if (first !== undefined) { fs.writeSync(1, first); await new Promise((resolve) => setTimeout(resolve, 100)); }
  if (ways !== undefined) return busy(ways, rounds);
  prints[print](context);
  if (later) await new Promise((resolve) => setTimeout(resolve, later));
  ends[end]();
};
`;

let workshop: Workshop;
before(async () => void (workshop = await openWorkshop()));
after(() => workshop.close());

/** Lines of one call that ends its worker. */
async function linesOf(input: object, spec: ConstructorParameters<typeof TestGroup>[2] = {}): Promise<string[]> {
  const job = new TestGroup(workshop, CODE, spec);
  try {
    job.grant([input], { first: 7 });
    await job.until(() => job.ended.length > 0 || job.outcomes.size > 0);
    assert.ok(job.lines.every(([index]) => index === 7), JSON.stringify(job.lines.slice(0, 5)));
    return job.lines.map(([, , , text]) => text);
  } finally {
    await job.group.stop();
  }
}

for (const end of ["loop", "wait", "exec", "regexp"]) {
  test(`before a call that takes too long: ${end}`, async () => {
    assert.deepEqual(await linesOf({ print: "line", end }, { timeoutMs: 400 }), ["A", "B"]);
  });
}

for (const end of ["abort", "kill", "segv", "heap", "exit"]) {
  test(`before the worker ends: ${end}`, async () => {
    assert.deepEqual(await linesOf({ print: "line", end }), ["A", "B"]);
  });
}

for (const [print, expected] of [["part", ["A…"]], ["log", ["A"]], ["native", ["A", "no end"]], ["child", ["A"]], ["bytes", ["A"]]] as const) {
  for (const end of ["loop", "kill"]) {
    test(`however it is printed: ${print}, before ${end}`, async () => {
      assert.deepEqual(await linesOf({ print, end }, { timeoutMs: 400 }), expected);
      assert.deepEqual(await linesOf({ print, end, later: 30 }, { timeoutMs: 400 }), expected);
    });
  }
}

test("many lines, and more bytes than one file holds, all of them once and in order", async () => {
  assert.deepEqual(await linesOf({ print: "many", end: "kill" }), Array.from({ length: 5000 }, (_, at) => `line ${at}`));
  assert.deepEqual((await linesOf({ print: "long", end: "kill" })).map((line) => Number.parseInt(line, 10)), Array.from({ length: 300 }, (_, at) => at));
});

test("lines of a busy call appear while it runs, and each once", async () => {
  const busy = `export default () => (n) => { for (let at = 0; at < n; at++) { console.log("step " + at); const until = performance.now() + 20; while (performance.now() < until); } for (;;) if (process.hrtime()[0] < 0) return; };`;
  const job = new TestGroup(workshop, busy);
  try {
    job.grant([10], { first: 3 });
    await job.until(() => job.lines.length >= 10);
    assert.deepEqual(job.lines.map(([index, , , text]) => [index, text]), Array.from({ length: 10 }, (_, at) => [3, `step ${at}`]));
    assert.equal(job.outcomes.size, 0);
  } finally {
    await job.group.stop();
  }
});

test("a function that writes into the files of its lines loses its lines, and nothing else", async () => {
  const vandal = `import fs from "node:fs"; export default () => (n) => { for (const name of fs.readdirSync(process.env.HOME_OF_WORKER)) if (name.startsWith("printed")) fs.appendFileSync(process.env.HOME_OF_WORKER + "/" + name, Buffer.alloc(100, 255)); console.log("x"); return n; };`;
  const job = new TestGroup(workshop, vandal.replaceAll("process.env.HOME_OF_WORKER", "process.cwd()"));
  try {
    job.grant([1, 2, 3]);
    await job.until(() => job.outcomes.size === 3);
    assert.deepEqual([...job.outcomes.values()], [1, 2, 3]);
  } finally {
    await job.group.stop();
  }
});

for (const ways of [["fd"], ["child"], ["js", "fd", "child"], ["pieces"], ["js", "fd", "pieces"]]) {
  test(`what a call prints while it keeps its thread busy is here while it does, once and in order: ${ways.join(", ")}`, async () => {
    const job = new TestGroup(workshop, CODE, {});
    const rounds = 6;
    const texts = { js: "js", fd: "fd", child: "child", pieces: "pieces" };
    try {
      job.grant([{ ways, rounds, first: "begin" }], { first: 7 });
      await job.until(() => job.lines.filter(([, , , text]) => / [012]$/.test(text)).length >= 3 * ways.length);
      assert.equal(job.outcomes.size, 0, "the lines came behind the result");
      await job.until(() => job.outcomes.size === 1);
      job.grant([{ ways, rounds: 1 }], { first: 8 });
      await job.until(() => job.outcomes.size === 2);
      const lines = job.lines.map(([index, , , text]) => `${index} ${text}`);
      const of = (index: number, count: number) => Array.from({ length: count }, (_, at) => ways.map((way) => `${index} ${texts[way as keyof typeof texts]} ${at}`)).flat();
      const expected = [...of(7, rounds), ...of(8, 1)];
      // What the call has left without an end goes on in its next native line.
      const at = expected.findIndex((line) => !line.includes("js"));
      expected[at] = (expected[at] as string).replace("7 ", "7 begin");
      assert.deepEqual(lines, expected);
    } finally {
      await job.group.stop();
    }
  });
}

test("a call that is ended while it keeps its thread busy has printed each line once", async () => {
  const job = new TestGroup(workshop, CODE, { timeoutMs: 1000 });
  try {
    job.grant([{ ways: ["fd"], rounds: 100 }], { first: 7 });
    await job.until(() => job.ended.length > 0 || job.outcomes.size > 0);
    const texts = job.lines.map(([, , , text]) => text);
    assert.ok(texts.length >= 3, String(texts));
    assert.deepEqual(texts, texts.map((_, at) => `fd ${at}`));
  } finally {
    await job.group.stop();
  }
});
