/** Cells of the Node session on a cluster: what is shown, failures that run again, and ends of all kinds. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CELL_VIEW_MIME, cellViewSchema, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import * as v from "valibot";
import { during, outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { useCluster } from "../support/cluster.ts";
import { until, within } from "../support/until.ts";
import { NotebookFolder } from "./notebook-folder.ts";
import { armedRun, errorText, plain, runArmed, startSession } from "./session.ts";

const folder = new NotebookFolder();
let session: LiveKernel;
// Before the cluster, which counts every program of this file that is left.
after(async () => {
  await (session as LiveKernel | undefined)?.dispose();
  folder.remove();
});
const cluster = useCluster();
before(async () => (session = await startSession(folder.path)));

/** Every state of the job that was shown, each checked by the schema. */
function viewsOf(events: readonly KernelEvent[]): CellView[] {
  return events.flatMap((event) => (event.type === "display" || event.type === "displayUpdate" ? [v.parse(cellViewSchema, event.data[CELL_VIEW_MIME])] : []));
}

async function jobOf(view: CellView | undefined): Promise<string> {
  return (await cluster.job(view?.jobId ?? "")).phase;
}

test("a job is shown once and then updated, with its log and a sample of its results", async () => {
  const events = await runArmed(session, "const doubled = [5, 6, 7].map((x) => { console.log('at', x); console.error('beside'); return { x, twice: x * 2 } })");
  const displays = events.filter((event) => event.type === "display");
  const ids = new Set(events.flatMap((event) => ("displayId" in event ? [event.displayId] : [])));
  const last = viewsOf(events).at(-1);
  assert.equal(displays.length, 1);
  assert.equal(ids.size, 1);
  assert.equal(viewsOf(events)[0]?.phase, "preparing");
  assert.equal(last?.phase, "done");
  assert.deepEqual([last.how, last.total, last.done, last.failed, last.running, last.cluster], ["map", 3, 3, 0, 0, "local"]);
  assert.deepEqual(last.log.lines.toSorted(), [0, 1, 2].flatMap((index) => [[index, 1, `at ${index + 5}`], [index, 2, "beside"]]).toSorted() as CellView["log"]["lines"]);
  assert.deepEqual(last.samples.map(({ index, text }) => [index, text]), [5, 6, 7].map((x, index) => [index, `{ x: ${x}, twice: ${x * 2} }`]));
  const text = String(events.findLast((event) => event.type === "displayUpdate")?.data["text/plain"]);
  assert.match(text, /is done on local, 3 of 3 inputs/);
});

test("an input that fails has the line of the cell, the others have run, and failed ones run again", async () => {
  const cell = "const retried = [1, 2, 3, 4].map((x) => {\n  if (x % 2 === 0 && limit < x)\n    throw new RangeError('odd ' + x);\n  return x * 10;\n})";
  assert.equal(outcomeOf(await run(session, "let limit = 0")), "ok");
  const events = await runArmed(session, cell);
  const view = viewsOf(events).at(-1);
  assert.equal(outcomeOf(events), "error");
  assert.deepEqual([view?.phase, view?.done, view?.failed], ["failed", 2, 2]);
  assert.deepEqual(view?.failures.map(({ index, name, message, line, source }) => [index, name, message, line, source]), [
    [1, "RangeError", "odd 2", 3, "    throw new RangeError('odd ' + x);"],
    [3, "RangeError", "odd 4", 3, "    throw new RangeError('odd ' + x);"],
  ]);
  const settled = "burla.last.settled().map(({ index, status, value, reason }) => `${index} ${status} ${value ?? reason.message}`).join()";
  assert.equal(valueOf(await run(session, settled)), "'0 fulfilled 10,1 rejected odd 2,2 fulfilled 30,3 rejected odd 4'");
  assert.match(errorText(events), /cell \d+:3:11\n {4}throw new RangeError\('odd ' \+ x\);\n {10}\^\nRangeError: odd 2\n {4}at .*cell \d+:3:11/);

  assert.equal(outcomeOf(await run(session, "limit = 2")), "ok");
  const half = await runArmed(session, cell, { onlyInputs: [1, 3] });
  assert.equal(outcomeOf(half), "error");
  assert.deepEqual(viewsOf(half).at(-1)?.failures.map(({ index }) => index), [3]);
  assert.equal(viewsOf(half).at(-1)?.total, 2);

  assert.equal(outcomeOf(await run(session, "limit = 9")), "ok");
  assert.equal(outcomeOf(await runArmed(session, cell, { onlyInputs: [3] })), "ok");
  assert.equal(plain(valueOf(await run(session, "retried"))), "[ 10, 20, 30, 40 ]");

  const gone = await runArmed(session, cell, { onlyInputs: [3] });
  assert.match(errorText(gone), /run the cell again/);
});

