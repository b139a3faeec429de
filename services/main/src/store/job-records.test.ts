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
