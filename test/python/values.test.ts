/** Values whose own code raises, hangs or ends its process when they are written or read: they fail alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster();

/** `failed` gives index, code and text of each input that failed, and sees that all others arrived. */
const PROLOGUE = `
import os, sys, time
def failed(results, count):
    outcomes = sorted(results.settled(), key=lambda each: each.index)
    assert [each.index for each in outcomes] == list(range(count)), len(outcomes)
    return [(each.index, each.reason.code, str(each.reason)) for each in outcomes if each.status == "rejected"]
def alone(results, count, index, code, words=""):
    found = failed(results, count)
    assert [each[:2] for each in found] == [(index, code)] and words in found[0][2], found
class On:
    """Reading it calls \`act\` on the worker, or here."""
    def __init__(self, value, worker, act): self.value, self.worker, self.act = value, worker, act
    def __setstate__(self, state):
        self.__dict__.update(state)
        if self.act is not None and ("burla_worker.main" in sys.modules) == self.worker: self.act()
class Writes:
    def __init__(self, act): self.act = act
    def __reduce__(self): return self.act()
def raising(error):
    def act(): raise error
    return act
def hang(): time.sleep(1000)
def leave(): os._exit(7)
ERRORS = [ValueError("boom"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), RecursionError("deep"), MemoryError()]
`;

async function run(source: string): Promise<void> {
  const { code, stdout, stderr } = await Script.python(cluster, PROLOGUE + source).ended();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
}

test("an input whose reading raises fails alone, whatever it raises, in each kind of call", async () => {
  await run(`
async def later(x): return x.value
for options in ({}, {"timeout_s": 30}, {"concurrency": 8}, {"order": "input"}, {"retries": 1}):
    for error in ERRORS[:2] if options else ERRORS:
        inputs = [On(i, True, raising(error) if i == 500 else None) for i in range(1000)]
        alone(remote_parallel_map(lambda x: x.value, inputs, **options), 1000, 500, "BURLA_INPUT", type(error).__name__)
alone(remote_parallel_map(later, [On(i, True, raising(ERRORS[1]) if i == 5 else None) for i in range(30)], concurrency=10), 30, 5, "BURLA_INPUT")
try: remote_parallel_map(lambda x: 1, [On(i, True, raising(ValueError("boom")) if i == 5 else None) for i in range(9)]).to_list()
except BurlaError as error: assert (error.code, error.input_index) == ("BURLA_INPUT", 5) and "ValueError: boom" in str(error), error
else: raise AssertionError`);
});

test("a result whose reading raises here fails alone, also for whoever attaches", async () => {
  await run(`
for error in ERRORS:
    alone(remote_parallel_map(lambda i: On(i, False, raising(error) if i == 500 else None), range(1000)), 1000, 500, "BURLA_RESULT", type(error).__name__)
detached = remote_parallel_map(lambda i: On(i, False, raising(ERRORS[1]) if i == 5 else None), range(30), detach=True)
detached.wait_uploaded()
alone(attach(detached.job_id, order="input"), 30, 5, "BURLA_RESULT")
try: remote_parallel_map(lambda i: On(i, False, raising(ValueError("boom"))), [0]).to_list()
except BurlaError as error: assert error.input_index == 0 and isinstance(error.__cause__, ValueError), error
else: raise AssertionError`);
});

test("what writing a value raises ends neither worker nor program", async () => {
  await run(`
for error in ERRORS:
    alone(remote_parallel_map(lambda i: Writes(raising(error)) if i == 50 else i, range(100)), 100, 50, "BURLA_RESULT")
    for options in ({}, {"retries": 50}, {"timeout_s": 30}, {"concurrency": 8}, {"order": "input"}):
        alone(remote_parallel_map(lambda x: x, [Writes(raising(error)) if i == 50 else i for i in range(100)], **options), 100, 50, "BURLA_INPUT")
    try: remote_parallel_map(lambda x: x, [1, 2, Writes(raising(error)), 4]).to_list()
    except BurlaError as refusal: assert (refusal.code, refusal.input_index) == ("BURLA_INPUT", 2) and refusal.__cause__ is error, refusal
    else: raise AssertionError(error)`);
});

