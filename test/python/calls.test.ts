/** What users of Python do, on a real local cluster that a script starts. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ensureInterpreters } from "../../scripts/python/interpreters.ts";
import { TestCluster } from "../support/cluster.ts";
import { Script, type PythonOptions } from "../support/script.ts";

const cluster = new TestCluster();
const [, newest] = ensureInterpreters();
after(() => cluster.dispose());

/** Runs a script that must end well. @returns what it printed. */
async function run(source: string, options?: PythonOptions): Promise<string> {
  const { code, stdout, stderr } = await Script.python(cluster, source, options).ended();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}

test("the first call starts the local cluster, and a lambda runs there", async () => {
  assert.equal(await run("print(remote_parallel_map(lambda x: x * 2, range(5)).to_list())"), "[0, 2, 4, 6, 8]\n");
  assert.ok(cluster.isAnnounced);
});

test("workers run the interpreter that calls, with the same packages, in the same folder, in processes of their own", async () => {
  await run(`
import os, sys, cloudpickle
def where(_): return sys.executable, cloudpickle.__version__, os.getcwd(), os.getpid()
(found,) = remote_parallel_map(where, [0])
assert found[:3] == (sys.executable, cloudpickle.__version__, os.getcwd()) and found[3] != os.getpid(), found`);
});

test("functions with closures, classes, other modules and recursion travel as they are at the call", async () => {
  await run(`
import sys, pathlib, functools, dataclasses
pathlib.Path("helper_of_test.py").write_text("FACTOR = 2\\nclass Box:\\n    def __init__(self, v): self.v = v\\ndef grow(x): return Box(x * FACTOR)\\n")
import helper_of_test
helper_of_test.FACTOR = 10
@dataclasses.dataclass(frozen=True)
class Point:
    x: int
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def scaled(offset):
    def inner(p): return Point(p.x + offset), helper_of_test.grow(p.x), fib(10)
    return inner
for (point, box, number), p in zip(remote_parallel_map(scaled(5), [Point(1), Point(2)], order="input"), (1, 2)):
    assert type(point) is Point and point == Point(p + 5), point
    assert type(box) is helper_of_test.Box and box.v == p * 10, box.v
    assert number == 55
assert remote_parallel_map(functools.partial(pow, 2), [3, 4]).to_list() == [8, 16]
assert remote_parallel_map(str.upper, ["a"]).to_list() == ["A"]`);
});

test("under the newest cloudpickle as well", async () => {
  await run(`
import cloudpickle
class Box:
    def __init__(self, v): self.v = v
def f(box): return Box(box.v + 1), cloudpickle.__version__
for box, version in remote_parallel_map(f, [Box(1), Box(2)]):
    assert type(box) is Box and version == cloudpickle.__version__ == "${newest.version}", version`, { interpreter: newest });
});

test("inputs may be a generator, which is pulled as the cluster needs it; an endless one is closed when its reader goes", async () => {
  const out = await run(`
import itertools
pulled = 0
def endless():
    global pulled
    try:
        for number in itertools.count():
            pulled += 1
            yield number
    finally:
        print("closed")
with remote_parallel_map(lambda x: x, endless()) as results:
    for at, value in zip(range(1000), results): pass
import time
for _ in range(200):
    time.sleep(0.02)
print(1000 <= pulled < 200_000)`);
  assert.deepEqual(out.trim().split("\n"), ["closed", "True"]);
});

test("a generator whose next input depends on a result is not kept waiting", async () => {
  await run(`
import queue
answers = queue.Queue()
def feed():
    value = 1
    while value < 100:
        yield value
        value = answers.get(timeout=20)
for value in remote_parallel_map(lambda x: x * 3, feed()): answers.put(value)
assert value == 243`);
});

test("entries, settled, to_list and order", async () => {
  await run(`
import time
def f(x):
    time.sleep(0.02 if x % 2 else 0)
    if x == 3: raise ValueError("three")
    return -x
assert [e for e in remote_parallel_map(f, [0, 1, 2], order="input").entries()] == [(0, 0), (1, -1), (2, -2)]
outcomes = sorted(remote_parallel_map(f, range(6)).settled(), key=lambda each: each.index)
assert [each.status for each in outcomes] == ["fulfilled"] * 3 + ["rejected"] + ["fulfilled"] * 2
assert isinstance(outcomes[3].reason, ValueError) and outcomes[3].reason.input_index == 3
assert list(remote_parallel_map(f, range(100, 200), order="input")) == [-x for x in range(100, 200)]
assert remote_parallel_map(f, []).to_list() == []
try: remote_parallel_map(f, range(6), on_error="continue").to_list()
except FailedInputs as error: assert len(error.exceptions) == 1 and "1 input failed" in str(error)
else: raise AssertionError`);
});

test("async functions run many at once in a worker, and plain ones in threads", async () => {
  await run(`
import asyncio, threading, time
async def soon(x):
    print("in", x)
    await asyncio.sleep(0.3)
    print("out", x)
    return context().index
lines = []
assert sorted(remote_parallel_map(soon, range(30), concurrency=30, on_log=lines.append)) == list(range(30))
assert all(line.text.split()[1] == str(line.index) for line in lines) and len(lines) == 60
def slow(x):
    print("thread", x)
    time.sleep(0.3)
    return threading.get_ident(), context().index
lines.clear()
found = remote_parallel_map(slow, range(30), concurrency=30, on_log=lines.append).to_list()
assert [index for _, index in found] == list(range(30)) and len({ident for ident, _ in found}) > 5
assert all(line.text == f"thread {line.index}" for line in lines) and len(lines) == 30`);
});

test("a function may start a job of its own", async () => {
  await run(`
def inner(x): return x + 1
def outer(n):
    return sum(remote_parallel_map(inner, range(n)))
assert remote_parallel_map(outer, [3, 4]).to_list() == [6, 10]`);
});

test("options reach the workers", async () => {
  await run(`
import os
def seen(_): return os.environ.get("COLOUR"), context().attempt
assert remote_parallel_map(seen, [0], env={"COLOUR": "blue"}, ram="300 MiB", max_parallelism=1).to_list() == [("blue", 1)]
def shaky(x):
    if context().attempt < 3: raise OSError("again")
    return context().attempt
assert remote_parallel_map(shaky, [1], retries=2).to_list() == [3]
assert context() is None`);
});

test("a detached job is read by another program", async () => {
  const jobId = (await run(`
results = remote_parallel_map(lambda x: x * x, range(100), detach=True, name="squares")
results.wait_uploaded()
print(results.job_id)`)).trim();
  assert.equal((await cluster.job(jobId)).name, "squares");
  await run(`assert attach("${jobId}").to_list() == [x * x for x in range(100)]`);
});

test("progress is one line now and then without a terminal, and a function gets numbers", async () => {
  const { stderr } = await Script.python(cluster, `
told = []
remote_parallel_map(lambda x: x, range(50), progress=told.append).to_list()
assert told and told[-1].done == 50 and told[-1].total == 50
def named(x): return x
remote_parallel_map(named, range(50), progress=True).to_list()`).ended();
  assert.match(stderr, /named {2}━+ 50\/50/);
});

test("without a cluster, and without what starts one, the message says what to do", async () => {
  const lost = new TestCluster();
  const options = { env: { PATH: "/nowhere", BURLA_CLIENT: "/nowhere/burla" } };
  const { stderr } = await Script.python(lost, "remote_parallel_map(lambda x: x, [1]).to_list()", options).ended();
  assert.match(stderr, /BurlaError: the local cluster did not start/);
  await lost.dispose();
});
