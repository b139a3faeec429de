/** A job's workers on one node, as real processes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BurlaError, type ErrorCode } from "@burla/protocol";
import { openWorkshop, TestGroup, type Workshop } from "./testing.ts";

let workshop: Workshop;
before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const DOUBLE = "export default () => (n) => n * 2;";
const range = (length: number) => Array.from({ length }, (_, n) => n);

async function using(group: TestGroup, body: (group: TestGroup) => Promise<void>): Promise<void> {
  try {
    await body(group);
  } finally {
    await group.group.stop();
  }
}

/** What was given back because nobody took it in time, as happens on a busy machine. */
const released = ({ ended }: TestGroup, first: (grantId: number) => number) =>
  ended.flatMap(({ grantId, cause, unfinished }) => (cause === "released" ? unfinished.map((position) => first(grantId) + position) : []));

test("grants are answered by all workers together, each input once", () =>
  using(new TestGroup(workshop, DOUBLE, { workers: 2 }), async (job) => {
    for (let chunk = 0; chunk < 10; chunk++) job.grant(range(50).map((n) => chunk * 50 + n), { first: chunk * 50 });
    const back = () => released(job, (grantId) => (grantId - 1) * 50);
    await job.until(() => job.outcomes.size + back().length === 500);
    for (const n of back()) job.outcomes.set(n, n * 2);
    assert.deepEqual(range(500).map((n) => job.outcomes.get(n)), range(500).map((n) => n * 2));
    assert.ok(job.ended.every(({ cause }) => cause === "released"));
    assert.deepEqual(job.group.grantIds, []);
  }));

test("grants that wait are held, and given back when drained or when nobody takes them in time", () =>
  using(new TestGroup(workshop, "export default () => () => new Promise(() => undefined);"), async (job) => {
    const first = job.grant([1]);
    await job.until(() => [...job.group.slots].some((slot) => slot.grants.size > 0));
    const [second, third] = [job.grant([2, 3], { first: 1 }), job.grant([4], { first: 3 })];
    assert.deepEqual(job.group.grantIds, [first.grantId, second.grantId, third.grantId]);
    job.group.drain();
    assert.deepEqual(job.ended.map(({ grantId, cause, unfinished }) => [grantId, cause, unfinished]), [[second.grantId, "released", [0, 1]], [third.grantId, "released", [0]]]);
    const late = job.grant([5, 6, 7], { first: 4, from: 1 });
    await job.until(() => job.ended.length === 3);
    assert.deepEqual([job.ended[2]?.grantId, job.ended[2]?.unfinished], [late.grantId, [1, 2]]);
  }));

test("a grant of which a part was given back says so when the rest is answered: main may have forgotten that part", () =>
  using(new TestGroup(workshop, "export default () => (ms) => { const endMs = performance.now() + ms; while (performance.now() < endMs); return ms; };"), async (job) => {
    const whole = job.grant([1, 1]);
    await job.until(() => job.outcomes.size === 2);
    assert.deepEqual(job.ended, []);
    const cut = job.grant([300, 1, 1], { first: 2 });
    await job.until(() => job.ended.length === 2);
    assert.deepEqual(job.ended.map(({ grantId, cause, unfinished }) => [grantId, cause, unfinished]), [[cut.grantId, "released", [1, 2]], [cut.grantId, "done", []]]);
    assert.equal(whole.isCut, false);
  }));

test("a grant that must be alone waits until its worker has nothing else, and keeps others out", () =>
  using(new TestGroup(workshop, "export default () => async (ms) => { await new Promise((r) => setTimeout(r, ms)); return process.pid; };", { concurrency: 4 }), async (job) => {
    job.grant([30, 30]);
    await job.until(() => [...job.group.slots].some((slot) => slot.grants.size > 0));
    const alone = job.grant([30], { first: 2, alone: true });
    job.grant([1], { first: 3 });
    const together: number[] = [];
    await job.until(() => {
      const [slot] = job.group.slots;
      if (slot?.grants.has(alone.grantId) === true) together.push(slot.grants.size);
      return job.outcomes.size === 4;
    });
    assert.ok(together.every((count) => count === 1));
  }));

