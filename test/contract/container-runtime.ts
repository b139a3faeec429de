/** What holds for every container runtime, whatever holds the workers. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { describeExit } from "../../services/node/src/containers/runtime.ts";
import type { Language } from "./languages.ts";
import { taskContract } from "./task.ts";
import { Workbench, type OpenRuntime } from "./workbench.ts";

const MANY = 8;

/** Registers the tests for one runtime and one language of workers. @returns the workbench of the test that runs. */
export function containerRuntimeContract(open: OpenRuntime, language: Language): () => Workbench {
  const { programs } = language;
  let bench: Workbench;
  beforeEach(async () => {
    bench = new Workbench(open, language);
    await bench.setUp();
  });
  afterEach(() => bench.tearDown());

  test("a worker is told who it is, in a folder that it may write to, without secrets of this service", async () => {
    process.env["BURLA_SECRET_OF_THE_NODE"] = "x";
    const container = bench.start(programs.introduce);
    const names = ["BURLA_WORKER_ID", "BURLA_WORKER_SOCKET", "BURLA_WORKER_STDERR", "BURLA_WORKER_STDOUT", "BURLA_WORKER_TOKEN"];
    assert.deepEqual(await bench.told(1), [[container.workerId, bench.token, names]]);
    assert.deepEqual(await container.exited, { cause: "ended", code: 0, signal: null, why: null, outOfMemory: null, stderrTail: "" });
    delete process.env["BURLA_SECRET_OF_THE_NODE"];
  });

  test("how it ended is reported, with its last words", async () => {
    const report = await bench.start(programs.lastWords).exited;
    assert.equal(report.code, 4);
    assert.ok(report.stderrTail.length <= 500);
    assert.match(describeExit(report), /^it exited with code 4; its last words: x+ the end$/);
  });

  test("the signal that ended it is reported", async () => {
    const report = await bench.start(programs.segfault).exited;
    assert.equal(describeExit(report), "it was killed by SIGSEGV");
    assert.equal(report.outOfMemory, null);
  });

  for (const how of ["kill", "stop"] as const) {
    test(`${how} ends the worker with its children, also those that ignore SIGTERM`, async () => {
      const container = bench.start(programs.stubborn);
      await bench.told(2);
      assert.equal(bench.connections, 2);
      container[how]();
      const report = await container.exited;
      assert.deepEqual([report.cause, report.signal, report.outOfMemory], ["ended", "SIGKILL", null]);
      await bench.untilConnected(0);
    });
  }

  test("stop lets a worker that listens end by itself", async () => {
    const container = bench.start(programs.obliging);
    await bench.told(1);
    container.stop();
    assert.equal((await container.exited).code, 7);
  });

  test("one that is killed before it is up ends as well", async () => {
    const containers = [bench.start(programs.stay), bench.start(programs.stay)];
    containers[0]?.kill();
    containers[1]?.stop();
    for (const { exited } of containers) assert.ok(["SIGKILL", "SIGTERM"].includes((await exited).signal ?? ""));
    assert.equal(bench.connections, 0);
  });

  test("to be killed twice, and after its end, does no harm", async () => {
    const container = bench.start(programs.whoAmI);
    await bench.told(1);
    for (let time = 0; time < 3; time++) container.kill();
    assert.equal((await container.exited).signal, "SIGKILL");
    container.kill();
    container.stop();
  });

  test("more memory than its limit ends it, and is told with limit and peak", async () => {
    const report = await bench.start(programs.greedy, { ramMiB: 150 }).exited;
    assert.equal(report.outOfMemory?.limitMiB, 150);
    assert.ok(report.outOfMemory.peakMiB >= 150);
    assert.match(describeExit(report), /^it ran out of memory \(limit 150 MiB, peak \d+ MiB\)$/);
  });

  test("one that stays under its limit is left alone", async () => {
    const container = bench.start(programs.modest, { ramMiB: 512 });
    assert.deepEqual(await bench.told(1), [1 << 25]);
    const report = await container.exited;
    assert.deepEqual([report.code, report.outOfMemory], [0, null]);
  });

  test("many at once are apart, and all end", async () => {
    const containers = Array.from({ length: MANY }, () => bench.start(programs.whoAmI));
    const told = await bench.told(MANY);
    assert.deepEqual([...told].sort(), containers.map(({ workerId }) => workerId).sort());
    for (const container of containers) container.kill();
    await Promise.all(containers.map(({ exited }) => exited));
    await bench.untilConnected(0);
  });

  test("what a node that died left behind is ended when it starts again; what belongs to another is not", async () => {
    const other = new Workbench(open, language);
    await other.setUp();
    try {
      const stranger = other.start(programs.whoAmI);
      const left = bench.start(programs.whoAmI);
      await Promise.all([bench.told(1), other.told(1)]);
      await (await bench.openAgain()).runtime.prepare();
      await left.exited;
      await bench.untilConnected(0);
      assert.equal(other.connections, 1);
      stranger.kill();
      await stranger.exited;
    } finally {
      other.tearDown();
    }
  });

  taskContract(() => bench, language);
  return () => bench;
}