test("values of modules and constructors that are not there fail alone, and what is nested too deep", async () => {
  await run(`
class Needs:
    def __init__(self, *, depth): pass
def nested(depth):
    value = []
    for _ in range(depth): value = [value]
    return value
def absent(): return __import__, ("no_such_module_anywhere",)
def without(): return Needs, ()
for index, act, words in ((3, absent, "no_such_module_anywhere"), (7, without, "TypeError")):
    alone(remote_parallel_map(lambda x: 1, [Writes(act) if i == index else i for i in range(20)]), 20, index, "BURLA_INPUT", words)
    alone(remote_parallel_map(lambda x: Writes(act) if x == index else x, range(20)), 20, index, "BURLA_RESULT", words)
alone(remote_parallel_map(lambda x: nested(5000) if x == 4 else x, range(20)), 20, 4, "BURLA_RESULT", "recursion")
try: remote_parallel_map(lambda x: x, [1, nested(5000)]).to_list()
except BurlaError as refusal: assert (refusal.code, refusal.input_index) == ("BURLA_INPUT", 1), refusal
else: raise AssertionError
import threading
def unwritable(i):
    if i == 4: return {"lock": threading.Lock()}
    if i == 9: return nested(5000)
    if i == 13: return (each for each in ())
    return [i, Needs(depth=1) if i == 6 else None]
inputs = lambda: [unwritable(i) for i in range(20)]
for results in (remote_parallel_map(lambda x: x[0], inputs(), retries=9), remote_parallel_map(lambda x: x[0], iter(inputs()), order="input")):
    assert [(index, code) for index, code, _ in failed(results, 20)] == [(4, "BURLA_INPUT"), (9, "BURLA_INPUT"), (13, "BURLA_INPUT")]
detached = remote_parallel_map(lambda x: x[0], inputs(), detach=True)
detached.wait_uploaded()
found = failed(attach(detached.job_id), 20)
assert [index for index, _, _ in found] == [4, 9, 13] and "inputs[4]['lock'] is a lock" in found[0][2], found
# Written here with a higher limit: it is read on the worker, and cannot be written there.
sys.setrecursionlimit(20_000)
alone(remote_parallel_map(lambda x: x, [nested(3000) if i == 4 else i for i in range(20)]), 20, 4, "BURLA_RESULT")`);
});

test("a value that hangs when it is read or written on the worker is ended by its own time limit", async () => {
  await run(`
alone(remote_parallel_map(lambda x: x.value, [On(i, True, hang if i == 50 else None) for i in range(100)], timeout_s=1), 100, 50, "BURLA_TIMEOUT")
alone(remote_parallel_map(lambda x: Writes(hang) if x == 50 else x, range(100), timeout_s=1), 100, 50, "BURLA_TIMEOUT")
alone(remote_parallel_map(lambda x: Writes(hang) if x == 50 else x, range(100), timeout_s=2, concurrency=4), 100, 50, "BURLA_TIMEOUT")`);
});

test("an input that hangs when it is written here fails alone, in about its own time limit", async () => {
  await run(`
import threading
def spin():
    while True: pass
def stubborn():
    while True:
        try: time.sleep(0.01)
        except Exception: pass
class State:
    def __init__(self, act): self.act = act
    def __getstate__(self): self.act()
for act in (spin, hang, stubborn):
    for bad in (Writes(act), State(act), {"deep": [State(act)]}):
        begun = time.monotonic()
        inputs = [State(lambda: None) if i % 7 == 0 else bad if i == 50 else i for i in range(100)]
        alone(remote_parallel_map(lambda x: 1, inputs, timeout_s=1), 100, 50, "BURLA_INPUT", f"inputs[50] cannot be sent to the cluster: it took longer than \`timeout_s\` (in {act.__name__}, ")
        assert time.monotonic() - begun < 10
outcomes = failed(remote_parallel_map(lambda x: 1, (Writes(hang) if i in (3, 4) else Writes(lambda: (int, ())) for i in range(9)), timeout_s=0.5, retries=1), 9)
assert [each[:2] for each in outcomes] == [(3, "BURLA_INPUT"), (4, "BURLA_INPUT")], outcomes
# Slow together, and none of them by itself.
assert remote_parallel_map(lambda x: 1, [Writes(lambda: (time.sleep(0.1), (int, ()))[1]) for _ in range(10)], timeout_s=0.5).to_list() == [1] * 10
outcomes = failed(remote_parallel_map(lambda x: 1, [State(spin), 1, {"deep": threading.Lock()}, Writes(raising(ValueError("boom")))], timeout_s=0.5), 4)
assert [each[:2] for each in outcomes] == [(0, "BURLA_INPUT"), (2, "BURLA_INPUT"), (3, "BURLA_INPUT")] and "['deep']" in outcomes[1][2], outcomes
try: remote_parallel_map(lambda x: 1, [1, State(spin)], timeout_s=0.5).to_list()
except BurlaError as refusal: assert (refusal.code, refusal.input_index) == ("BURLA_INPUT", 1), refusal
else: raise AssertionError`);
});

