/** What a user reads of an error in a cell that runs on the cluster: their own lines, once; and what is kept of the rest. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { KernelEvent } from "@burla/kernel-bridge";
import { outcomeOf, streamOf, valueOf } from "../contract/live-kernel.ts";
import { errorText, lastView, useArmedKernel, viewsOf } from "./armed-kernel.ts";

const { here, armed, live } = useArmedKernel();
const folder = mkdtempSync(join(tmpdir(), "burla-cell-errors-"));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "their_module.py"), "def outer(x):\n    return inner(x)\n\ndef inner(x):\n    return 1 // x\n");

const SETUP = `%reset -f\nimport sys\nsys.path.append(${JSON.stringify(folder)})\nimport their_module\ndef f(x):\n    return 100 // (x - 3)\ndef early():\n    raise KeyError('early')\ndef numbers():\n    yield 1\n    raise LookupError('no more')`;

const OURS = /burla_kernel|burla_worker|burla_protocol|cloudpickle|<burla|hidden|<cell>|<loop>|<element/;

/** Where the traceback goes through, outermost first: `2` for a line of the cell itself, `f 1` for one in a function. */
function placesOf(text: string): string[] {
  const frames = [...text.matchAll(/^(?:Cell In ?\[\d+\], line (\d+)|File \S*?(\w+\.py):(\d+))(?:, in ([\w.<>]+)\(.*)?$/gm)];
  return frames.map(([, line, file, fileLine, name]) => [name ?? "", file === undefined ? line : `${file}:${fileLine}`].join(" ").trim());
}

for (const [name, cell, error, places] of [
  ["before the map", "a = 1\nearly()\nr = [f(x) for x in range(5)]", "KeyError", ["2", "early 8"]],
  ["in an element", "a = 1\nr = [\n    f(x)\n    for x in range(5)\n]\nlen(r)", "ZeroDivisionError", ["2", "<listcomp> 3", "f 6"]],
  ["in the function of a map", "r = list(map(f, range(5)))", "ZeroDivisionError", ["1", "f 6"]],
  ["in a generator that is summed", "sum(f(x) for x in range(5))", "ZeroDivisionError", ["1", "<genexpr> 1", "f 6"]],
  ["in the turn of a loop", "rows = []\nfor x in range(5):\n    y = x + 0\n    rows.append(f(y))", "ZeroDivisionError", ["4", "f 6"]],
  ["in a cell that is one call", "total = 0\nfor x in range(5):\n    total = total * 2 + f(x)\ntotal", "ZeroDivisionError", ["3", "f 6"]],
  ["in the generator of the inputs", "r = [f(x) for x in numbers()]", "LookupError", ["1", "<genexpr> 1", "numbers 11"]],
  ["after the map", "r = [f(x) for x in range(3)]\nq = r[0]\nr[7]", "IndexError", ["3"]],
  ["in an imported module", "r = [their_module.outer(x) for x in range(2)]", "ZeroDivisionError", ["1", "<listcomp> 1", "outer their_module.py:2", "inner their_module.py:5"]],
  ["in a pool", "from multiprocessing import Pool\nwith Pool() as pool:\n    r = pool.starmap(f, [(1,), (3,)])", "ZeroDivisionError", ["3", "f 6"]],
  ["in apply", "import pandas as pd\nr = pd.Series([1, 3]).apply(f)", "ZeroDivisionError", ["2", "f 6"]],
] as const) {
  test(`the traceback has the user's lines only: ${name}`, async () => {
    await here(SETUP);
    const events = await armed(cell);
    const text = errorText(events);
    assert.match(text, new RegExp(`^${error}: `, "m"));
    assert.doesNotMatch(text, OURS);
    const modern = (await pythonOf()) >= 12;
    const wanted = places.filter((place) => !(modern && place.startsWith("<listcomp>")));
    assert.deepEqual(placesOf(text), wanted, text);
    if (wanted.at(-1) === "f 6") assert.match(text, /-> 6 {5}return 100 \/\/ \(x - 3\)/, "each line has its own number");
    assert.equal(streamOf(events, "stderr"), "");
    for (const view of viewsOf(events).slice(-1)) for (const { traceback } of view.failures) assert.doesNotMatch(traceback, OURS);
  });
}

async function pythonOf(): Promise<number> {
  return Number(valueOf(await here("sys.version_info[1]")));
}

test("a syntax error is shown at its place", async () => {
  const events = await armed("r = [f(x) for x in range(3)]\nq = = 3");
  assert.match(errorText(events), /line 2\n {4}q = = 3\n {8}\^\nSyntaxError/);
  assert.deepEqual(viewsOf(events), []);
});

test("an interrupt is shown at the line that waited", async () => {
  await here(`${SETUP}\nimport time\ndef slow(x):\n    print('at', flush=True)\n    time.sleep(600)`);
  await live().arm({ cellId: "slow", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null });
  const events: KernelEvent[] = [];
  let isInterrupted = false;
  for await (const event of live().execute("a = 1\nr = [slow(x) for x in range(2)]", { cellId: "slow" })) {
    events.push(event);
    if (isInterrupted || (viewsOf([event]).at(-1)?.log.total ?? 0) === 0) continue;
    isInterrupted = true;
    await live().interrupt();
  }
  assert.deepEqual(placesOf(errorText(events)), ["2"], errorText(events));
  assert.doesNotMatch(errorText(events), OURS);
});

test("what a cell prints of an error that it has caught has the user's lines only", async () => {
  await here(SETUP);
  const events = await armed("import traceback\ntry:\n    r = [f(x) for x in range(5)]\nexcept ZeroDivisionError:\n    print(traceback.format_exc())\n'r' in globals()");
  assert.match(streamOf(events), /line 3, in <module>[^]*line 6, in f/);
  assert.doesNotMatch(streamOf(events), OURS);
  assert.equal(valueOf(events), "False", "what a cell has caught leaves its names as they were");
});

test("causes have the user's lines only, too", async () => {
  await here(`${SETUP}\ndef g(x):\n    try:\n        return f(x)\n    except ZeroDivisionError as error:\n        raise RuntimeError('no f') from error`);
  const text = errorText(await armed("r = list(map(g, [3]))"));
  assert.match(text, /direct cause/);
  assert.doesNotMatch(text, OURS);
  assert.deepEqual(placesOf(text), ["g 14", "f 6", "1", "g 16"]);
});

test("what cannot be sent is named as the cell calls it", async () => {
  await here(`${SETUP}\nimport threading\nlock = threading.Lock()`);
  const text = errorText(await armed("r = [f(lock) for x in range(2)]"));
  assert.match(text, /^BurlaError: f cannot be sent to the cluster: f → lock is a lock/m);
  assert.doesNotMatch(text, OURS);
});

test("an error is told once: by the kernel; the card names the inputs, and has the tracebacks of the others", async () => {
  await here(SETUP);
  const { failures } = lastView(await armed("r = [their_module.outer(x % 2) for x in range(4)]"));
  assert.deepEqual(failures.map(({ index, message, traceback }) => [index, message, /Cell In|line 1/.test(traceback)]), [
    [0, "integer division or modulo by zero", false],
    [2, "integer division or modulo by zero", true],
  ]);
  const call = lastView(await armed("a = 1\nf(a + 2)"));
  assert.deepEqual([call.phase, call.failed, call.failures], ["failed", 1, []]);
});

test("an input has one index in both runs: in the log, in the list and in the traceback", async () => {
  await here(`${SETUP}\nlimit = 2\ndef score(x):\n    print('scoring', x)\n    if x >= limit: raise ValueError(f'no {x}')\n    return -x`);
  const cell = "r = [score(x) for x in range(4)]";
  await armed(cell);
  await here("limit = 3");
  const events = await armed(cell, { onlyInputs: [] });
  const view = lastView(events);
  assert.deepEqual(view.log.lines.map(([index, , text]) => [index, text]).toSorted(), [[2, "scoring 2"], [3, "scoring 3"]]);
  assert.deepEqual([view.samples.map(({ index }) => index), view.failures.map(({ index }) => index)], [[2], [3]]);
  assert.equal(valueOf(await here("import burla\nfailed = burla.last.settled()[3].reason\nfailed.input_index, [note for note in getattr(failed, '__notes__', ['burla: this was input 3'])]")), "(3, ['burla: this was input 3'])");
});

test("of a map that failed in part what came is kept, and running the failed inputs again completes it and goes on", async () => {
  await here(`${SETUP}\nimport burla`);
  const cell = "ys = [f(x) for x in range(5)]\nafterwards = sum(ys)\nafterwards";
  const failed = await armed(cell);
  assert.equal(outcomeOf(failed), "error");
  assert.match(lastView(failed).note, /`ys` has the 4 results that came; where an input has failed, its exception stands/);
  assert.equal(valueOf(await here("[*ys[:3], type(ys[3]).__name__, ys[4], 'afterwards' in globals()]")), "[-34, -50, -100, 'ZeroDivisionError', 100, False]");
  assert.equal(valueOf(await here("[(one.index, one.status, one.value) for one in burla.last.settled()][2:4]")), "[(2, 'fulfilled', -100), (3, 'rejected', None)]");
  await here("def f(x): return 1000");
  const again = await armed(cell, { onlyInputs: [3] });
  assert.deepEqual([valueOf(again), lastView(again).note], ["916", ""]);
  assert.equal(valueOf(await here("ys, [one.value for one in burla.last.settled()] == ys")), "([-34, -50, -100, 1000, 100], True)");
});

for (const [name, cell, look, value] of [
  ["a dict by its keys", "d = {x: f(x) for x in range(2, 5)}", "d[2], type(d[3]).__name__, d[4]", "(-100, 'ZeroDivisionError', 100)"],
  ["a dict of computed keys", "d = {str(x): f(x) for x in range(2, 5)}", "d", "{'2': -100, '4': 100}"],
  ["a set", "d = {f(x) for x in range(2, 5)}", "d == {-100, 100}", "True"],
  ["list(map), under two names", "d = e = list(map(f, range(2, 5)))", "d is e, d[0], type(d[1]).__name__", "(True, -100, 'ZeroDivisionError')"],
  ["what is more than the results gets no name", "import pandas as pd\nd = pd.Series([f(x) for x in range(2, 5)])", "'d' in globals()", "False"],
] as const) {
  test(`what came is kept: ${name}`, async () => {
    await here(SETUP);
    assert.equal(outcomeOf(await armed(cell)), "error");
    assert.equal(valueOf(await here(look)), value);
  });
}

test("failed inputs whose second run was stopped are still to be run, and the rest is still there", async () => {
  await here(`${SETUP}\nimport time\nhow = 'fail'\ndef g(x):\n    if x % 2 == 0: return x\n    if how == 'fail': raise ValueError(x)\n    if how == 'wait':\n        print('waits', flush=True)\n        time.sleep(600)\n    return -x`);
  const cell = "ys = [g(x) for x in range(4)]";
  await armed(cell, { cellId: "stopped" });
  await here("how = 'wait'");
  await live().arm({ cellId: "stopped", cluster: null, clusterName: "local", onlyInputs: [], attachTo: null });
  let isInterrupted = false;
  for await (const event of live().execute(cell, { cellId: "stopped" })) {
    if (isInterrupted || (viewsOf([event]).at(-1)?.log.total ?? 0) === 0) continue;
    isInterrupted = true;
    await live().interrupt();
  }
  await here("how = 'work'");
  assert.equal(outcomeOf(await armed(cell, { cellId: "stopped", onlyInputs: [] })), "ok");
  assert.equal(valueOf(await here("ys")), "[0, -1, 2, -3]");
});

const LIMITED = "limit = 2\ndef g(x):\n    print('called', x)\n    if x > limit: raise ValueError(f'no {x}')\n    return -x";

for (const [name, cell] of [
  ["an executor's map", "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as ex:\n    r = list(ex.map(g, range(5)))\nr"],
  ["an executor's futures, taken as they come", "import concurrent.futures as cf\nwith cf.ProcessPoolExecutor() as ex:\n    futures = [ex.submit(g, x=x) for x in range(5)]\n    for future in cf.as_completed(futures): future.result()\nr = [future.result() for future in futures]\nr"],
  ["a pool's map", "from multiprocessing import Pool\nwith Pool() as pool:\n    r = pool.map(g, range(5))\nr"],
  ["a pool's results in any order", "from multiprocessing.pool import ThreadPool\nwith ThreadPool(4) as pool:\n    r = sorted(pool.imap_unordered(lambda x: g(x), range(5)), reverse=True)\nr"],
  ["a pool that is closed by hand", "from multiprocessing import Pool\npool = Pool()\nasked = pool.starmap_async(g, [(x,) for x in range(5)])\npool.close()\npool.join()\nr = asked.get()\nr"],
  ["joblib", "from joblib import Parallel, delayed\nr = Parallel(n_jobs=4)(delayed(g)(x) for x in range(5))\nr"],
] as const) {
  test(`of calls that failed in part what came is kept, and those that failed run again alone: ${name}`, async () => {
    await here(`%reset -f\n${LIMITED}`);
    const failed = await armed(cell);
    assert.match(errorText(failed), /^ValueError: no [34]/m);
    assert.equal(valueOf(await here("import burla\n[(one.index, one.value) for one in burla.last.settled() if one.status == 'fulfilled']")), "[(0, 0), (1, -1), (2, -2)]");
    await here(LIMITED.replace("limit = 2", "limit = 9"));
    const again = await armed(cell, { onlyInputs: [] });
    assert.equal(valueOf(again), "[0, -1, -2, -3, -4]", errorText(again));
    assert.deepEqual(lastView(again).log.lines.map(([index, , text]) => `${index} ${text}`).toSorted(), ["3 called 3", "4 called 4"]);
    assert.equal(valueOf(await here("[one.value for one in burla.last.settled()]")), "[0, -1, -2, -3, -4]");
  });
}

test("calls whose failures the cell has caught run again, those with other arguments run anew, and a pool without any of them begins no job", async () => {
  await here(`%reset -f\nfrom concurrent.futures import ThreadPoolExecutor\nextra = 100\ndef f(x): return x * 10\n${LIMITED}`);
  const cell = "with ThreadPoolExecutor() as first:\n    a = list(first.map(f, range(3)))\nb = []\nwith ThreadPoolExecutor() as second:\n    for future in [second.submit(g, x) for x in [1, 3, extra - 100]]:\n        try:\n            b.append(future.result())\n        except ValueError as error:\n            b.append(str(error))\na, b";
  assert.equal(valueOf(await armed(cell)), "([0, 10, 20], [-1, 'no 3', 0])");
  await here("limit, extra = 9, 102");
  const again = await armed(cell, { onlyInputs: [1] });
  assert.equal(valueOf(again), "([0, 10, 20], [-1, -3, -2])", errorText(again));
  assert.deepEqual(lastView(again).log.lines.map(([, , text]) => text).toSorted(), ["called 2", "called 3"]);
  assert.deepEqual(lastView(again).steps.map(({ done, failed }) => [done, failed]).filter(([done]) => done! > 0), [[3, 0], [2, 0]]);
});

test("after a call has failed the others of a pool still run, so that only what failed is left", async () => {
  await here("%reset -f\nimport time\ndef h(x):\n    if x == 0: raise ValueError('no 0')\n    time.sleep(0.3)\n    return x");
  assert.match(errorText(await armed("from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as ex:\n    r = list(ex.map(h, range(8)))")), /^ValueError: no 0/m);
  assert.equal(valueOf(await here("import burla\nburla.last")), "<burla.last: 7 results, 1 failed; see settled()>");
});
