/** Errors of functions in Python, as the program that calls sees them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { Script, type PythonOptions } from "../support/script.ts";

const cluster = useCluster();

async function run(source: string, options?: PythonOptions): Promise<string> {
  const { code, stdout, stderr } = await Script.python(cluster, source, options).ended();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}

test("an error is of its own class, and its traceback shows the user's own lines and the input", async () => {
  const { code, stderr } = await Script.python(cluster, `
class Broken(Exception):
    def __init__(self, what, *, depth):
        super().__init__(what)
        self.depth = depth
def check(x):
    if x == 3: raise Broken("no threes", depth=x)  # this very line
    return x
def f(x):
    return check(x)
try: remote_parallel_map(f, range(5)).to_list()
except Broken as error:
    assert (error.depth, error.input_index) == (3, 3) and "this very line" in error.remote_traceback
    raise`).ended();
  assert.equal(code, 1);
  assert.match(stderr, /line \d+, in f\n {4}return check\(x\)\n.*in check\n {4}if x == 3: raise Broken\("no threes", depth=x\) {2}# this very line\n.*Broken: no threes/s);
  assert.match(stderr, /this was input 3/);
  assert.doesNotMatch(stderr, /burla_worker/);
});

test("in order of the inputs the first failure is raised too when the one before it was never answered", async () => {
  await run(`
import time
def fails_second(x):
    if x == 1: raise TypeError("one")
    time.sleep(5)
    return x
try: list(remote_parallel_map(fails_second, [0, 1], order="input"))
except TypeError as error: assert error.args == ("one",)
else: raise AssertionError("nothing was raised")`);
});

test("causes, contexts and members come with it", async () => {
  await run(`
import sys
def f(x):
    try: {}["k"]
    except KeyError as error: raise ValueError("outer") from error
try: remote_parallel_map(f, [1]).to_list()
except ValueError as error:
    assert isinstance(error.__cause__, KeyError) and error.__cause__.__traceback__ is not None
if sys.version_info >= (3, 11):
    def g(x):
        try: f(x)
        except ValueError as error: raise ExceptionGroup("both", [error, ExceptionGroup("inner", [error, TypeError("a")])])
    try: remote_parallel_map(g, [1]).to_list()
    except ExceptionGroup as group:
        first, inner = group.exceptions
        assert [type(each) for each in (first, *inner.exceptions)] == [ValueError, ValueError, TypeError]
        for member in (first, inner.exceptions[0]):
            assert isinstance(member.__cause__, KeyError) and member.__cause__.__traceback__ is not None, member.__cause__`);
});

test("cause, context, whether it is hidden, and notes are as they were", async () => {
  await run(`
import sys
def during():
    try: {}["first"]
    except KeyError: raise ValueError("during")
def from_none():
    try: {}["first"]
    except KeyError: raise ValueError("none") from None
def both():
    try: {}["first"]
    except KeyError: raise ValueError("both") from OSError(2, "cause")
def same():
    try: {}["first"]
    except KeyError as error: raise ValueError("same") from error
def explicit(): raise ValueError("explicit") from LookupError("cause")
def leaves():
    try: sys.exit(3)
    except SystemExit as error: raise ValueError("leaves") from error
def stops():
    try: next(iter(()))
    except StopIteration: raise ValueError("stops")
def noted():
    error = ValueError("noted")
    error.__notes__ = ["one", "two"]
    raise error
def seen(error):
    link = lambda other: None if other is None else (type(other).__name__, str(other))
    return str(error), link(error.__cause__), link(error.__context__), error.__suppress_context__, getattr(error, "__notes__", [])[:2], error.__cause__ is error.__context__
cases = [during, from_none, both, same, explicit, leaves, stops, noted]
def local(case):
    try: case()
    except ValueError as error: return seen(error)
def call(case): case()
for case, outcome in zip(cases, remote_parallel_map(call, cases, order="input").settled()):
    found, expected = seen(outcome.reason), local(case)
    if case is not noted: found = (*found[:4], [], found[5])
    assert found == expected, (found, expected)`);
});

test("exceptions with constructors of their own are of their class: raised, in groups, as values and as causes", async () => {
  await run(`
import sys
class Keyword(Exception):
    def __init__(self, *, status): super().__init__(f"status {status}"); self.status = status
class Two(ValueError):
    def __init__(self, code, reason): super().__init__(f"{code}: {reason}"); self.code, self.reason = code, reason
class Slots(Exception):
    __slots__ = ("field",)
    def __init__(self, first, second): super().__init__(first + second); self.field = second
class Disk(OSError):
    def __init__(self, path, *, why): super().__init__(5, why, path); self.why = why
class Made(Exception):
    def __new__(cls, a, b): return super().__new__(cls, a)
    def __init__(self, a, b): super().__init__(a); self.b = b
class Quits(Exception):
    def __init__(self, *args):
        if len(args) != 3: raise SystemExit("three are needed")
        super().__init__("quits")
makers = [lambda: Keyword(status=4), lambda: Two(1, "r"), lambda: Slots("a", "b"), lambda: Disk("/x", why="w"), lambda: Made(1, 2), lambda: Quits(1, 2, 3)]
seen = lambda error: (type(error), str(error), error.args, {name: value for name, value in vars(error).items() if name not in ("__notes__", "input_index", "remote_traceback")}, getattr(error, "field", None), getattr(error, "errno", None), getattr(error, "filename", None))
def raises(maker): raise maker()
def caused(maker): raise KeyError("k") from maker()
def grouped(maker): raise ExceptionGroup("g", [maker(), ExceptionGroup("inner", [maker(), TypeError("t")])])
for maker in makers:
    expected = seen(maker())
    (raised,), (chained,) = (list(remote_parallel_map(function, [maker]).settled()) for function in (raises, caused))
    assert seen(raised.reason) == expected, (seen(raised.reason), expected)
    assert seen(chained.reason.__cause__) == expected, chained.reason.__cause__
    (value,) = remote_parallel_map(lambda error: (error, type(error).__name__), [maker()])
    assert seen(value[0]) == expected and value[1] == expected[0].__name__, value
    if sys.version_info >= (3, 11):
        (group,) = remote_parallel_map(grouped, [maker]).settled()
        assert type(group.reason) is ExceptionGroup and group.reason.message == "g", group.reason
        first, inner = group.reason.exceptions
        assert seen(first) == expected == seen(inner.exceptions[0]) and type(inner.exceptions[1]) is TypeError, group.reason.exceptions`);
});

test("an attribute that cannot be read here is a text: the class and the other attributes are as they were", async () => {
  await run(`
import time
class Raises:
    def __setstate__(self, state): raise RuntimeError("not here")
    def __init__(self): self.field = 1
class Hangs(Raises):
    def __setstate__(self, state):
        while True: time.sleep(0.01)
def f(kind):
    error = ValueError("x")
    error.code, error.v = 5, kind()
    raise error
for kind, options, reason in ((Raises, {}, "RuntimeError: not here"), (Hangs, {"timeout_s": 1}, "it took longer than \`timeout_s\`")):
    (outcome,) = remote_parallel_map(f, [kind], **options).settled()
    error = outcome.reason
    assert type(error) is ValueError and (error.args, error.code) == (("x",), 5), error
    assert error.v.startswith(f"<{kind.__name__} that cannot be read here: {reason}"), error.v`);
});

test("what would end this program, or has no class here, comes as RemoteError", async () => {
  await run(`
import sys
def leave(x): sys.exit(4)
def own(x):
    exec("import threading\\nclass Elsewhere(Exception): lock = threading.Lock()", globals())
    raise Elsewhere("gone")
for function, name in ((leave, "SystemExit"), (own, "Elsewhere")):
    try: remote_parallel_map(function, [1]).to_list()
    except RemoteError as error: assert error.name == name and error.input_index == 0 and function.__name__ in error.remote_traceback, error
    else: raise AssertionError(name)`);
});

test("results and inputs that cannot be sent are named with their path", async () => {
  await run(`
import threading
def result(x): return {"deep": [threading.Lock()]} if x == 1 else (i for i in ()) if x == 2 else x
outcomes = sorted(remote_parallel_map(result, range(4)).settled(), key=lambda each: each.index)
assert [each.status for each in outcomes] == ["fulfilled", "rejected", "rejected", "fulfilled"]
assert "the result of input 1 cannot be sent: result['deep'][0] is a lock" in str(outcomes[1].reason), outcomes[1]
assert outcomes[2].reason.code == "BURLA_RESULT" and "generator" in str(outcomes[2].reason)
try: remote_parallel_map(result, [0, {"k": threading.Lock()}]).to_list()
except BurlaError as error: assert error.code == "BURLA_INPUT" and "inputs[1]['k'] is a lock" in str(error) and error.input_index == 1
else: raise AssertionError`);
});

test("an iterable that fails ends the job with its own error", async () => {
  await run(`
def inputs():
    yield 1
    raise LookupError("no more")
results = remote_parallel_map(lambda x: x, inputs())
try: results.to_list()
except LookupError as error: assert str(error) == "no more"
else: raise AssertionError`);
});

test("a call that is too long, needs too much memory or ends its process is named as such", async () => {
  await run(`
import os, time
def sleep(x): time.sleep(x); return x
began = time.time()
outcomes = sorted(remote_parallel_map(sleep, [0, 30, 0], timeout_s=0.5).settled(), key=lambda each: each.index)
assert [each.status for each in outcomes] == ["fulfilled", "rejected", "fulfilled"] and isinstance(outcomes[1].reason, TimeoutError)
def crash(x): os.kill(os.getpid(), 11)
def eat(x):
    held = []
    while True: held.append(bytearray(8 << 20))
for function, options, code, words in ((crash, {}, "BURLA_WORKER_LOST", "SIGSEGV"), (eat, {"ram": "150 MiB"}, "BURLA_OUT_OF_MEMORY", "out of memory")):
    try: remote_parallel_map(function, [1], **options).to_list()
    except BurlaError as error: assert error.code == code and words in str(error), error
    else: raise AssertionError(code)`);
});

test("a function that the workers cannot unpickle, or of another Python, fails the job before anything runs", async () => {
  await run(`
import pickle, sys
class Bad:
    def __call__(self, x): return x
    def __reduce__(self): return (__import__, ("no_such_module_anywhere",))
try: remote_parallel_map(Bad(), [1]).to_list()
except BurlaError as error: assert error.code == "BURLA_LOAD" and isinstance(error.__cause__, ModuleNotFoundError), error
else: raise AssertionError
sys_version, sys.version_info = sys.version_info, (3, 7, 0, "final", 0)
try: results = remote_parallel_map(lambda x: x, [1])
finally: sys.version_info = sys_version
try: results.to_list()
except BurlaError as error: assert error.code == "BURLA_PYTHON" and "made by Python 3.7, and the workers run Python" in str(error), error
else: raise AssertionError
executable, sys.executable = sys.executable, "/no/such/python"
results = remote_parallel_map(lambda x: x, [1])
try: results.to_list()
except BurlaError as error: assert error.code == "BURLA_PYTHON" and "there is no program /no/such/python" in str(error), error
else: raise AssertionError`);
});

test("main knows failures by name and line", async () => {
  const jobId = (await run(`
def f(x): return 1 / x
results = remote_parallel_map(f, [0], detach=True)
print(results.job_id)
list(results.settled())`)).trim();
  const answer = (await (await cluster.request(`/v1/jobs/${jobId}/failures`)).json()) as { failures: { name: string; stack: string }[] };
  assert.equal(answer.failures[0]?.name, "ZeroDivisionError");
  assert.match(answer.failures[0].stack, /def f\(x\): return 1 \/ x/);
});

test("results of the other language are refused with a word on who can read them", async () => {
  const jobId = (await run("results = remote_parallel_map(lambda x: (x,), [0], detach=True)\nprint(results.job_id)\nresults.to_list()")).trim();
  await assert.rejects(attach(jobId).toArray(), { code: "BURLA_PYTHON", message: /values of Python/ });
  const stream = remoteParallelMap((x: number) => x, [1], { detach: true });
  await stream.toArray();
  await run(`
try: attach("${stream.jobId}").to_list()
except BurlaError as error: assert error.code == "BURLA_PYTHON" and "values of JavaScript" in str(error)
else: raise AssertionError`);
});
