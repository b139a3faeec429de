/** Cells that are armed, on a real local cluster. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as v from "valibot";
import { CELL_VIEW_MIME, cellViewSchema, type ArmedRun, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import { interpreter, KernelHost, startKernel } from "@burla/kernel-bridge/jupyter";
import { outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { useCluster } from "../support/cluster.ts";
import { until } from "../support/until.ts";
import { JupyterServer } from "./server.ts";
import { ARMED_CASES, type ArmedCase } from "./armed-cells.ts";
import { PYTHON } from "../../scripts/jupyter/install.ts";

const host = new KernelHost();
let kernel: LiveKernel;
// Before the cluster ends, which waits for all who use it.
after(async () => {
  await kernel.dispose();
  await host.dispose();
});
const cluster = useCluster();
before(async () => (kernel = await startKernel(host.endpoint, interpreter(PYTHON))));

async function runArmed(code: string, order: Partial<ArmedRun> = {}): Promise<KernelEvent[]> {
  const cellId = order.cellId ?? "the cell";
  await kernel.arm({ cellId, cluster: null, clusterName: "local", onlyInputs: null, attachTo: null, ...order });
  return run(kernel, code, { cellId });
}

/** All that the cell has shown of its run, as documents that the schema knows. */
function viewsOf(events: readonly KernelEvent[]): CellView[] {
  return events.flatMap((event) => (event.type === "display" || event.type === "displayUpdate") && CELL_VIEW_MIME in event.data ? [v.parse(cellViewSchema, event.data[CELL_VIEW_MIME])] : []);
}

function lastView(events: readonly KernelEvent[]): CellView {
  const view = viewsOf(events).at(-1);
  assert.ok(view !== undefined, `the cell has shown no run: ${JSON.stringify(events)}`);
  return view;
}

function errorOf(events: readonly KernelEvent[]): { name: string; message: string } | undefined {
  const error = events.find((event) => event.type === "error");
  return error === undefined ? undefined : { name: error.name, message: error.message };
}

/** What a user has from it: the displayed value, the error, and what names mean afterwards. */
async function outcome({ look }: ArmedCase, events: KernelEvent[]): Promise<unknown> {
  const names = look === undefined ? undefined : await run(kernel, look);
  return { outcome: outcomeOf(events), value: valueOf(events), error: errorOf(events), names: names === undefined ? undefined : [valueOf(names), errorOf(names)] };
}

const FRESH = "%reset -f";

for (const armedCase of ARMED_CASES) {
  test(`as here, so on the cluster: ${armedCase.name}`, async () => {
    await run(kernel, `${FRESH}\n${armedCase.setup ?? ""}`);
    const here = await outcome(armedCase, await run(kernel, armedCase.cell));
    await run(kernel, `${FRESH}\n${armedCase.setup ?? ""}`);
    const events = await runArmed(armedCase.cell);
    assert.deepEqual(await outcome(armedCase, events), here);
    assert.equal(lastView(events).how, armedCase.how);
    assert.equal(lastView(events).phase, errorOf(events) === undefined ? "done" : "failed");
  });
}

test("a cell is armed for one run, and others are left alone", async () => {
  await run(kernel, `${FRESH}\nimport os\ndef who(_): return os.getpid()`);
  await kernel.arm({ cellId: "a", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null });
  const mine = valueOf(await run(kernel, "os.getpid()"));
  assert.equal(valueOf(await run(kernel, "[who(0)][0]", { cellId: "b" })), mine);
  assert.notEqual(valueOf(await run(kernel, "[who(x) for x in [0]]", { cellId: "a" })), `[${mine}]`);
  assert.equal(valueOf(await run(kernel, "[who(x) for x in [0]]", { cellId: "a" })), `[${mine}]`);
  assert.equal(valueOf(await run(kernel, "[name for name in globals() if 'burla' in name or '<' in name]")), "[]");
});

for (const [name, cell, reason] of [
  ["coroutines that nobody awaits", "async def g(x): return x\nr = [g(x) for x in range(3)]", /Line 2.*`g` is async.*await asyncio\.gather/],
  ["the same with map", "async def g(x): return x\nr = list(map(g, range(3)))", /Line 2.*`g` is async/],
  ["a star import in the middle", "x = 1\nfrom math import *", /Line 2.*import \*/],
] as const) {
  test(`refused with its reason: ${name}`, async () => {
    const events = await runArmed(cell);
    assert.equal(errorOf(events)?.name, "CannotRunOnCluster");
    assert.match(errorOf(events)?.message ?? "", reason);
    assert.equal(valueOf(await run(kernel, "6 * 7")), "42");
  });
}

