/** Results in many hands, inputs that are pulled with effects, and what becomes of what they raise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster();

async function run(source: string): Promise<string> {
  const { code, stdout, stderr } = await Script.python(cluster, source).ended();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout + stderr;
}

test("threads that share results get each of them once, and all come to the end", async () => {
  await run(`
import asyncio, threading
def read(view, found, lock):
    for value in view:
        with lock: found.append(value)
results = lambda **options: remote_parallel_map(lambda x: x, range(3000), **options)
for make in (lambda: results(), lambda: results(order="input"), lambda: results(lookahead=50), lambda: results().entries(), lambda: results().settled()):
    view, found, lock = make(), [], threading.Lock()
    threads = [threading.Thread(target=read, args=(view, found, lock), daemon=True) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(40)
    assert not any(thread.is_alive() for thread in threads)
    assert sorted(value if isinstance(value, int) else value.index for value in found) == list(range(3000)), len(found)
shared = results()
views, found, lock = [shared.entries(), shared.entries(), shared], [], threading.Lock()
threads = [threading.Thread(target=read, args=(view, found, lock), daemon=True) for view in views]
for thread in threads: thread.start()
for thread in threads: thread.join(40)
assert len(found) == 3000 and not any(thread.is_alive() for thread in threads)
async def in_threads():
    iterator = iter(remote_parallel_map(lambda x: x, range(200)))
    async def take():
        values = []
        while True:
            value = await asyncio.to_thread(next, iterator, None)
            if value is None: return values
            values.append(value)
    return sorted(sum(await asyncio.gather(*(take() for _ in range(5))), []))
assert asyncio.run(in_threads()) == list(range(200))`);
});

test("results are collected whole or not at all", async () => {
  await run(`
import threading
new = lambda call=lambda x: x: remote_parallel_map(call, range(20))
def refused(read, words):
    try: read()
    except TypeError as error: assert f"the results of this job are each given once, and {words}: read them in one place" == str(error), error
    else: raise AssertionError
for first in (next, lambda results: next(results.entries()), lambda results: next(results.settled()), list):
    results = new()
    first(results)
    refused(results.to_list, "some have been read already")
    rest = list(results)
    assert len(rest) == (0 if first is list else 19), rest
results = new()
assert results.to_list() == list(range(20)) and list(results) == []
refused(results.to_list, "to_list() collects them")
def begins():
    global seen
    seen = threading.Event()
    results = remote_parallel_map(lambda x: print(x), range(20), on_log=lambda _: seen.set() or go.wait(30))
    go, collected = threading.Event(), []
    collector = threading.Thread(target=lambda: collected.append(results.to_list()), daemon=True)
    collector.start()
    seen.wait(30)
    for read in (lambda: next(results), lambda: next(results.entries()), lambda: next(results.settled())): refused(read, "to_list() collects them")
    go.set()
    collector.join(30)
    assert collected == [[None] * 20], collected
begins()`);
});

test("whoever closes or cancels lets go a thread that waits, and a with block ends while others read", async () => {
  await run(`
import threading, time
def slow(x): time.sleep(60 if x else 0); return x
for end in ("close", "cancel"):
    results, seen = remote_parallel_map(slow, range(5)), []
    def read():
        try:
            for value in results: seen.append(value)
        except BaseException as error: seen.append(error)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while not seen: time.sleep(0.01)
    getattr(results, end)()
    reader.join(20)
    assert not reader.is_alive() and seen[0] == 0, seen
    assert isinstance(seen[-1], BurlaError) and seen[-1].code == "BURLA_CANCELLED", seen
    assert list(results) == []
detached = remote_parallel_map(slow, range(5), detach=True)
with detached as results:
    seen.clear()
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while not seen: time.sleep(0.01)
reader.join(20)
assert not reader.is_alive() and seen[-1].code == "BURLA_CANCELLED"
# It goes on, and would keep what comes after it waiting.
attach(detached.job_id).cancel()
`);
});

test("a job that was attached to is cancelled though nobody has read of it", async () => {
  const printed = await run(`
import time
def slow(x): time.sleep(60); return x
detached = remote_parallel_map(slow, range(2), detach=True)
detached.wait_uploaded()
detached.close()
attach(detached.job_id).cancel()
print("id", detached.job_id)
`);
  const jobId = /id (job-\w+)/.exec(printed)?.[1] ?? "";
  assert.equal((await cluster.job(jobId)).phase, "cancelled");
});

test("a fork has results of its own, and none of those that its parent reads", async () => {
  await run(`
import os, sys, threading, time
forked = threading.Event()
def inputs():
    yield from range(2000)
    # So long nobody has read all.
    forked.wait()
results = remote_parallel_map(lambda x: x, inputs())
first = [next(results) for _ in range(10)]
reader = threading.Thread(target=lambda: first.extend(results), daemon=True)
reader.start()
# As another thread may hold it just then: in the fork nobody will let go of it.
with results._job._connection._lock: child = os.fork()
if child == 0:
    code = 1
    try:
        for read in (lambda: next(results), lambda: next(results.settled()), results.to_list, results.begin):
            try: read()
            except RuntimeError as error: assert "belong to the process" in str(error)
            else: raise AssertionError
        results.cancel()
        results.close()
        del results
        own = remote_parallel_map(lambda x: x + 1, range(50)).to_list()
        code = 0 if own == list(range(1, 51)) else 2
    except BaseException:
        import traceback
        traceback.print_exc()
    finally: os._exit(code)
forked.set()
for _ in range(3000):
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid: break
    time.sleep(0.01)
assert pid == child and status == 0, status
reader.join(30)
assert sorted(first) == list(range(2000))`);
});

test("no more inputs are pulled ahead than the program allows", async () => {
  await run(`
import itertools, time
for ahead, order in ((1, "completion"), (7, "completion"), (7, "input")):
    pulled = taken = 0
    most = 0
    def inputs():
        global pulled, most
        for n in range(60):
            pulled += 1
            most = max(most, pulled - taken)
            yield n
    values = []
    for value in remote_parallel_map(lambda x: x, inputs(), lookahead=ahead, order=order):
        taken += 1
        values.append(value)
        # It is used as well: however slow the machine is, so many are pulled while the loop stands still.
        until = time.monotonic() + 30
        while value == 20 and pulled - taken < ahead - 1 and time.monotonic() < until: time.sleep(0.01)
    # One is pulled for the result that the loop is being given.
    assert sorted(values) == list(range(60)) and ahead - 1 <= most <= ahead + 1, (most, ahead)
def failing():
    for n in itertools.count(): yield n
def f(x): raise ValueError(x) if x == 9 else KeyError
outcomes = []
for outcome in remote_parallel_map(f, failing(), lookahead=3).settled():
    outcomes.append(outcome)
    if len(outcomes) == 30: break
assert len(outcomes) == 30 and max(each.index for each in outcomes) < 34`);
});

test("max_parallelism of infinity is no limit", async () => {
  await run(`assert remote_parallel_map(lambda x: x, range(20), max_parallelism=float("inf")).to_list() == list(range(20))`);
});

test("what an iterable raises is what the loop raises, whatever it is and whenever", async () => {
  await run(`
import time
class Own(BaseException): pass
class Iterates:
    def __init__(self, count, error): self.count, self.error = count, error
    def __iter__(self): return self
    def __next__(self):
        self.count -= 1
        if self.count < 0: raise self.error
        return self.count
def generator(count, error):
    yield from range(count)
    raise error
for count in (0, 1, 300):
    for make in (generator, Iterates):
        for error in (LookupError("l"), Own("o"), SystemExit(3), KeyboardInterrupt(), RuntimeError("r"), BurlaError("BURLA_INPUT", "m")):
            try: remote_parallel_map(lambda x: x, make(count, error)).to_list()
            except BaseException as raised: assert raised is error, (count, error, raised)
            else: raise AssertionError(error)
def stops():
    yield 1
    raise StopIteration
try: remote_parallel_map(lambda x: x, stops()).to_list()
except RuntimeError as error: assert isinstance(error.__cause__, StopIteration), error
else: raise AssertionError
# The cluster says at the same time that the job was cancelled.
for _ in range(30):
    try:
        for value in remote_parallel_map(lambda x: x, generator(50, LookupError("late"))): pass
    except LookupError as error: assert str(error) == "late"
    else: raise AssertionError`);
});

test("what a generator raises when it is closed is told and replaces nothing", async () => {
  const said = await run(`
import time
def inputs():
    try:
        n = 0
        while True:
            yield n
            n += 1
    finally: raise OSError("while closing")
for value in remote_parallel_map(lambda x: x, inputs(), lookahead=2): break
time.sleep(1)`);
  assert.match(said, /Exception ignored in.*OSError: while closing/s);
});

test("inputs are pulled in the context of the caller, and what is bound to its thread is refused with a cure", async () => {
  const said = await run(`
import contextvars, decimal, sqlite3
var = contextvars.ContextVar("var", default="none")
def inputs():
    for n in range(3): yield var.get(), decimal.getcontext().prec
def call(value):
    var.set(value)
    with decimal.localcontext() as context:
        context.prec = 7
        return remote_parallel_map(lambda x: x, inputs())
first, second = contextvars.copy_context().run(call, "one"), contextvars.copy_context().run(call, "two")
assert set(first) == {("one", 7)} and set(second) == {("two", 7)} and var.get() == "none"
class Contextual:
    def __reduce__(self): return str, (var.get(),)
assert contextvars.copy_context().run(lambda: (var.set("in"), remote_parallel_map(lambda x: x, [Contextual()]).to_list()))[1] == ["in"]
import io, pathlib
lines = io.StringIO("a\\nb\\n")
assert sorted(remote_parallel_map(str.strip, lines)) == ["a", "b"] and not lines.closed
database = sqlite3.connect(":memory:")
database.execute("create table t (a)")
database.execute("insert into t values (1)")
for bound in (database.execute("select a from t"), (row for row in database.execute("select a from t"))):
    try: remote_parallel_map(lambda row: row[0], bound).to_list()
    except BurlaError as error: assert error.code == "BURLA_INPUT" and "list(cursor)" in error.cure and isinstance(error.__cause__, sqlite3.ProgrammingError), error
    else: raise AssertionError
assert remote_parallel_map(lambda row: row[0], list(database.execute("select a from t"))).to_list() == [1]`);
  assert.doesNotMatch(said, /Exception ignored/);
});

test("dataclasses of the script stay what the module dataclasses takes for such", async () => {
  await run(`
import dataclasses, sys, typing
@dataclasses.dataclass
class Plain:
    a: int
    b: list = dataclasses.field(default_factory=list)
    c: typing.ClassVar[int] = 3
@dataclasses.dataclass(frozen=True, order=True)
class Frozen:
    a: int
    later: dataclasses.InitVar[int] = 0
if sys.version_info >= (3, 10):
    @dataclasses.dataclass(slots=True)
    class Slots:
        a: int
        b: str = "b"
else: Slots = Plain
def f(value):
    @dataclasses.dataclass
    class More(type(value) if type(value) is Plain else Plain):
        d: int = 1
    assert all((field.default is dataclasses.MISSING) == (field.name in "ab" and field.name != "d") for field in dataclasses.fields(More)), dataclasses.fields(More)
    try: More()
    except TypeError as error: assert "'a'" in str(error), error
    else: raise AssertionError("a has no default")
    return dataclasses.asdict(value), [field.name for field in dataclasses.fields(value)], dataclasses.replace(value, a=9).a, value, More(1)
for value in (Plain(1, [2]), Frozen(1), Slots(1)):
    (found,) = remote_parallel_map(f, [value])
    expected = dataclasses.asdict(value)
    assert found[:4] == (expected, list(expected), 9, value) and dataclasses.asdict(found[3]) == expected, found
    assert dataclasses.asdict(found[4]) == {"a": 1, "b": [], "d": 1}`);
});
