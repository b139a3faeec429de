/** The worker program over a real socket. One worker serves the cases that leave it as it was. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { BurlaError } from "@burla/protocol";
import { startWorker, type TestWorker } from "./testing.ts";

const CODE = `
import { spawn } from "node:child_process";
const waiting = [];
const again = { row: { n: 0, __proto__: null }, rows: [{ n: 0 }], bytes: Buffer.alloc(1), flat: { n: 0 } };
again.rows.push(again.rows[0]);
const acts = {
  double: ({ n }) => n * 2,
  again: ({ n }) => { again.row.n = again.rows[0].n = again.bytes[0] = again.flat.n = n; return Object.values(again)[n % 4]; },
  later: async ({ n }) => { await null; return n * 2; },
  throws: ({ n }) => { throw new RangeError("bad " + n, { cause: "why" }); },
  rejects: async () => { throw Object.assign(new TypeError("no"), { code: 5 }); },
  falsy: ({ value }) => { throw value; },
  fn: () => () => 1,
  trap: () => ({ get then() { throw new Error("trapped"); } }),
  custom: ({ n }) => ({ then: (resolve) => resolve(n + 1) }),
  never: () => ({ then() { throw new EvalError("in then"); } }),
  context: (_input, { index, attempt, signal, log }) => { log("line %d", 1, { a: 1 }); return [index, attempt, signal.aborted]; },
  slow: ({ ms }) => { const end = Date.now() + ms; while (Date.now() < end); return "slow"; },
  timer: () => new Promise(() => { setTimeout(() => { throw new SyntaxError("in a timer"); }, 1); }),
  unhandled: () => new Promise(() => { void Promise.reject(new URIError("nobody cares")); }),
  env: () => [process.env.COLOUR, process.cwd(), Object.keys(process.env).filter((name) => name.startsWith("BURLA_WORKER"))],
  exit: ({ code }) => process.exit(code),
  child: () => spawn("sleep", ["60"], { stdio: "ignore" }).pid,
  together: ({ of }) => new Promise((resolve) => { waiting.push(resolve); if (waiting.length === of) for (const wake of waiting.splice(0)) wake("together"); }),
  untilAborted: (_input, { signal, log }) => new Promise((resolve) => { log("waiting"); signal.addEventListener("abort", () => resolve("aborted")); }),
};
export default () => (input, context) => acts[input.act](input, context);
`;

let worker: TestWorker;
const folder = realpathSync(mkdtempSync(join(tmpdir(), "burla-cwd-")));
before(async () => {
  worker = await startWorker();
  await worker.load(CODE, { env: { COLOUR: "blue" }, cwd: folder });
});
after(() => worker.stop());

const act = (name: string, more: object = {}) => ({ act: name, ...more });

async function reasonOf(name: string, more: object = {}): Promise<unknown> {
  const [outcome] = await worker.run([act(name, more)]);
  assert.ok(outcome !== undefined && "reason" in outcome, `${name} did not fail`);
  return outcome.reason;
}

test("plain and async results, each input once, under its own index", async () => {
  const inputs = Array.from({ length: 500 }, (_, n) => act(n % 3 === 0 ? "later" : "double", { n }));
  const outcomes = await worker.run(inputs, { first: 1000 });
  assert.deepEqual(outcomes, inputs.map((_, n) => ({ value: n * 2 })));
});

test("a result that the function uses again is sent as it was at its call", async () => {
  const outcomes = await worker.run(Array.from({ length: 200 }, (_, n) => act("again", { n })));
  assert.deepEqual(outcomes, Array.from({ length: 200 }, (_, n) => ({ value: [{ n }, [{ n }, { n }], Buffer.from([n]), { n }][n % 4] })));
  const { value: [first, second] } = outcomes[1] as { value: object[] };
  assert.equal(first, second);
});

test("only the granted part of a chunk is called", async () => {
  const inputs = Array.from({ length: 10 }, (_, n) => act("double", { n }));
  const outcomes = await worker.run(inputs, { first: 100, from: 3, to: 5 });
  assert.deepEqual(outcomes, [{ value: 6 }, { value: 8 }]);
  assert.deepEqual([...worker.outcomes.keys()], [103, 104]);
});

test("what a call throws or rejects with is its failure", async () => {
  const thrown = await reasonOf("throws", { n: 4 });
  assert.ok(thrown instanceof RangeError && thrown.message === "bad 4" && thrown.cause === "why");
  assert.match(thrown.stack ?? "", /bundle\.mjs:10:/);
  assert.doesNotMatch(thrown.stack ?? "", /node:internal/);
  const rejected = await reasonOf("rejects");
  assert.ok(rejected instanceof TypeError && (rejected as TypeError & { code: number }).code === 5);
  for (const value of [undefined, null, 0, "", "text"]) assert.equal(await reasonOf("falsy", { value }), value);
});

test("results that cannot be sent fail alone", async () => {
  const outcomes = await worker.run([act("double", { n: 1 }), act("fn"), act("double", { n: 3 })]);
  assert.deepEqual([outcomes[0], outcomes[2]], [{ value: 2 }, { value: 6 }]);
  const { reason } = outcomes[1] as { reason: BurlaError };
  assert.equal(reason.code, "BURLA_RESULT");
});

test("results with a `then` of their own are waited for; one that throws is a failure, and the next call runs", async () => {
  const outcomes = await worker.run([act("custom", { n: 1 }), act("trap"), act("never"), act("double", { n: 2 })]);
  assert.deepEqual([outcomes[0], outcomes[3]], [{ value: 2 }, { value: 4 }]);
  assert.match(String((outcomes[1] as { reason: unknown }).reason), /trapped/);
  assert.ok((outcomes[2] as { reason: unknown }).reason instanceof EvalError);
});

test("an error in a callback, or a rejection that nobody handles, is the running call's", async () => {
  assert.ok((await reasonOf("timer")) instanceof SyntaxError);
  assert.ok((await reasonOf("unhandled")) instanceof URIError);
});

test("what a call that has ended leaves behind and throws is told as its own, and fails nobody", async () => {
  const other = await startWorker();
  try {
    await other.load(`export default () => async ({ act, n }) => {
      if (act === "timer") return void setTimeout(() => { throw new SyntaxError("late " + n); }, 20);
      if (act === "rejects") return void setTimeout(() => void Promise.reject(new URIError("late " + n)), 20);
      if (act === "emits") return void import("node:events").then(({ EventEmitter }) => setTimeout(() => new EventEmitter().emit("error", new Error("late " + n)), 20));
      await new Promise((resolve) => setTimeout(resolve, 150));
      return n;
    };`);
    for (const [n, name] of ["timer", "rejects", "emits"].entries()) {
      assert.deepEqual(await other.run([{ act: name, n }, { act: "waits", n }], { first: n * 10 }), [{ value: undefined }, { value: n }]);
      other.lookAtLines();
      assert.match(other.linesOf(n * 10, 2).join("\n"), new RegExp(`late ${n}`));
      assert.deepEqual(other.linesOf(n * 10 + 1), []);
    }
  } finally {
    await other.stop();
  }
});

test("a call knows its index, attempt, signal and log", async () => {
  const [outcome] = await worker.run([act("context")], { first: 41, attempt: 3 });
  assert.deepEqual(outcome, { value: [41, 3, false] });
  await worker.until(() => worker.linesOf(41).length > 0);
  assert.deepEqual(worker.linesOf(41), ["line 1 { a: 1 }"]);
});

test("the job's environment and folder are there, the worker's secrets are not; its id is", async () => {
  const [outcome] = await worker.run([act("env")]);
  assert.deepEqual(outcome, { value: ["blue", folder, ["BURLA_WORKER_ID"]] });
});

test("a grant that runs too long gives back what it has not begun", async () => {
  worker.outcomes.clear();
  const grantId = worker.grant([act("slow", { ms: 300 }), act("double", { n: 1 }), act("double", { n: 2 })]);
  await worker.until(() => worker.givenBack.some((message) => message.grantId === grantId));
  assert.equal(worker.givenBack[0]?.from, 1);
  assert.deepEqual([...worker.outcomes], [[0, { value: "slow" }]]);
});

test("concurrent calls wait together; without it one runs at a time", async () => {
  const other = await startWorker();
  try {
    await other.load(CODE, { concurrency: 4 });
    assert.deepEqual(await other.run(Array.from({ length: 8 }, () => act("together", { of: 4 }))), Array(8).fill({ value: "together" }));
  } finally {
    await other.stop();
  }
});

test("with a time limit each call is announced before it begins", async () => {
  const other = await startWorker();
  try {
    await other.load(CODE, { timed: true });
    await other.run([act("double", { n: 1 }), act("later", { n: 2 })]);
    const story = other.messages.flatMap((message) => (message.type === "started" ? [`started ${message.index}`] : message.type === "workerResults" ? [`results ${message.first}`] : []));
    assert.deepEqual(story, ["started 0", "results 0", "started 1", "results 1"]);
  } finally {
    await other.stop();
  }
});

test("a bundle that throws, or is not there, is said with its error", async () => {
  for (const [code, pattern] of [["throw new RangeError('at the top')", /at the top/], ["export default () => { throw new Error('in the factory'); }", /in the factory/], ["import 'no-such-package';", /no-such-package/]] as const) {
    const other = await startWorker();
    await other.load(code);
    assert.match(String(other.loadError), pattern);
    await other.stop();
  }
});

test("SIGTERM aborts the signal of running calls, then ends the worker", async () => {
  const other = await startWorker();
  await other.load(CODE);
  other.grant([act("untilAborted")]);
  await other.until(() => other.linesOf(0).length > 0);
  other.child.kill("SIGTERM");
  await other.until(() => other.outcomes.size === 1);
  assert.deepEqual([...other.outcomes], [[0, { value: "aborted" }]]);
  assert.deepEqual(await other.exited, [0, null]);
  await other.stop();
});

test("a call that ends the process does not take with it what was answered and printed before", async () => {
  const other = await startWorker();
  await other.load(`export default () => (n) => { if (n === 2) { process.stdout.write("last words"); process.exit(7); } return n; };`);
  other.grant([0, 1, 2, 3]);
  const [code] = await other.exited;
  assert.equal(code, 7);
  assert.deepEqual([...other.outcomes], [[0, { value: 0 }], [1, { value: 1 }]]);
  assert.deepEqual(other.linesOf(2), ["last words"]);
  await other.stop();
});

test("when the node is gone the worker ends, and what the call has started ends with it", async () => {
  const other = await startWorker();
  await other.load(CODE);
  const [outcome] = await other.run([act("child")]);
  const { value: pid } = outcome as { value: number };
  assert.ok(existsSync(`/proc/${pid}`));
  other.hangUp();
  if (other.child.exitCode === null && other.child.signalCode === null) await once(other.child, "exit");
  await goneFrom(pid);
  await other.stop();
});

/** A process that nobody reaps stays as a zombie: it does not run any more. */
async function goneFrom(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
