/** What a call in Python finds around it: environment, arguments, settings of libraries, and what \`setup\` has made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { Script, type PythonOptions } from "../support/script.ts";

const cluster = useCluster();

async function run(source: string, options: PythonOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await Script.python(cluster, source, options).ended();
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout + stderr;
}

test("calls see the environment of their caller as it is at the call", async () => {
  const source = `
import os, sys, time
def seen(_): return os.environ.get("SECRET"), os.environ.get("LATER"), os.environ.get("GIVEN"), os.environ.get("HOME"), time.tzname[0], os.environ.get("BURLA_TEST_ONLY")
os.environ["LATER"] = "set"
os.environ["BURLA_TEST_ONLY"] = "own"
results = remote_parallel_map(seen, [0], env={"GIVEN": "option", "HOME": None})
os.environ["LATER"] = "too late"
(found,) = results
assert found == (sys.argv[1], "set", "option", None, sys.argv[2], None), found
del os.environ["LATER"]
assert remote_parallel_map(seen, [0]).to_list()[0][1:4] == (None, None, os.environ["HOME"])`;
  for (const [secret, zone, name] of [["first", "UTC", "UTC"], ["second", "Asia/Tokyo", "JST"]] as const) {
    await run(source, { env: { SECRET: secret, TZ: zone }, args: [secret, name] });
  }
});

test("a job that a function starts has the environment of that function", async () => {
  await run(`
import os
def inner(_): return os.environ.get("MADE"), os.environ.get("OUTER")
def outer(_):
    os.environ["MADE"] = "there"
    return remote_parallel_map(inner, [0]).to_list()
assert remote_parallel_map(outer, [0], env={"OUTER": "o"}).to_list() == [[("there", "o")]]`);
});

test("an environment over its limit is refused before anything is sent, and names the variable", async () => {
  await run(`
import os
for name in "ABCDE": os.environ["LARGE_" + name] = name * 120_000
try: remote_parallel_map(lambda x: x, [1])
except BurlaError as error: assert error.code == "BURLA_TOO_LARGE" and "LARGE_" in error.cure, error
else: raise AssertionError`);
});

test("sys.argv is that of the script", async () => {
  await run(`
import sys
assert remote_parallel_map(lambda x: sys.argv, [0]).to_list() == [sys.argv] and sys.argv[1:] == ["--depth", "3"]`, { args: ["--depth", "3"] });
});

test("setup runs once in each worker, and what it gives is there in each of its calls", async () => {
  await run(`
import asyncio, os
def setup():
    print("setting up")
    assert context() is None
    return {"pid": os.getpid(), "calls": 0}
def call(x):
    worker = context().worker
    worker["calls"] += 1
    return worker["pid"] == os.getpid(), worker["calls"]
lines = []
found = remote_parallel_map(call, range(40), setup=setup, max_parallelism=1, on_log=lines.append, order="input").to_list()
assert found == [(True, n + 1) for n in range(40)], found
assert [(line.text, line.index, line.origin) for line in lines] == [("setting up", -1, "setup")], lines
class Connection:
    async def open(self):
        self.loop = asyncio.get_running_loop()
        await asyncio.sleep(0.01)
        return self
async def connect(): return await Connection().open()
async def ask(x): return asyncio.get_running_loop() is context().worker.loop
assert remote_parallel_map(ask, range(10), setup=connect, concurrency=5).to_list() == [True] * 10
assert remote_parallel_map(lambda x: context().worker, [1, 2]).to_list() == [None, None]
shared = []
def fill(): shared.append(1); return len(shared)
assert remote_parallel_map(lambda x: (context().worker, shared), [1], setup=fill).to_list() == [(1, [1])]
def shaky(x):
    if context().attempt < 3: raise OSError
    return context().worker["calls"]
assert remote_parallel_map(shaky, [1], setup=setup, retries=3).to_list() == [0]`);
  assert.match(await run(`remote_parallel_map(lambda x: x, [1], setup=lambda: print("hello")).to_list()`), /^\[setup\] hello$/m);
});

test("what setup raises ends the job once, whatever it is, with its cause", async () => {
  await run(`
import os, sys, time
class Own(Exception):
    def __init__(self, *, what): super().__init__(what)
def raises(): raise Own(what="no model")
def leaves(): sys.exit(3)
for setup, kind in ((raises, Own), (leaves, RemoteError)):
    try: remote_parallel_map(lambda x: x, range(100), setup=setup, retries=2).to_list()
    except BurlaError as error: assert error.code == "BURLA_SETUP" and isinstance(error.__cause__, kind) or setup is leaves, (error, error.__cause__)
    else: raise AssertionError
try: remote_parallel_map(lambda x: x, range(10), setup=lambda: time.sleep(100), setup_timeout_s=1).to_list()
except BurlaError as error: assert error.code == "BURLA_SETUP", error
else: raise AssertionError
import threading
lock = threading.Lock()
try: remote_parallel_map(lambda x: x, [1], setup=lambda: lock)
except BurlaError as error: assert error.code == "BURLA_CAPTURE" and "lock" in str(error), error
else: raise AssertionError`);
});

test("logging and warnings are set up on workers as they are in the script", async () => {
  const said = await run(`
import logging, warnings, sys
class Short(logging.Formatter):
    def format(self, record): return f"short {record.getMessage()}"
logging.basicConfig(level=logging.INFO, format="%(levelname)s <%(name)s> %(message)s")
logging.getLogger("quiet").setLevel(logging.ERROR)
own = logging.getLogger("own")
own.propagate = False
own.addFilter(lambda record: "secret" not in record.getMessage())
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(Short())
own.addHandler(handler)
to_file = logging.FileHandler("log_of_test.txt", "w")
logging.getLogger("filed").addHandler(to_file)
logging.addLevelName(25, "NOTICE")
warnings.filterwarnings("error", category=DeprecationWarning)
warnings.filterwarnings("ignore", message="never mind")
def call(x):
    logging.info("root %d", x)
    logging.debug("too much")
    logging.log(25, "noticed")
    logging.getLogger("quiet").warning("not this")
    own.info("mine")
    own.info("secret")
    logging.getLogger("filed").warning("to the file")
    warnings.warn("never mind")
    warnings.warn("do mind", UserWarning)
    try: warnings.warn("old", DeprecationWarning)
    except DeprecationWarning: return "raised"
lines = []
assert remote_parallel_map(call, [7], on_log=lines.append).to_list() == ["raised"]
texts = [line.text for line in lines]
for text in ("INFO <root> root 7", "NOTICE <root> noticed", "short mine"): assert texts.count(text) == 1, texts
assert not any(word in text for text in texts for word in ("too much", "not this", "secret", "never mind")), texts
assert any("UserWarning: do mind" in text for text in texts), texts
assert [line.stream for line in lines if line.text == "short mine"] == ["stdout"]
assert open("log_of_test.txt").read().count("to the file") == 1
def show(message, category, filename, lineno, file=None, line=None): print("shown", category.__name__, message)
warnings.showwarning = show
lines.clear()
remote_parallel_map(call, [7], on_log=lines.append).to_list()
assert [line.text for line in lines if "do mind" in line.text] == ["shown UserWarning do mind"], lines
warnings.showwarning, warnings.formatwarning = warnings._showwarning_orig, lambda message, *_: f"formed {message}\\n"
lines.clear()
remote_parallel_map(call, [7], on_log=lines.append).to_list()
assert [line.text for line in lines if "do mind" in line.text] == ["formed do mind"], lines
# One that cannot be sent keeps nothing else here.
import threading
lock = threading.Lock()
warnings.formatwarning = lambda message, *_: f"{lock} {message}\\n"
lines.clear()
assert remote_parallel_map(call, [7], on_log=lines.append).to_list() == ["raised"]
assert any("UserWarning: do mind" in line.text for line in lines) and any("root 7" in line.text for line in lines), lines
logging.disable(logging.WARNING)
lines.clear()
remote_parallel_map(call, [7], on_log=lines.append).to_list()
assert not any("root 7" in line.text for line in lines)`);
  assert.equal(said.includes("Traceback"), false, said);
});

test("on_log and progress are called in the context of the loop that reads", async () => {
  await run(`
import contextvars
var = contextvars.ContextVar("var")
seen = set()
def read(name):
    var.set(name)
    tell = lambda _: seen.add(var.get("none"))
    remote_parallel_map(lambda x: print(x), range(3), on_log=tell, progress=tell).to_list()
for name in ("one", "two"): contextvars.copy_context().run(read, name)
assert seen == {"one", "two"}, seen`);
});