test("a worker that exits gives back what it had, with how it ended, and is replaced", () =>
  using(new TestGroup(workshop, `export default () => (n) => { if (n === 2) { process.stderr.write("last words"); process.exit(3); } return n; };`), async (job) => {
    job.grant([0, 1, 2, 3]);
    await job.until(() => job.ended.length > 0);
    const [ended] = job.ended;
    assert.deepEqual([ended?.cause, ended?.unfinished], ["worker-exited", [2, 3]]);
    assert.match(ended?.detail ?? "", /exited with code 3/);
    assert.deepEqual([...job.outcomes], [[0, 0], [1, 1]], "what it answered before is heard before its end");
    assert.deepEqual(job.lines.map(([index, , , text]) => [index, text]), [[2, "last words"]]);
    job.grant([7], { first: 7 });
    await job.until(() => job.outcomes.has(7));
    assert.equal(job.group.slots.size, 1);
  }));

test("a worker that has closed its connection and has not ended yet is given nothing: no other input is blamed for its end", () =>
  using(new TestGroup(workshop, "export default () => (n) => { if (n === 0) for (const handle of process._getActiveHandles()) if (handle.remoteAddress !== undefined || handle.writable) handle.destroy?.(); return n; };", { concurrency: 2 }), async (job) => {
    job.grant([0]);
    const [first] = job.group.slots;
    while (first?.isDeaf !== true) await new Promise((resolve) => setImmediate(resolve));
    job.grant([7], { first: 7 });
    await job.until(() => job.outcomes.has(7) || job.ended.length > 1);
    // Where no other worker is there in time it goes back to main, which is nobody's fault.
    assert.deepEqual(job.ended.filter(({ cause }) => cause !== "released").map(({ cause, grantId }) => [cause, grantId]), [["worker-exited", 1]]);
  }));

test("a worker that is killed says by what", () =>
  using(new TestGroup(workshop, "export default () => () => { process.kill(process.pid, 'SIGKILL'); for (;;); };"), async (job) => {
    job.grant([0]);
    await job.until(() => job.ended.length > 0);
    assert.deepEqual([job.ended[0]?.cause, job.ended[0]?.unfinished], ["worker-exited", [0]]);
    assert.match(job.ended[0]?.detail ?? "", /killed by SIGKILL/);
  }));

test("a worker that ends over several grants gives all of them back, and is counted once", () =>
  using(new TestGroup(workshop, "export default () => (n) => n === 0 ? new Promise(() => undefined) : process.exit(1);", { concurrency: 2 }), async (job) => {
    job.grant([0]);
    await job.until(() => [...job.group.slots].some((slot) => slot.grants.size > 0));
    job.grant([1], { first: 1 });
    await job.until(() => job.ended.length === 2);
    assert.deepEqual(job.ended.map(({ cause, lostWorkers, unfinished }) => [cause, lostWorkers, unfinished]), [["worker-exited", 1, [0]], ["worker-exited", 0, [0]]]);
  }));

test("a call over its time is answered with a TimeoutError, its neighbours go back", () =>
  using(new TestGroup(workshop, "export default () => (n) => { if (n === 1) for (;;); return n; };", { timeoutMs: 200 }), async (job) => {
    job.grant([0, 1, 2]);
    await job.until(() => job.ended.length > 0);
    const error = job.outcomes.get(1);
    assert.ok(error instanceof BurlaError && error.code === ("BURLA_TIMEOUT" satisfies ErrorCode) && error.name === "TimeoutError");
    assert.match(error.message, /input 1 ran longer than 200 ms/);
    assert.equal(job.outcomes.get(0), 0);
    assert.deepEqual([job.ended[0]?.cause, job.ended[0]?.unfinished], ["timeout", [2]]);
  }));

