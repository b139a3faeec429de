/** What a function throws there is thrown here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { BurlaError, remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";

const cluster = useCluster();

interface Thrown extends Error {
  inputIndex?: number;
  [key: string]: unknown;
}

/** What became of one call of a function that throws. */
async function thrownBy(fn: (input: number) => unknown): Promise<Thrown> {
  const { error } = await drain(remoteParallelMap(fn, [0]));
  return error as Thrown;
}

test("the first failure is thrown and cancels the job; results that were there are kept", async () => {
  const stream = remoteParallelMap((x: number) => {
    if (x === 500) throw new TypeError("five hundred");
    return x;
  }, numbers(100_000));
  const { values, error } = await drain(stream);
  assert.ok(error instanceof TypeError && error.message === "five hundred");
  assert.equal((error as Thrown).inputIndex, 500);
  assert.equal(new Set(values).size, values.length);
  assert.ok(values.length > 0, "results that were there before are given first");
  assert.equal((await cluster.job(stream.jobId)).phase, "failed");
  await cluster.workersIdle();
});

test("in order of the inputs the first failure is thrown too when the one before it was never answered", async () => {
  const failsSecond = async (x: number) => {
    if (x === 1) throw new TypeError("one");
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    return x;
  };
  const { values, error } = await drain(remoteParallelMap(failsSecond, [0, 1], { order: "input" }));
  assert.ok(error instanceof TypeError && error.message === "one", String(error));
  assert.deepEqual(values, []);
});

test("onError: \"continue\" runs every input and throws an AggregateError after the last result", async () => {
  const stream = remoteParallelMap((x: number) => {
    if (x % 100 === 7) throw new RangeError(`no ${x}`);
    return x;
  }, numbers(1000), { onError: "continue" });
  const { values, error } = await drain(stream);
  assert.equal(values.length, 990);
  assert.ok(error instanceof AggregateError);
  assert.equal(error.message, "10 inputs failed");
  assertEachOnce([...values, ...error.errors.map((each: Thrown) => each.inputIndex ?? -1)], 1000);
  assert.equal((await cluster.job(stream.jobId)).failed, 10);
});

test("onError: \"continue\" in toArray throws the AggregateError too", async () => {
  const run = remoteParallelMap((x: number) => { if (x === 1) throw new Error("one"); return x; }, numbers(3), { onError: "continue" }).toArray();
  await assert.rejects(run, (error: AggregateError) => error instanceof AggregateError && error.errors.length === 1);
});

test("built-in classes are restored, with own properties and without them being lost in between", async () => {
  const results = await drain(
    remoteParallelMap((x: number) => {
      const classes = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];
      const error = new classes[x]!(`message ${x}`) as Thrown;
      error["status"] = 400 + x;
      error["detail"] = { nested: new Map([["k", x]]) };
      throw error;
    }, numbers(7)).settled(),
  );
  const expected = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];
  for (const entry of results.values) {
    assert.ok(entry.status === "rejected");
    const reason = entry.reason as Thrown;
    assert.equal(Object.getPrototypeOf(reason), expected[entry.index]!.prototype);
    assert.equal(reason.message, `message ${entry.index}`);
    assert.equal(reason["status"], 400 + entry.index);
    assert.deepEqual(reason["detail"], { nested: new Map([["k", entry.index]]) });
    assert.equal(reason.inputIndex, entry.index);
  }
});

test("a class of the user's arrives as an Error with its name", async () => {
  const error = await thrownBy(() => {
    class PaymentRefused extends TypeError {
      override name = "PaymentRefused";
      readonly amount = 12;
    }
    throw new PaymentRefused("no money");
  });
  assert.ok(error instanceof TypeError);
  assert.equal(error.name, "PaymentRefused");
  assert.equal(error["amount"], 12);
  assert.match(String(error.stack), /PaymentRefused: no money/);
});

test("cause chains and members of an AggregateError are kept", async () => {
  const error = await thrownBy(() => {
    const root = new RangeError("root");
    const middle = new Error("middle", { cause: root });
    throw new AggregateError([middle, "text", new SyntaxError("s")], "all", { cause: { code: 5 } });
  });
  assert.ok(error instanceof AggregateError);
  const [middle, text, syntax] = error.errors as [Error, string, Error];
  assert.ok(middle.cause instanceof RangeError && middle.cause.message === "root");
  assert.equal(text, "text");
  assert.ok(syntax instanceof SyntaxError);
  assert.deepEqual(error.cause, { code: 5 });
});

test("the stack names the user's own file and line", async () => {
  const error = await thrownBy(function deepInside() {
    function thrower() {
      throw new Error("look at my stack");
    }
    thrower();
  });
  assert.match(String(error.stack), /at thrower .*errors\.test\.ts:\d+:\d+/);
  assert.doesNotMatch(String(error.stack), /services\/worker|worker\.mjs|node:internal/);
});