test("asked for no input, all that failed run again, and they alone", async () => {
  await run(session, "let broken = true");
  const cell = "const all = [0, 1, 2, 3, 4].map((x) => { if (broken && x % 2 === 1) throw new Error('odd'); return broken ? x : -x })";
  assert.equal(viewsOf(await runArmed(session, cell)).at(-1)?.failed, 2);
  await run(session, "broken = false");
  const again = await runArmed(session, cell, { onlyInputs: [] });
  assert.equal(errorText(again), "");
  assert.equal(viewsOf(again).at(-1)?.done, 2);
  assert.equal(plain(valueOf(await run(session, "all"))), "[ 0, -1, 2, -3, 4 ]");
});

test("a failure in a function of an earlier cell shows that cell's line", async () => {
  await run(session, "function earlier(x: number) {\n\n  throw new Error('deep ' + x);\n}");
  const events = await runArmed(session, "[1].map((x) => earlier(x))");
  const [failure] = viewsOf(events).at(-1)?.failures ?? [];
  assert.equal(failure?.line, null);
  assert.equal(failure?.source, "  throw new Error('deep ' + x);");
  assert.match(failure.traceback, /at earlier \(cell \d+:3:9\)\n\s+at .*cell \d+:1:16/);
});

test("what cannot be sent is said before anything runs, with its path", async () => {
  await run(session, "const socket = new (require('node:net').Socket)()");
  const events = await runArmed(session, "[1].map(() => socket.destroyed)");
  assert.match(errorText(events), /CaptureError: Cannot send .*socket/);
  assert.equal(outcomeOf(events), "error");
});

test("a job is cancelled while it runs, and the session keeps its variables", async () => {
  await run(session, "var kept = 11");
  await session.arm(armedRun);
  const code = "await Promise.all([...Array(50).keys()].map(async (i) => { console.log('runs'); await new Promise((r) => setTimeout(r, 60_000)); return i }))";
  const views: CellView[] = [];
  let interrupted: Promise<void> | undefined;
  const events: KernelEvent[] = [];
  for await (const event of session.execute(code, { cellId: armedRun.cellId })) {
    events.push(event);
    views.push(...viewsOf([event]));
    if ((views.at(-1)?.log.total ?? 0) > 0) interrupted ??= session.interrupt();
  }
  await interrupted;
  assert.equal(outcomeOf(events), "error");
  assert.match(errorText(events), /Interrupted/);
  assert.equal(views.at(-1)?.phase, "cancelled");
  await until("the job is cancelled", async () => (await jobOf(views.at(-1))) === "cancelled");
  assert.equal(valueOf(await run(session, "kept")), "11");
});

test("a job is cancelled while it is being prepared", async () => {
  await session.arm(armedRun);
  const controller = new AbortController();
  const events: KernelEvent[] = [];
  for await (const event of session.execute("[1, 2].map((x) => { for (;;) x++ })", { cellId: armedRun.cellId, signal: controller.signal })) {
    events.push(event);
    if (event.type === "display") controller.abort();
  }
  assert.equal(outcomeOf(events), "error");
  assert.equal(viewsOf(events).at(-1)?.phase, "cancelled");
  await cluster.ready();
});

