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
export default () => async ({ print, end, later }, context) => {
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