test("what cannot be sent back is named, the rest is bound", async () => {
  const events = await runArmed("n = 1\nlock = __import__('threading').Lock()\nm = n + 1");
  assert.equal(outcomeOf(events), "ok");
  assert.match(events.map((event) => (event.type === "stream" && event.name === "stderr" ? event.text : "")).join(""), /`lock` cannot be sent back/);
  assert.equal(valueOf(await run(kernel, "n, m, 'lock' in globals()")), "(1, 2, False)");
});

test("a failing input shows its own line, and only the failed ones run again", async () => {
  await run(kernel, `${FRESH}\ndef f(x):\n    return 100 // (x - 3)\nmade = []\ndef numbers():\n    for i in range(6):\n        made.append(i)\n        yield i`);
  const cell = "# a comment\nr = [\n    f(x)\n    for x in numbers()\n]";
  const events = await runArmed(cell);
  const [failure] = lastView(events).failures;
  assert.equal(errorOf(events)?.name, "ZeroDivisionError");
  assert.deepEqual([failure?.index, failure?.line, failure?.source, failure?.name], [3, 3, "f(x)", "ZeroDivisionError"]);
  assert.equal(failure?.traceback, "", "the kernel tells it");
  await run(kernel, "def f(x):\n    return -x");
  const again = await runArmed(cell, { onlyInputs: [3] });
  assert.equal(outcomeOf(again), "ok");
  assert.equal(valueOf(await run(kernel, "r, made")), "([-34, -50, -100, -3, 100, 50], [0, 1, 2, 3, 4, 5])");
  const none = await runArmed("r = [f(x) for x in numbers()]", { onlyInputs: [3] });
  assert.match(errorOf(none)?.message ?? "", /not in this kernel any more/);
});

test("asked for no input, all that failed run again, and they alone", async () => {
  await run(kernel, `${FRESH}\nbroken = True`);
  const cell = "def f(x):\n    if broken and x % 2: raise ValueError('odd')\n    return x if broken else -x\nr = [f(x) for x in range(5)]";
  assert.equal(lastView(await runArmed(cell)).failed, 2);
  await run(kernel, "broken = False");
  const again = await runArmed(cell, { onlyInputs: [] });
  assert.equal(errorOf(again), undefined);
  assert.equal(lastView(again).done, 2);
  assert.equal(valueOf(await run(kernel, "r")), "[0, -1, 2, -3, 4]");
});

test("an interrupt cancels the job, in every phase, and the session goes on", async () => {
  await run(kernel, `${FRESH}\nimport time\ndef slow(x):\n    print('at', x, flush=True)\n    time.sleep(600)\n    return x\nkept = 7`);
  for (const phase of ["preparing", "running"] as const) {
    await kernel.arm({ cellId: "c", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null });
    const events: KernelEvent[] = [];
    let isInterrupted = false;
    for await (const event of kernel.execute("[slow(x) for x in range(4)]", { cellId: "c" })) {
      events.push(event);
      const view = viewsOf([event]).at(-1);
      if (isInterrupted || view === undefined || (phase === "running" && view.log.total === 0)) continue;
      isInterrupted = true;
      await kernel.interrupt();
    }
    const error = events.find((event) => event.type === "error");
    assert.equal(error?.name, "KeyboardInterrupt");
    // The innermost frame is never hidden; those of the client are taken out.
    assert.doesNotMatch(error.traceback.join("\n"), /in memory: burla\./);
    const { phase: last, jobId } = lastView(events);
    assert.equal(last, "cancelled");
    await until("the job has ended on the cluster", async () => (await cluster.status()).jobs.every((job) => job.jobId !== jobId || job.phase === "cancelled"));
    assert.equal(valueOf(await run(kernel, "kept")), "7");
  }
});

