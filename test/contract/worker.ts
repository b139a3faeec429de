/** What holds for the worker of every runtime. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { isRunning } from "../support/processes.ts";
import { numbers } from "../support/inputs.ts";
import { until } from "../support/until.ts";
import { WorkerBench, type Dialect } from "./worker-bench.ts";

/** A call of `sleep` that is surely longer than a grant may take. */
const LONG_MS = 400;

export function workerContract(dialect: Dialect): void {
  let worker: WorkerBench;
  beforeEach(async () => void (worker = await WorkerBench.start(dialect)));
  afterEach(() => worker.stop());

  const answered = (count: number) => worker.until(`${count} answers`, () => worker.answers.size >= count);

  test("it says who it is, and keeps its token from the functions that it runs", async () => {
    const { workerId, token } = await worker.heard("workerHello");
    assert.deepEqual([workerId, token], ["w-test", "token"]);
    await worker.load("environment", { env: { COLOUR: "blue" } });
    worker.grant([0]);
    await answered(1);
    assert.deepEqual(worker.answers.get(0), { value: ["BURLA_WORKER_ID=w-test", "COLOUR=blue"] });
  });

  test("it answers the granted range of a chunk, and nothing else of it", async () => {
    await worker.load("double");
    worker.grant(numbers(100), { first: 1000, from: 20, to: 60 });
    await answered(40);
    worker.grant(numbers(10), { first: 5000 });
    await answered(50);
    assert.deepEqual([...worker.answers.keys()].sort((a, b) => a - b), [...numbers(40).map((x) => 1020 + x), ...numbers(10).map((x) => 5000 + x)]);
    assert.deepEqual(worker.answers.get(1059), { value: 118 });
  });

  test("ten thousand short calls are a few messages", async () => {
    await worker.load("double");
    for (let part = 0; part < 10; part++) worker.grant(numbers(1000), { first: part * 1000 });
    await answered(10_000);
    const count = worker.messages.filter(({ type }) => type === "workerResults").length;
    assert.ok(count < 500, `${count} messages`);
  });

  test("a grant that takes long gives back what has not begun, and is answered for the rest", async () => {
    await worker.load("sleep");
    worker.grant([LONG_MS, LONG_MS, LONG_MS, LONG_MS]);
    const { from } = await worker.heard("givenBack");
    await answered(from);
    assert.ok(from >= 1 && from < 4);
    assert.equal(worker.answers.size, from);
  });

  test("results do not wait for a long call behind them", async () => {
    await worker.load("sleep");
    worker.grant([0, 0, 0]);
    worker.grant([60_000], { first: 3 });
    await answered(3);
  });

  test("with a time limit each call is announced before it begins", async () => {
    await worker.load("double", { timed: true });
    const grantId = worker.grant([1, 2], { first: 7 });
    await answered(2);
    const order = worker.messages.flatMap((message) => (message.type === "started" ? [`started ${message.grantId} ${message.index}`] : message.type === "workerResults" ? ["results"] : []));
    assert.deepEqual(order, [`started ${grantId} 7`, "results", `started ${grantId} 8`, "results"]);
  });

  test("several calls at once, as many as it was told", async () => {
    await worker.load("sleep", { concurrency: 5 });
    worker.grant([LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS]);
    await answered(5);
    assert.ok(worker.messages.every(({ type }) => type !== "givenBack"), "all of them began at once");
  });

  test("what a call prints is its own, and comes before its result", async () => {
    await worker.load("print");
    worker.grant(["a", "b"], { first: 3 });
    await answered(2);
    const types = worker.messages.map(({ type }) => type).filter((type) => /printed|workerResults/.test(type));
    assert.notEqual(types[0], "workerResults");
    assert.deepEqual(worker.lines.map(([index, stream, , text]) => [index, stream, text]).sort(), [[3, 1, "out a"], [3, 2, "err a"], [4, 1, "out b"], [4, 2, "err b"]]);
  });

  test("lines for which the disk has no room are lost, and none of those that follow", async () => {
    await worker.load("print");
    // Room for the first line, and for a part of the second.
    worker.limitFiles(80);
    worker.grant(["a", "b"], { first: 3 });
    await answered(2);
    worker.limitFiles("unlimited");
    worker.grant(["c"], { first: 5 });
    await answered(3);
    const texts = worker.lines.map(([, , , text]) => text);
    assert.ok(texts.length < 6, String(texts));
    assert.deepEqual([texts[0], ...texts.slice(-2)], ["out a", "out c", "err c"]);
  });

  test("an error is an answer with name, message and the place in the user's code; the next call runs", async () => {
    await worker.load("fail");
    worker.grant([1, 2]);
    await answered(2);
    for (const index of [0, 1]) {
      const answer = worker.answers.get(index) as { failure: { name: string; message: string; stack: string; cause: { message: string } } };
      assert.match(answer.failure.name, /^TypeError$/);
      assert.equal(answer.failure.message, `no ${index + 1}`);
      assert.match(answer.failure.stack, /fail/);
      assert.equal(answer.failure.cause.message, "the cause");
    }
  });

  test("a bundle that cannot be loaded is told with its error", async () => {
    await worker.load("broken");
    assert.deepEqual((await worker.heard("loaded")).ok, false);
    assert.match((worker.loadFailure as { message: string }).message, /broken on purpose/);
  });

  test("without its node it ends, with all that its functions have started", async () => {
    await worker.load("spawn");
    worker.grant([0]);
    await answered(1);
    const { value: pid } = worker.answers.get(0) as { value: number };
    assert.ok(isRunning(pid));
    worker.hangUp();
    await worker.exited;
    await until("its child is gone", () => !isRunning(pid));
  });
}
