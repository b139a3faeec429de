/** What a call in Python printed before the end of its worker, whatever that end is; and while it runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster();

/** Runs one call among others, which takes its worker along. @returns its lines, ordered by stream. */
async function linesOf(body: string, { options = "", others = 8 } = {}): Promise<string[]> {
  const { code, stdout, stderr } = await Script.python(cluster, `
from burla import context
import ctypes, json, multiprocessing, os, re, signal, subprocess, sys, threading, time
def child():
    print("from a child")
def f(x):
    if x != 0: return x
    # One that has ended its worker is tried again.
    if context().attempt > 1: os.kill(os.getpid(), signal.SIGKILL)
    ${body.trim().split("\n").join("\n    ")}
lines = []
outcomes = list(remote_parallel_map(f, range(-${others}, 1), on_log=lines.append, max_parallelism=1, ${options}).settled())
assert [o.index for o in outcomes if o.status == "rejected"] == [${others}], outcomes
assert all(line.index == ${others} for line in lines), lines
print(json.dumps([line.text for line in sorted(lines, key=lambda line: line.stream == "stderr")]))`).ended();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return JSON.parse(stdout) as string[];
}

const ENDS: Record<string, string> = {
  "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
  "os._exit": "os._exit(1)",
  "os.abort": "os.abort()",
  "a segmentation fault": "ctypes.string_at(0)",
};
const HANGS: Record<string, string> = {
  "a loop": "while True: pass",
  "a sleep in C": "time.sleep(600)",
  "C code that lets no other thread run": `re.match(r"(a+)+$", "a" * 60 + "b")`,
  "a child that it waits for": `subprocess.run(["sleep", "600"])`,
};
const TWO_LINES = `print("A", 1)\nprint("B", file=sys.stderr)`;

for (const [name, end] of Object.entries(ENDS)) {
  test(`before the worker ends: ${name}`, async () => {
    assert.deepEqual(await linesOf(`${TWO_LINES}\n${end}`), ["A 1", "B"]);
  });
}

for (const [name, hang] of Object.entries(HANGS)) {
  test(`before a call that takes too long: ${name}`, async () => {
    assert.deepEqual(await linesOf(`${TWO_LINES}\n${hang}`, { options: "timeout_s=0.5" }), ["A 1", "B"]);
  });
}

const WAYS: Record<string, readonly [body: string, lines: readonly string[]]> = {
  "a line that has no end yet, flushed": [`print("A", end="", flush=True)\nprint("…", end="", flush=True)`, ["A…"]],
  "a line that ended later": [`print("A", end="", flush=True)\nprint("B")\nprint("C")`, ["AB", "C"]],
  "bytes": [`sys.stdout.buffer.write(b"A\\n")`, ["A"]],
  "native code": [`os.write(1, b"A\\nno end")`, ["A", "no end"]],
  "a child process": [`subprocess.run(["echo", "A"])`, ["A"]],
  "a process of multiprocessing": [`p = multiprocessing.get_context("fork").Process(target=child)\np.start(); p.join()`, ["from a child"]],
  "a thread": [`t = threading.Thread(target=print, args=("A",))\nt.start(); t.join()`, ["A"]],
};

for (const [name, [body, lines]] of Object.entries(WAYS)) {
  test(`however it is printed: ${name}`, async () => {
    // Alone: whose the output of native code is, nobody can say when the worker ends before it has looked.
    assert.deepEqual(await linesOf(`${body}\n${ENDS.SIGKILL}`, { others: 0 }), lines);
    assert.deepEqual(await linesOf(`${body}\ntime.sleep(0.03)\n${HANGS["a loop"]}`, { options: "timeout_s=0.5" }), lines);
  });
}

test("many lines, and more bytes than one file holds, all of them once and in order", async () => {
  assert.deepEqual(await linesOf(`for at in range(50_000): print("line", at)\n${ENDS.SIGKILL}`), Array.from({ length: 50_000 }, (_, at) => `line ${at}`));
  const long = await linesOf(`for at in range(300): print(at, "x" * 15_000)\n${ENDS.SIGKILL}`);
  assert.deepEqual(long.map((line) => Number.parseInt(line, 10)), Array.from({ length: 300 }, (_, at) => at));
});

test("lines of a busy call appear while it runs, also where no other thread of it can", async () => {
  const script = Script.python(cluster, `
import re, time
def f(x):
    for at in range(5):
        print("step", at)
        until = time.perf_counter() + 0.1
        while time.perf_counter() < until: pass
    print("last")
    re.match(r"(a+)+$", "a" * 60 + "b")
remote_parallel_map(f, [0]).to_list()`);
  assert.match(await script.line(/last/), /last/);
  script.kill("SIGINT");
  const { stdout } = await script.ended();
  assert.deepEqual(stdout.trim().split("\n"), [...Array.from({ length: 5 }, (_, at) => `[0] step ${at}`), "[0] last"]);
});

test("a handler of a signal that prints amid a line spoils nothing", async () => {
  const lines = await linesOf(`
signal.signal(signal.SIGALRM, lambda *_: print("tick"))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for at in range(20_000): print("line", at)
${ENDS.SIGKILL}`);
  const ticks = lines.join("").match(/tick/g)?.length ?? 0;
  assert.ok(ticks > 0);
  assert.deepEqual(lines.join("").replaceAll("tick", ""), Array.from({ length: 20_000 }, (_, at) => `line ${at}`).join(""));
});