for (const [how, cell] of [
  ["a map", "[slow(x) for x in range(4)]"],
  ["a pool", "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool: list(pool.map(slow, range(4)))"],
] as const) {
  test(`an interrupt in the moment in which ${how} is first shown cancels it, and the session goes on`, async () => {
    await run(kernel, `${FRESH}\nimport time\ndef slow(x):\n    time.sleep(600)\nkept = 7`);
    await run(kernel, `
import os, signal
def interrupt_when_shown(pub):
    publish = pub.publish
    def shown(*args, **kwargs):
        publish(*args, **kwargs)
        if "${CELL_VIEW_MIME}" in kwargs.get("data", {}):
            del pub.publish
            os.kill(os.getpid(), signal.SIGINT)
    pub.publish = shown
interrupt_when_shown(get_ipython().display_pub)`);
    const events = await runArmed(cell);
    assert.equal(errorOf(events)?.name, "KeyboardInterrupt");
    const { phase, jobId } = lastView(events);
    assert.equal(phase, "cancelled");
    await until("the job has ended on the cluster", async () => (await cluster.status()).jobs.every((job) => job.jobId !== jobId || job.phase === "cancelled"));
    assert.equal(valueOf(await run(kernel, "kept")), "7");
  });
}

test("the static forms tell what happened", async () => {
  await run(kernel, `${FRESH}\ndef f(x):\n    print('line', x)\n    return '<b>' * x`);
  const events = await runArmed("[f(x) for x in range(3)]");
  const shown = events.findLast((event) => event.type === "displayUpdate");
  assert.match(String(shown?.data["text/plain"]), /f is done on local, 3 of 3 inputs/);
  assert.match(String(shown?.data["text/html"]), /&lt;b&gt;/);
  assert.match(String(shown?.data["text/html"]), /line 2/);
  assert.equal(lastView(events).log.total, 3);
});

test("a job of a kernel that died is taken up again by its id, and its results are bound in another kernel", async () => {
  const setup = `${FRESH}\nimport time\ndef f(x):\n    time.sleep(0.2)\n    return x * 2`;
  const cell = "r = {x: f(x) for x in range(12)}";
  const other = await startKernel(host.endpoint, interpreter(PYTHON));
  const pid = Number(valueOf(await run(other, "import os\nos.getpid()")));
  await run(other, setup);
  await other.arm({ cellId: "d", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null });
  const left: KernelEvent[] = [];
  for await (const event of other.execute(cell, { cellId: "d" })) {
    left.push(event);
    if (viewsOf([event]).some(({ done }) => done > 0)) process.kill(pid, "SIGKILL");
  }
  assert.equal(outcomeOf(left), "lost");
  const { jobId } = lastView(left);
  await run(kernel, setup);
  const events = await runArmed(cell, { cellId: "d", attachTo: jobId });
  assert.equal(outcomeOf(events), "ok");
  assert.equal(lastView(events).jobId, jobId);
  assert.equal(valueOf(await run(kernel, "r == {x: x * 2 for x in range(12)}")), "True");
  await other.dispose();
});

test("a kernel of a Jupyter server runs cells on the cluster, too", async () => {
  const server = new JupyterServer();
  const remote = await startKernel(await server.endpoint(), { name: "python3", language: "python" });
  try {
    await run(remote, "k = 3\ndef f(x): return x * k");
    await remote.arm({ cellId: "s", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null });
    const events = await run(remote, "[f(x) for x in range(4)]", { cellId: "s" });
    assert.equal(valueOf(events), "[0, 3, 6, 9]");
    assert.equal(lastView(events).phase, "done");
  } finally {
    await remote.dispose();
    await server.stop();
  }
});

test("a cell that has ended while nobody looked is taken up where its kernel lives", async () => {
  await run(kernel, `${FRESH}\ncalls = []\ndef f(x): return x * 2`);
  const { jobId } = lastView(await runArmed("r = [f(x) for x in range(3)]", { cellId: "e" }));
  const events = await runArmed("again = [f(x) for x in range(3)]", { cellId: "e", attachTo: jobId });
  assert.equal(outcomeOf(events), "ok");
  assert.equal(valueOf(await run(kernel, "again == r")), "True");
});

test("a million inputs and a hundred thousand lines lose nothing and stay readable", async () => {
  await run(kernel, FRESH);
  const many = await runArmed("r = [x + 1 for x in range(1_000_000)]");
  assert.equal(outcomeOf(many), "ok", JSON.stringify(errorOf(many)));
  assert.equal(valueOf(await run(kernel, "len(r), r == list(range(1, 1_000_001))")), "(1000000, True)");
  await run(kernel, "def chatty(x):\n    for i in range(1000): print(x, i)\n    return x");
  const events = await runArmed("r = [chatty(x) for x in range(100)]");
  assert.equal(valueOf(await run(kernel, "r == list(range(100))")), "True");
  const view = lastView(events);
  assert.equal(view.log.lines.length, 200);
  assert.ok(viewsOf(events).length < 2_000, `${viewsOf(events).length} displays`);
});