for (const [name, thrower, check] of [
  ["undefined", () => { throw undefined; }, (thrown: unknown) => thrown === undefined],
  ["null", () => { throw null; }, (thrown: unknown) => thrown === null],
  ["0", () => { throw 0; }, (thrown: unknown) => thrown === 0],
  ["text", () => { throw "text"; }, (thrown: unknown) => thrown === "text"],
  ["an empty text", () => { throw ""; }, (thrown: unknown) => thrown === ""],
  ["an object", () => { throw { code: 7 }; }, (thrown: unknown) => (thrown as { code: number }).code === 7],
  ["a function", () => { throw () => 1; }, (thrown: unknown) => /Function/.test(String(thrown))],
] as const) {
  test(`throw ${name} is thrown as it is`, async () => {
    let thrown: unknown = "nothing was thrown";
    let didThrow = false;
    try {
      for await (const value of remoteParallelMap(thrower, [1])) assert.fail(`a result: ${String(value)}`);
    } catch (error) {
      didThrow = true;
      thrown = error;
    }
    assert.ok(didThrow);
    assert.ok(check(thrown), String(thrown));
  });
}

test("a rejected promise of an async function is a failure like any other", async () => {
  const error = await thrownBy(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new URIError("later");
  });
  assert.ok(error instanceof URIError);
});

test("a thenable that throws in then, and one that settles twice, are handled", async () => {
  const error = await thrownBy(() => ({ then: () => { throw new RangeError("bad then"); } }));
  assert.ok(error instanceof RangeError);
  const twice = await remoteParallelMap((x: number) => ({ then: (done: (value: number) => void) => { done(x); done(x + 1); } }) as PromiseLike<number>, [5]).toArray();
  assert.deepEqual(twice, [5]);
});

test("a result that cannot be copied fails its own input with the path, and its neighbours are unharmed", async () => {
  const { values } = await drain(
    remoteParallelMap((x: number) => (x === 20 ? { handlers: [{ run: () => 1 }] } : { handlers: [] }), numbers(60)).settled(),
  );
  assertEachOnce(values.map(({ index }) => index), 60);
  const failed = values.filter(({ status }) => status === "rejected");
  assert.equal(failed.length, 1);
  const reason = failed[0]!.status === "rejected" ? failed[0]!.reason : undefined;
  assert.ok(reason instanceof BurlaError && reason.code === "BURLA_RESULT");
  assert.match(reason.message, /result\.handlers\[0\]\.run is a function/);
  assert.equal(reason.inputIndex, 20);
});

test("an error whose own properties cannot be read or copied still arrives", async () => {
  const error = await thrownBy(() => {
    const hostile = new Error("hostile") as Thrown;
    hostile["callback"] = () => 1;
    Object.defineProperty(hostile, "trap", { enumerable: true, get: () => { throw new Error("in the getter"); } });
    throw hostile;
  });
  assert.equal(error.message, "hostile");
});

test("an error that is its own cause is so here too", async () => {
  const error = await thrownBy(() => {
    const circular = new Error("circular") as Thrown;
    circular.cause = circular;
    throw circular;
  });
  assert.equal(error.message, "circular");
  assert.equal(error.cause, error);
});

test("causes in a ring, and what leads from a cause to its error, lead to the same ones here", async () => {
  const ring = await thrownBy(() => {
    const [first, second] = [new Error("first"), new RangeError("second")];
    first.cause = second;
    second.cause = first;
    throw first;
  });
  assert.ok(ring.cause instanceof RangeError && ring.cause.cause === ring);
  const held = await thrownBy(() => {
    const error = new Error("held");
    error.cause = Object.assign(new Error("cause"), { back: error });
    throw error;
  });
  assert.equal((held.cause as Thrown)["back"], held);
});

test("a function that cannot be loaded fails the job with the error of its module", async () => {
  const { error } = await drain(remoteParallelMap(() => { JSON.parse("{"); }, [1]));
  assert.ok(error instanceof SyntaxError);
});

test("code that only sloppy mode allows is refused by the workers, with what to do", async () => {
  const sloppy = runInThisContext("(x) => 010 + x") as (x: number) => number;
  await assert.rejects(remoteParallelMap(sloppy, [1]).toArray(), (error: Error) => error instanceof BurlaError && error.code === "BURLA_LOAD" && error.cure.includes("strict mode"));
});

test("a stack names code that stands in no file as its session does", async () => {
  const cell = runInThisContext("(x) => x.missing.part", { filename: "cell 7" }) as (x: number) => number;
  assert.match((await thrownBy(cell)).stack ?? "", /at .*\(?cell 7:1:\d+\)?/);
});
