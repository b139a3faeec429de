/** Programs that calls in Python start: pools of processes, forks, and functions that share what they close over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster();

async function run(source: string, args: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await Script.python(cluster, source, { args }).ended(120_000);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout + stderr;
}

test("pools of processes run functions of the script, however they start their processes", async () => {
  await run(`
import concurrent.futures, multiprocessing, pickle
OFFSET = 100
class Point:
    def __init__(self, x): self.x = x
    def moved(self): return Point(self.x + OFFSET)
state = None
def initialise(value):
    global state
    state = value
def work(x): return x * 2 + OFFSET + (state or 0)
def move(point): return point.moved()
def in_pool(method):
    with multiprocessing.get_context(method).Pool(2, initialise, (1000,)) as pool:
        return pool.map(work, range(5)), [point.x for point in pool.map(Point.moved, [Point(1), Point(2)])], pool.apply(move, (Point(3),)).x
def in_executor(method):
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as executor:
        return list(executor.map(work, range(5))), executor.submit(move, Point(3)).result().x
def in_process(method):
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    process = context.Process(target=tell, args=(queue, Point(4)))
    process.start()
    answer = queue.get().x
    process.join()
    return answer, process.exitcode
def tell(queue, point): queue.put(point.moved())
for method in ("fork", "spawn", "forkserver"):
    assert remote_parallel_map(in_pool, [method]).to_list() == [([1100 + 2 * x for x in range(5)], [101, 102], 103)], method
    assert remote_parallel_map(in_executor, [method]).to_list() == [([100 + 2 * x for x in range(5)], 103)], method
    assert remote_parallel_map(in_process, [method]).to_list() == [(104, 0)], method
def pickles(point): return pickle.loads(pickle.dumps(point)).x, pickle.loads(pickle.dumps(work))(1), type(pickle.loads(pickle.dumps(point))) is type(point)
assert remote_parallel_map(pickles, [Point(5)]).to_list() == [(5, 102, True)]`);
});

test("pools run functions and classes of the user's own modules, which a call may also import by name", async () => {
  await run(`
import multiprocessing, pathlib, pickle
pathlib.Path("pooled_of_test.py").write_text("""
BASE = 5
class Box:
    def __init__(self, value): self.value = value
def grow(x): return x + BASE
def in_pool(method):
    import multiprocessing
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(grow, range(3)), [box.value for box in pool.map(Box, range(3))]
""")
import pooled_of_test
pooled_of_test.BASE = 7
def of_module(method):
    with multiprocessing.get_context(method).Pool(1) as pool: return [box.value for box in pool.map(pooled_of_test.Box, range(3))]
for method in ("fork", "spawn"): assert remote_parallel_map(of_module, [method]).to_list() == [[0, 1, 2]], method
for method, base in (("fork", 7), ("spawn", 5)):
    assert remote_parallel_map(pooled_of_test.in_pool, [method]).to_list() == [([base, base + 1, base + 2], [0, 1, 2])], method
def own(x):
    import pooled_of_test as again
    box = pickle.loads(pickle.dumps(pooled_of_test.Box(x)))
    return type(box) is pooled_of_test.Box is again.Box, again.grow(x), pickle.loads(pickle.dumps(pooled_of_test.grow)) is pooled_of_test.grow
assert remote_parallel_map(own, [1]).to_list() == [(True, 8, True)]`);
});

test("a pool that is ended as soon as it is made ends", async () => {
  await run(`
import multiprocessing, os, signal
def work(x): return x
def ended(_):
    for _ in range(150):
        pool = multiprocessing.get_context("fork").Pool(2)
        pool.terminate()
        pool.join()
    return True
def killed(_):
    for _ in range(300):
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(1)
        os.kill(child, signal.SIGTERM)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status): return status
    return True
assert remote_parallel_map(ended, range(4), max_parallelism=2).to_list() == [True] * 4
assert remote_parallel_map(killed, range(2)).to_list() == [True] * 2`);
});

test("children write through the streams and handlers that were there before them", async () => {
  const said = await run(`
import logging, os, sys, threading
def call(x):
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="logged %(message)s")
    before = sys.stdout
    stop = threading.Event()
    def print_much():
        while not stop.is_set(): print("beside")
    thread = threading.Thread(target=print_much)
    thread.start()
    for n in range(40):
        child = os.fork()
        if child == 0:
            logging.info("child %d of %d", n, x)
            before.write(f"written {n}\\n")
            os._exit(0)
        os.waitpid(child, 0)
    stop.set()
    thread.join()
    return x
lines = []
assert remote_parallel_map(call, [1], on_log=lines.append).to_list() == [1]
texts = {line.text for line in lines}
assert all(f"logged child {n} of 1" in texts and f"written {n}" in texts for n in range(40)), len(texts)`);
  assert.equal(said, "");
});

test("a child that a call has forked ends as a script does", async () => {
  const { stdout, stderr, code } = await Script.python(cluster, `
def f(how):
    import os, sys
    pid = os.fork()
    if pid == 0:
        if how == "returns": return "in the child"
        if how == "raises": raise ValueError("of the child")
        sys.exit({"exits": 3, "says": "a reason", "ends": None}[how])
    return how, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(remote_parallel_map(f, ["exits", "says", "ends", "raises", "returns"]).to_list())`).ended();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\[\('exits', 3\), \('says', 1\), \('ends', 0\), \('raises', 1\), \('returns', 0\)\]/);
  assert.doesNotMatch(stdout + stderr, /burla_worker|Bad file descriptor/);
  assert.match(stderr, /ValueError: of the child/);
});

test("functions that share a variable go on sharing it", async () => {
  await run(`
import functools
def counter():
    count, log = 0, []
    def add(n):
        nonlocal count
        count += n
        log.append(n)
        return count
    def read(): return count, log
    def reset():
        nonlocal count
        count = 0
    return add, read, reset
add, read, reset = counter()
add(5)
def call(x):
    before = read()[0]
    reset()
    add(x)
    add(1)
    return before, read()[0]
assert remote_parallel_map(call, [10], max_parallelism=1).to_list() == [(5, 11)]
class Holder:
    def __init__(self): self.add, self.read = counter()[:2]
def held(holder): return holder.add(3), holder.read()[0]
assert remote_parallel_map(held, [Holder()]).to_list() == [(3, 3)]
def both(x, a, b): return a(x), b()[0]
assert remote_parallel_map(functools.partial(both, a=add, b=read), [1]).to_list() == [(6, 6)]
def recursive():
    def even(n): return True if n == 0 else odd(n - 1)
    def odd(n): return False if n == 0 else even(n - 1)
    return even
assert remote_parallel_map(recursive(), [10, 7], order="input").to_list() == [True, False]
first, second = counter(), counter()
def apart(x): return first[0](x), second[1]()[0]
assert remote_parallel_map(apart, [4]).to_list() == [(4, 0)]
assert read()[0] == 5`);
});
