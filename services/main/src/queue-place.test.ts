import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClusterSpec, type QueuePlace } from "@burla/protocol";
import { queueFor, queuePlaceOf } from "./queue-place.ts";
import { JOB_ID } from "./testing.ts";

const specOf = (firestore: object = {}) => parseClusterSpec({ queue: "firestore", firestore, groups: [{ name: "local", count: 1, cpu: 1, ramMiB: 1024 }] });

test("the queue is in main unless the spec says otherwise", () => {
  assert.equal(queuePlaceOf({ ...specOf(), queue: "stream" }, {}, null), null);
});

test("the project is that of the spec, of main's VM, of the environment, in this order", () => {
  const environment = { GOOGLE_CLOUD_PROJECT: "of-environment" };
  const projectOf = (spec: object, own: string | null) => queuePlaceOf(specOf(spec), environment, own)?.project;
  assert.equal(projectOf({ project: "of-the-spec" }, "of-the-vm"), "of-the-spec");
  assert.equal(projectOf({}, "of-the-vm"), "of-the-vm");
  assert.equal(projectOf({}, null), "of-environment");
});

test("clients and nodes are told of emulators", () => {
  const place = queuePlaceOf(specOf({ bucket: "values" }), { FIRESTORE_EMULATOR_HOST: "127.0.0.1:1", STORAGE_EMULATOR_HOST: "127.0.0.1:2" }, null);
  assert.equal(place?.emulator, "127.0.0.1:1");
  assert.deepEqual(place?.bucket, { name: "values", emulator: "http://127.0.0.1:2" });
  assert.deepEqual(queuePlaceOf(specOf({ bucket: "values" }), {}, null)?.bucket, { name: "values", emulator: null });
});

const PLACE: QueuePlace = { kind: "firestore", project: "p", database: "(default)", root: "burla/local", emulator: null, bucket: null };
const PROGRAM = { parent: null, overHttp: false };

test("a program's job has its queue where the cluster has it", () => {
  assert.equal(queueFor(PROGRAM, PLACE, { runtime: "docker" }), PLACE);
  assert.equal(queueFor(PROGRAM, null, { runtime: "process" }), null);
});

test("a job of a client that speaks HTTP with main has its queue there", () => {
  assert.equal(queueFor({ ...PROGRAM, overHttp: true }, PLACE, { runtime: "process" }), null);
});

test("a job that a function in a container starts has its queue in main, one that a process starts has not", () => {
  assert.equal(queueFor({ ...PROGRAM, parent: JOB_ID }, PLACE, { runtime: "docker" }), null);
  assert.equal(queueFor({ ...PROGRAM, parent: JOB_ID }, PLACE, { runtime: "process" }), PLACE);
});
