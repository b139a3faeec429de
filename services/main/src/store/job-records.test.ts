import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { JOB_ID, SPEC } from "../testing.ts";
import { recordSchema } from "./job-records.ts";

test("a job that an earlier build wrote down, without an image, is read back", () => {
  const { image: _image, ...earlierSpec } = SPEC;
  const earlier = { type: "job", jobId: JOB_ID, spec: earlierSpec, rootId: JOB_ID, createdAt: 1, token: "secret" };
  assert.deepEqual(v.parse(recordSchema, earlier), { ...earlier, spec: SPEC, person: null });
});

test("a shortened log of an earlier build, which says nothing of an interruption, tells of a running job", () => {
  const earlier = {
    type: "base", pushedChunks: 1, pushedInputs: 2, totalInputs: null, answeredInputs: 1, answeredBytes: 0, failedInputs: 0, seq: 1, ackedSeq: 0, ackedInputs: 0,
    resultsAfter: 0, lastGrantId: 3,
  };
  assert.deepEqual(v.parse(recordSchema, earlier), { ...earlier, phase: "running" });
  assert.throws(() => v.parse(recordSchema, { type: "phase", phase: "asleep" }));
});
