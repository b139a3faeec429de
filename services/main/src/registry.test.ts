import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { JobId, JobSpec } from "@burla/protocol";
import { createState } from "./core/step.ts";
import { JobRegistry } from "./registry.ts";
import { JobLog, writeSummary } from "./store/job-log.ts";
import type { JobRecord } from "./store/job-records.ts";
import { OpenFiles } from "./store/open-files.ts";
import { JOB_ID, jobRecord, resultsRecord, SPEC, SUMMARY } from "./testing.ts";

const files = new OpenFiles();
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-jobs-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const idOf = (number: number) => `job-${String(number).padStart(19, "0")}` as JobId;

function writeJob(jobId: JobId, records: readonly JobRecord[]): string {
  const folder = join(directory, jobId);
  const log = new JobLog(folder, files);
  for (const record of records) log.append(record);
  log.close();
  return folder;
}

function restored() {
  const registry = new JobRegistry(directory, files);
  const state = createState();
  const damaged = registry.restore(state, 0);
  return { registry, state, damaged };
}

test("an unfinished job goes back into the state, a finished one does not", () => {
  const other = idOf(2);
  writeJob(JOB_ID, [jobRecord(), { type: "chunk", chunkId: 0, first: 0, count: 3 }, resultsRecord(1, 0, 1)]);
  writeSummary(writeJob(other, [jobRecord(other), { type: "finished", jobId: other, outcome: "done", reason: "", inputs: 0, failed: 0 }]), { ...SUMMARY, jobId: other }, files);
  const { registry, state, damaged } = restored();
  assert.deepEqual(damaged, []);
  assert.deepEqual([...state.jobs.keys()], [JOB_ID]);
  assert.equal(state.jobs.get(JOB_ID)?.answeredInputs, 1);
  assert.equal(registry.get(JOB_ID)?.chunksStored, 1);
  assert.equal(registry.get(other)?.endedSummary?.jobId, other);
  registry.close();
});

test("a job that main died upon finishing has a summary all the same", () => {
  writeJob(JOB_ID, [
    jobRecord(), { type: "chunk", chunkId: 0, first: 0, count: 2 }, { type: "inputsEnd", total: 2 }, resultsRecord(1, 0, 2, { failed: [1] }),
    { type: "finished", jobId: JOB_ID, outcome: "done", reason: "", inputs: 2, failed: 1 },
  ]);
  const { registry } = restored();
  const summary = registry.get(JOB_ID)?.endedSummary;
  assert.deepEqual([summary?.phase, summary?.done, summary?.failed, summary?.inputs], ["done", 1, 1, 2]);
  registry.close();
});

test("a job whose data was taken keeps its summary; a folder with nothing in it goes", () => {
  const folder = join(directory, JOB_ID);
  mkdirSync(folder, { recursive: true });
  writeSummary(folder, SUMMARY, files);
  mkdirSync(join(directory, idOf(3)));
  const { registry } = restored();
  assert.deepEqual([...registry.summaries], [SUMMARY]);
  assert.ok(!existsSync(join(directory, idOf(3))));
  registry.close();
});

const damages: [string, (folder: string) => void][] = [
  ["is rubbish", (folder) => writeFileSync(join(folder, "job.log"), Buffer.alloc(200, 0xff))],
  ["holds a record of another shape", (folder) => writeRaw(folder, { type: "chunk", chunkId: "one" })],
  ["holds a record of no type", (folder) => writeRaw(folder, { what: 1 })],
  ["is a folder", (folder) => {
    rmSync(join(folder, "job.log"));
    mkdirSync(join(folder, "job.log"));
  }],
];
for (const [how, damage] of damages) {
  test(`a job whose log ${how} is put aside, and the others go on`, () => {
    const other = idOf(4);
    damage(writeJob(JOB_ID, [jobRecord()]));
    writeJob(other, [jobRecord(other)]);
    const { registry, state, damaged } = restored();
    assert.deepEqual(damaged.map(({ jobId }) => jobId), [JOB_ID]);
    assert.deepEqual([...state.jobs.keys()], [other]);
    assert.deepEqual(readdirSync(join(directory, "damaged")), [JOB_ID]);
    assert.equal(registry.get(JOB_ID), undefined);
    registry.close();
    const again = restored();
    assert.deepEqual(again.damaged, []);
    again.registry.close();
  });
}