test("a result that hangs when it is read here fails alone, in about the time limit of its call", async () => {
  await run(`
import threading
def spin():
    while True: pass
class Odd(Exception):
    def __setstate__(self, state):
        if "burla_worker.main" not in sys.modules: spin()
def odd(x):
    if x == 50:
        error = Odd("odd"); error.more = 1
        raise error
    return x
for act in (spin, hang):
    for order in ("completion", "input"):
        begun = time.monotonic()
        alone(remote_parallel_map(lambda i: On(i, False, act if i == 50 else None), range(100), timeout_s=1, order=order), 100, 50, "BURLA_RESULT", f"the result of input 50 cannot be read here: it took longer than \`timeout_s\` (in {act.__name__}, ")
        assert time.monotonic() - begun < 10
# In another thread than the main one.
reader = threading.Thread(target=lambda: alone(remote_parallel_map(lambda i: On(i, False, spin if i == 5 else None), range(10), timeout_s=0.5), 10, 5, "BURLA_RESULT") or seen.append(1))
seen = []
reader.start(); reader.join()
assert seen == [1]
outcomes = sorted(remote_parallel_map(odd, range(100), timeout_s=1).settled(), key=lambda each: each.index)
assert [each.index for each in outcomes if each.status == "rejected"] == [50] and "timeout_s" in str(outcomes[50].reason), outcomes[50]
# What a value opens belongs to the thread that reads it.
values = remote_parallel_map(lambda i: On(i, False, lambda: setattr(threading, "seen", {*getattr(threading, "seen", ()), threading.get_ident()})), range(10), timeout_s=5).to_list()
assert len(values) == 10 and threading.seen == {threading.get_ident()}, threading.seen`);
});

test("a value that ends the worker when it is read fails alone", async () => {
  await run(`alone(remote_parallel_map(lambda x: x.value, [On(i, True, leave if i == 13 else None) for i in range(100)]), 100, 13, "BURLA_WORKER_LOST")`);
});

test("an input that hangs when it is written here holds up no other job, and its own is cancelled", async () => {
  await run(`
import pathlib
pathlib.Path("module_of_test.py").write_text("def double(x): return 2 * x\\n")
import module_of_test
stuck = remote_parallel_map(lambda x: module_of_test.double(1), [1, Writes(hang), 3])
import threading
reader = threading.Thread(target=lambda: list(stuck.settled()), daemon=True)
reader.start()
time.sleep(0.5)
assert remote_parallel_map(module_of_test.double, range(100)).to_list() == [2 * x for x in range(100)]
stuck.cancel()
reader.join(20)
assert not reader.is_alive()`);
});

test("Ctrl-C ends a program in which a result hangs when it is read", async () => {
  const script = Script.python(cluster, `${PROLOGUE}
def read_here():
    print("reading", flush=True)
    hang()
remote_parallel_map(lambda i: On(i, False, read_here if i == 3 else None), range(5)).to_list()`);
  await script.line(/^reading/);
  script.kill("SIGINT");
  const { code, stderr } = await script.ended();
  assert.notEqual(code, 0);
  assert.match(stderr, /KeyboardInterrupt/);
});
