import assert from "node:assert/strict";
import { test } from "node:test";
import { BurlaError, ERROR_CATALOGUE, type ErrorCode } from "@burla/protocol";
import { CaptureError } from "../capture/errors.ts";
import { attach } from "../attach.ts";
import { compileOptions } from "../options.ts";
import { EXIT } from "./exit-codes.ts";
import { failureOf, failureText, UsageError } from "./failure.ts";

test("every code of the catalogue has an exit status, and message and cure apart", () => {
  for (const code of Object.keys(ERROR_CATALOGUE) as ErrorCode[]) {
    const failure = failureOf(new BurlaError(code, "what happened"));
    assert.equal(failure.message, "what happened");
    assert.equal(failure.cure, ERROR_CATALOGUE[code]);
    assert.ok(Object.values(EXIT).includes(failure.exitCode) && failure.exitCode !== EXIT.ok, code);
  }
});

test("a capture error", () => {
  const error = new CaptureError({ path: ["score", "db"], what: "a socket", cure: "Open it inside." });
  assert.deepEqual(failureOf(error), { exitCode: 4, code: "BURLA_CAPTURE", message: "Cannot send score → db: a socket", cure: "Open it inside." });
});

test("an option that cannot be is named as on the command line", () => {
  const thrown = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return failureOf(error);
    }
    throw new Error("it did not throw");
  };
  assert.deepEqual(thrown(() => compileOptions({ maxParallelism: 0 })), { exitCode: 2, code: null, message: "--max-parallelism must be at least 1, not 0", cure: "" });
  assert.equal(thrown(() => compileOptions({ ram: "much" })).exitCode, 2);
  assert.deepEqual(thrown(() => attach("x")).exitCode, 2);
});

test("the text for a terminal, and a fault of ours", () => {
  const usage = new UsageError("no", "yes");
  assert.equal(failureText(failureOf(usage), usage, false), "burla: no\n  yes\n");
  const fault = new ReferenceError("x is not defined");
  assert.equal(failureOf(fault).exitCode, 70);
  assert.doesNotMatch(failureText(failureOf(fault), fault, false), /failure\.test/);
  assert.match(failureText(failureOf(fault), fault, true), /failure\.test/);
});