test("an endless generator of inputs is cancelled", async () => {
  await session.arm(armedRun);
  const events: KernelEvent[] = [];
  let interrupted: Promise<void> | undefined;
  const code = "function* endless() { for (let i = 0; ; i++) yield i }\nArray.from(endless(), (x) => x)";
  for await (const event of session.execute(code, { cellId: armedRun.cellId })) {
    events.push(event);
    if ((viewsOf([event])[0]?.done ?? 0) > 1000) interrupted ??= session.interrupt();
  }
  await interrupted;
  assert.equal(outcomeOf(events), "error");
  assert.equal(viewsOf(events).at(-1)?.phase, "cancelled");
});

test("a job that was left is taken up again, and its results are bound", async () => {
  const first = await runArmed(session, "const left = [1, 2, 3].map((x) => x + 0.5)");
  const jobId = viewsOf(first).at(-1)?.jobId ?? "";
  await session.restart();
  const again = await runArmed(session, "const left = gone.map(lost)", { attachTo: jobId });
  assert.equal(errorText(again), "");
  assert.equal(plain(valueOf(await run(session, "left"))), "[ 1.5, 2.5, 3.5 ]");
  assert.equal(viewsOf(again).at(-1)?.done, 3);
});

test("a restart ends the job of the cell that runs", async () => {
  await session.arm(armedRun);
  let view: CellView | undefined;
  const events: KernelEvent[] = [];
  let restarted: Promise<void> | undefined;
  for await (const event of session.execute("await Promise.all([1].map(async (x) => { console.log('on'); await new Promise((r) => setTimeout(r, 60_000)) }))", { cellId: armedRun.cellId })) {
    events.push(event);
    view = viewsOf([event])[0] ?? view;
    if ((view?.log.total ?? 0) > 0) restarted ??= session.restart();
  }
  await restarted;
  assert.ok(["lost", "error"].includes(outcomeOf(events)));
  await until("the job is cancelled", async () => (await jobOf(view)) === "cancelled");
});

test("display and input on the cluster say what they can", async () => {
  const events = await runArmed(session, "await Promise.all([1].map(async (x) => { display(x + 1); try { await input('?') } catch (error) { return (error as Error).message } }))");
  assert.deepEqual(viewsOf(events).at(-1)?.log.lines, [[0, 1, "2"]]);
  assert.match(plain(valueOf(events)), /input\(\) asks the user of a notebook/);
});

test("an armed cell applies once, to its own cell", async () => {
  await session.arm(armedRun);
  assert.deepEqual(viewsOf(await run(session, "[1].map((x) => x)", { cellId: "another" })), []);
  assert.equal(viewsOf(await run(session, "[1].map((x) => x)", { cellId: armedRun.cellId })).at(-1)?.done, 1);
  assert.deepEqual(viewsOf(await run(session, "[1].map((x) => x)", { cellId: armedRun.cellId })), []);
});

test("a million inputs and a hundred thousand lines freeze nothing and lose nothing", async () => {
  const events = await within(120_000, "a million inputs", runArmed(session, "const many = Array.from({ length: 1_000_000 }, (_, i) => i * 2)"));
  assert.equal(outcomeOf(events), "ok");
  assert.equal(valueOf(await run(session, "many.length === 1e6 && many.every((x, i) => x === i * 2)")), "true");
  const printed = await within(120_000, "a hundred thousand lines", runArmed(session, "[...Array(100).keys()].map((x) => { for (let i = 0; i < 1000; i++) console.log('line', x, i); return x })"));
  const last = viewsOf(printed).at(-1);
  assert.equal(last?.phase, "done");
  assert.ok(last.log.total >= 100_000 || last.log.lines.some(([, , text]) => /dropped|suppressed/i.test(text)), String(last.log.total));
  assert.equal(last.log.lines.length, 200);
  const seconds = (last.elapsedMs + (viewsOf(events).at(-1)?.elapsedMs ?? 0)) / 1000;
  assert.ok(viewsOf([...events, ...printed]).length <= 11 * seconds + 6, `${viewsOf([...events, ...printed]).length} updates in ${seconds} s`);
  assert.ok(Math.max(...[...events, ...printed].map((event) => JSON.stringify(event).length)) < 1024 * 1024);
});

test("interrupting what is not armed cancels no job", async () => {
  const events = await during(session, "console.log('on'); await new Promise(() => {})", () => session.interrupt());
  assert.equal(outcomeOf(events), "error");
});