for (const [where, code] of [
  ["V8's heap", "export default () => () => { const all = []; for (;;) all.push(new Array(10_000).fill({})); };"],
  ["buffers", "export default () => async () => { const all = []; while (all.length < 128) { all.push(Buffer.alloc(1 << 23, 1)); await new Promise((r) => setTimeout(r, 5)); } await new Promise(() => setInterval(() => all.length, 1000)); };"],
] as const) {
  test(`memory used up by ${where} is told as such, with the limit`, () =>
    using(new TestGroup(workshop, code, { ramMiB: 160 }), async (job) => {
      job.grant([0]);
      await job.until(() => job.ended.length > 0);
      assert.equal(job.ended[0]?.cause, "out-of-memory", job.ended[0]?.detail);
      assert.match(job.ended[0]?.detail ?? "", /limit 160 MiB, peak \d+ MiB/);
    }));
}

test("a function that cannot be loaded fails the job with its error", () =>
  using(new TestGroup(workshop, "throw new RangeError('at the top');"), async (job) => {
    job.grant([0]);
    await job.until(() => job.failures.length > 0);
    assert.ok(job.failures[0] instanceof RangeError);
  }));

test("workers that end while they load fail the job after a few", () =>
  using(new TestGroup(workshop, "process.exit(9);"), async (job) => {
    await job.until(() => job.failures.length > 0);
    const [error] = job.failures;
    assert.ok(error instanceof BurlaError && error.code === "BURLA_LOAD");
    assert.match(error.message, /exited with code 9/);
  }));

test("a bundle that this node has not got fails the job", () =>
  using(new TestGroup(workshop, Promise.reject(new Error("never sent"))), async (job) => {
    await job.until(() => job.failures.length > 0);
    assert.match(String(job.failures[0]), /never sent/);
  }));

test("a job that is stopped reports nothing more, and its workers are gone", async () => {
  const job = new TestGroup(workshop, "export default () => () => { for (;;); };", { workers: 2 });
  job.grant([0]);
  await job.until(() => [...job.group.slots].some((slot) => slot.grants.size > 0));
  const slots = [...job.group.slots];
  await job.group.stop();
  assert.deepEqual(job.reports, []);
  for (const slot of slots) assert.ok((await slot.container.exited).signal !== undefined);
});

const PAUSES = "export default () => async (n) => { console.log(n); await new Promise((resolve) => setTimeout(resolve, n)); return n; };";
const begun = (job: TestGroup) => job.until(() => job.lines.length > 0);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("what a worker has answered while it was not heard counts, however long that was; what it has not answered does not come for that", () =>
  using(new TestGroup(workshop, PAUSES, { timeoutMs: 1_000 }), async (job) => {
    job.grant([300]);
    await begun(job);
    job.group.hold(true);
    await pause(2_000);
    assert.deepEqual([job.outcomes.size, job.group.slots.size], [0, 1]);
    job.group.hold(false);
    await job.until(() => job.outcomes.size === 1);
    assert.equal(job.outcomes.get(0), 300);
    job.lines.length = 0;
    job.grant([60_000], { first: 1 });
    await begun(job);
    job.group.hold(true);
    await pause(2_000);
    job.group.hold(false);
    await job.until(() => job.outcomes.has(1));
    assert.equal((job.outcomes.get(1) as BurlaError).code, "BURLA_TIMEOUT");
  }));

test("a job is stopped, and the end of a worker is heard, when its workers are not", () =>
  using(new TestGroup(workshop, "export default () => (n) => n === 0 ? process.exit(3) : Buffer.alloc(n);", { workers: 2 }), async (job) => {
    await job.until(() => [...job.group.slots].every((slot) => slot.isLoaded));
    job.group.hold(true);
    for (const [first, n] of [0, 1 << 20].entries()) job.grant([n], { first });
    await pause(300);
    job.group.hold(false);
    await job.until(() => job.ended.some(({ cause }) => cause === "worker-exited") && job.outcomes.size === 1);
    job.group.hold(true);
    await job.group.stop();
  }));