function writeRaw(folder: string, record: object): void {
  const log = new JobLog(folder, files);
  log.append(record as JobRecord);
  log.close();
}

test("what is no job's folder is left alone", () => {
  writeFileSync(join(directory, "notes.txt"), "mine");
  writeFileSync(join(directory, idOf(9)), "a file with a job's name");
  const { registry, damaged } = restored();
  assert.deepEqual(damaged.map(({ jobId }) => jobId), [idOf(9)]);
  assert.ok(existsSync(join(directory, "notes.txt")));
  registry.close();
});

test("of ended jobs the newest hundred are remembered; detached results are kept", () => {
  const registry = new JobRegistry(directory, files);
  for (let number = 0; number < 130; number++) {
    const jobId = idOf(number);
    const entry = registry.create(jobId, { ...SPEC, detach: number === 5 }, jobId, new Uint8Array(0));
    entry.finish({ type: "finished", jobId, outcome: "done", reason: "", inputs: 0, failed: 0 }, new Uint8Array(0), { ...SUMMARY, jobId });
    if (number !== 5) registry.discardData(entry);
  }
  const left = [...registry.entries].map(({ jobId }) => jobId);
  assert.ok(left.length <= 101, `${left.length} are left`);
  assert.ok(left.includes(idOf(5)));
  assert.ok(left.includes(idOf(129)) && !left.includes(idOf(0)));
  assert.equal(readdirSync(directory).length, left.length);
  assert.ok(!existsSync(join(directory, idOf(129), "job.log")));
  registry.close();
});

const SECRET: Pick<JobSpec, "env" | "environment"> = { env: [["NAMED", "hush"], ["GONE", null]], environment: [["PATH", "/bin"], ["A_SECRET", "hush"]] };

test("the environment of a job outlives main, apart from its log, and not the job", () => {
  const registry = new JobRegistry(directory, files);
  registry.create(JOB_ID, { ...SPEC, ...SECRET }, JOB_ID, new Uint8Array(0));
  registry.close();
  const folder = join(directory, JOB_ID);
  assert.doesNotMatch(readFileSync(join(folder, "job.log"), "latin1"), /hush/);
  assert.equal(statSync(join(folder, "environment")).mode & 0o777, 0o600);
  const again = restored().registry;
  const entry = again.get(JOB_ID);
  assert.deepEqual({ env: entry?.spec.env, environment: entry?.spec.environment }, SECRET);
  entry?.finish({ type: "finished", jobId: JOB_ID, outcome: "done", reason: "", inputs: 0, failed: 0 }, new Uint8Array(0), SUMMARY);
  assert.deepEqual(readdirSync(folder).filter((name) => name === "environment"), []);
  again.close();
});

test("one that main left behind goes at its next start, of a finished job and of a damaged one", () => {
  const other = idOf(4);
  const finished = writeJob(JOB_ID, [jobRecord(), { type: "finished", jobId: JOB_ID, outcome: "done", reason: "", inputs: 0, failed: 0 }]);
  const damaged = writeJob(other, [jobRecord(other)]);
  for (const folder of [finished, damaged]) writeFileSync(join(folder, "environment"), "hush");
  const { registry } = restored();
  for (const folder of [finished, join(directory, "damaged", other)]) assert.ok(existsSync(folder) && !existsSync(join(folder, "environment")), folder);
  registry.close();
});

test("a job that runs is never pruned, nor its data discarded", () => {
  const registry = new JobRegistry(directory, files);
  const entry = registry.create(JOB_ID, SPEC, JOB_ID, new Uint8Array(0));
  registry.discardData(entry);
  registry.prune();
  assert.equal(registry.get(JOB_ID), entry);
  assert.ok(existsSync(join(directory, JOB_ID, "job.log")));
  registry.close();
});
