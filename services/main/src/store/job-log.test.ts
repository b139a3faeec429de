import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { DamageError, type JobSummary, type NodeId } from "@burla/protocol";
import { JOB_ID, jobRecord, resultsRecord, SUMMARY, wholeOf } from "../testing.ts";
import type { JobSnapshot } from "../core/snapshot.ts";
import { JobLog, readSummary, writeSummary } from "./job-log.ts";
import type { JobRecord } from "./job-records.ts";
import { OpenFiles } from "./open-files.ts";
import { replayJob } from "./replay.ts";

const files = new OpenFiles();
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-joblog-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(records: readonly { record: JobRecord; body?: Uint8Array }[]): void {
  const log = new JobLog(directory, files);
  for (const { record, body } of records) log.append(record, ...(body === undefined ? [] : [body]));
  log.close();
}

function replayed() {
  const log = new JobLog(directory, files);
  const back = replayJob(log);
  return { log, back };
}

const batch = fc.record({ first: fc.nat(40), count: fc.integer({ min: 1, max: 8 }), dropped: fc.boolean(), failed: fc.boolean() });

test("a replay counts what a model of the same records counts", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 8 }), fc.array(batch, { maxLength: 30 }), fc.nat(30), (counts, batches, acked) => {
      rmSync(directory, { recursive: true, force: true });
      const records: { record: JobRecord; body?: Uint8Array }[] = [{ record: jobRecord(), body: Buffer.from("values") }];
      let first = 0;
      for (const [chunkId, count] of counts.entries()) {
        records.push({ record: { type: "chunk", chunkId, first, count }, body: Buffer.alloc(count) });
        first += count;
      }
      const answered = new Set<number>();
      for (const [at, { first: from, count, dropped, failed }] of batches.entries()) {
        const within = Math.max(0, Math.min(count, first - from));
        if (within === 0) continue;
        const results = resultsRecord(at + 1, from, within, { dropped: dropped ? [0] : [], failed: failed ? [within - 1] : [] });
        records.push({ record: { ...results, seq: records.filter(({ record }) => record.type === "results").length + 1 } });
        for (let position = dropped ? 1 : 0; position < within; position++) answered.add(from + position);
      }
      const seqs = records.filter(({ record }) => record.type === "results").length;
      records.push({ record: { type: "ack", seq: Math.min(acked, seqs) } }, { record: { type: "inputsEnd", total: first } });
      write(records);
      const { log, back } = replayed();
      assert.ok(back !== null);
      const { remembered } = back;
      assert.equal(wholeOf(log.values()).toString(), "values");
      log.close();
      assert.equal(back.finished, null);
      assert.equal(remembered.answeredInputs, answered.size);
      assert.equal(remembered.pushedInputs, first);
      assert.equal(remembered.pushedChunks, counts.length);
      assert.equal(remembered.totalInputs, first);
      assert.equal(remembered.seq, seqs);
      assert.equal([...remembered.unacked].length, seqs - Math.min(acked, seqs));
      const open = [...remembered.chunks].flatMap((chunk) => Array.from({ length: chunk.count }, (_, at) => chunk.first + at).filter((index) => chunk.answered?.[index - chunk.first] !== 1));
      assert.deepEqual(open, Array.from({ length: first }, (_, index) => index).filter((index) => !answered.has(index)));
    }),
    { numRuns: 60 },
  );
});

test("chunks and results are read back by their number, also after a restart", () => {
  write([
    { record: jobRecord() },
    { record: { type: "chunk", chunkId: 0, first: 0, count: 2 }, body: Buffer.from("chunk 0") },
    { record: { type: "chunk", chunkId: 1, first: 2, count: 2 }, body: Buffer.from("chunk 1") },
    { record: resultsRecord(1, 0, 2), body: Buffer.from("results 1") },
    { record: resultsRecord(2, 2, 1), body: Buffer.from("results 2") },
  ]);
  const { log } = replayed();
  assert.equal(wholeOf(log.chunkBody(1)).toString(), "chunk 1");
  assert.throws(() => log.chunkBody(0), { code: "BURLA_STORAGE" }, "all of it is answered");
  assert.equal(wholeOf(log.results(2).body).toString(), "results 2");
  assert.equal(log.results(1).message.seq, 1);
  assert.throws(() => log.results(3), { code: "BURLA_STORAGE" });
  log.close();
});

test("the last grants and the end are remembered", () => {
  const range = { chunkId: 0, from: 0, to: 1, attempt: 2, losses: 1, failures: 0 };
  write([
    { record: jobRecord() },
    { record: { type: "chunk", chunkId: 0, first: 0, count: 1 } },
    { record: { type: "grant", grantId: 5, nodeId: "n-1" as NodeId, range } },
    { record: { type: "finished", jobId: JOB_ID, outcome: "cancelled", reason: "enough", inputs: 1, failed: 0 }, body: Buffer.from("why") },
  ]);
  const { log, back } = replayed();
  log.close();
  assert.deepEqual([...(back?.remembered.grants ?? [])].map(({ grantId, nodeId }) => [grantId, nodeId]), [[5, "n-1"]]);
  assert.equal(back?.finished?.outcome, "cancelled");
  assert.equal(Buffer.from(back?.finishedBody ?? []).toString(), "why");
});

test("whether a job is interrupted is remembered, also by a log that begins anew; a log that does not say it tells of a running job", () => {
  const phaseOf = () => {
    const { log, back } = replayed();
    log.close();
    return back?.remembered.phase;
  };
  const log = longLog(100);
  log.close();
  assert.equal(phaseOf(), "running");
  for (const phase of ["interrupted", "running", "interrupted"] as const) {
    write([{ record: { type: "phase", phase } }]);
    assert.equal(phaseOf(), phase);
  }
  const { log: again } = replayed();
  assert.ok(again.compact({ ...snapshotOf(100, 95), phase: "interrupted" }, 95));
  again.close();
  assert.equal(phaseOf(), "interrupted");
});

test("a log without a beginning is nothing", () => {
  const { log, back } = replayed();
  log.close();
  assert.equal(back, null);
});

test("a log torn at every byte of its last record is the log before it", () => {
  write([{ record: jobRecord() }, { record: { type: "chunk", chunkId: 0, first: 0, count: 3 }, body: Buffer.from("abc") }]);
  const file = join(directory, "job.log");
  const before = readFileSync(file);
  write([{ record: resultsRecord(1, 0, 2), body: Buffer.from("xy") }]);
  const after = readFileSync(file);
  for (let length = before.byteLength; length < after.byteLength; length++) {
    writeFileSync(file, after.subarray(0, length));
    const { log, back } = replayed();
    log.close();
    assert.equal(back?.remembered.answeredInputs, 0);
    assert.equal(back?.remembered.seq, 0);
  }
});

test("a record of another shape is damage, and named", () => {
  const log = new JobLog(directory, files);
  log.append(jobRecord());
  log.append({ type: "grant", grantId: 1 } as unknown as JobRecord);
  log.close();
  const again = new JobLog(directory, files);
  assert.throws(() => replayJob(again), { code: "BURLA_STORAGE" });
  again.close();
});

test("a discarded log is gone", () => {
  write([{ record: jobRecord() }]);
  const log = new JobLog(directory, files);
  log.discard();
  assert.throws(() => readFileSync(join(directory, "job.log")), { code: "ENOENT" });
});

test("a summary is read back; a damaged one is told, with its file", () => {
  assert.equal(readSummary(directory, files), null);
  writeSummary(directory, SUMMARY, files);
  assert.deepEqual(readSummary(directory, files), SUMMARY);
  const path = join(directory, "summary.json");
  for (const damage of ["", "{", "null", "5", JSON.stringify({ ...SUMMARY, createdAt: "soon" } satisfies Partial<Record<keyof JobSummary, unknown>>)]) {
    writeFileSync(path, damage);
    assert.throws(() => readSummary(directory, files), (error: Error) => error instanceof DamageError && error.message.startsWith(`${path} is damaged`), damage);
  }
  writeFileSync(path, JSON.stringify(SUMMARY));
  assert.deepEqual(readSummary(directory, files), SUMMARY, "as an earlier build wrote it");
});

/** A log of `count` chunks of one input each, of which all but the last two are answered and acknowledged. */
function longLog(count: number, { detach = false } = {}) {
  const log = new JobLog(directory, files, 1000);
  log.append(jobRecord(JOB_ID, { detach }), Buffer.from("values"));
  for (let at = 0; at < count; at++) log.append({ type: "chunk", chunkId: at, first: at, count: 1 }, Buffer.alloc(100, at));
  for (let at = 0; at < count - 2; at++) {
    log.append({ type: "grant", grantId: at + 1, nodeId: "n-1" as NodeId, range: { chunkId: at, from: 0, to: 1, attempt: 1, losses: 0, failures: 0 } });
    log.append(resultsRecord(at + 1, at, 1), Buffer.alloc(100, at));
    log.forgetChunk(at);
  }
  return log;
}

function snapshotOf(count: number, acked: number): JobSnapshot {
  return {
    phase: "running", pushedChunks: count, pushedInputs: count, totalInputs: null, answeredInputs: count - 2, answeredBytes: 100 * (count - 2), failedInputs: 0,
    seq: count - 2, ackedSeq: acked, ackedInputs: acked, open: [{ id: count - 2, answered: null }, { id: count - 1, answered: null }], lastGrantId: count,
    grants: [{ grantId: count - 1, nodeId: "n-1" as NodeId, range: { chunkId: count - 2, from: 0, to: 1, attempt: 3, losses: 1, failures: 1 } }],
  };
}

const sizeOfLog = () => statSync(join(directory, "job.log")).size;

test("a long log forgets answered chunks and taken results, keeps the rest, and says the same after a restart", () => {
  const log = longLog(100);
  const before = sizeOfLog();
  assert.ok(log.isLong);
  assert.ok(log.compact(snapshotOf(100, 95), 95));
  assert.ok(sizeOfLog() < before / 5, `${sizeOfLog()} of ${before} bytes`);
  assert.ok(!log.isLong);
  log.append(resultsRecord(99, 98, 1), Buffer.from("after it"));
  assert.equal(wholeOf(log.results(96).body)[0], 95);
  assert.throws(() => log.results(95), { code: "BURLA_STORAGE" });
  assert.equal(wholeOf(log.chunkBody(99))[0], 99);
  log.close();

  const { log: again, back } = replayed();
  assert.equal(again.resultsAfter, 95);
  assert.equal(wholeOf(again.results(98).body)[0], 97);
  assert.equal(wholeOf(again.results(99).body).toString(), "after it");
  assert.equal(wholeOf(again.chunkBody(99))[0], 99);
  assert.equal(wholeOf(again.values()).toString(), "values");
  const { remembered } = back ?? assert.fail();
  assert.deepEqual([...remembered.chunks].map(({ id }) => id), [99]);
  assert.deepEqual([remembered.pushedInputs, remembered.answeredInputs, remembered.ackedInputs, remembered.seq, remembered.lastGrantId], [100, 99, 95, 99, 100]);
  assert.deepEqual([...remembered.unacked].map(({ seq }) => seq), [96, 97, 98, 99]);
  assert.deepEqual([...remembered.grants].at(-1)?.range, { chunkId: 98, from: 0, to: 1, attempt: 3, losses: 1, failures: 1 });
  again.close();
});

test("a log that is mostly needed stays as it is, and is not looked at again at once", () => {
  const log = longLog(100);
  log.append(resultsRecord(99, 98, 1), Buffer.alloc(100_000));
  const before = sizeOfLog();
  assert.ok(!log.compact({ ...snapshotOf(100, 0), seq: 99 }, 0));
  assert.equal(sizeOfLog(), before);
  assert.ok(!log.isLong);
  log.close();
});

test("a disk without room for the shorter log keeps the longer one", () => {
  const log = longLog(100);
  const before = sizeOfLog();
  mkdirSync(join(directory, "job.log.part"));
  assert.ok(!log.compact(snapshotOf(100, 95), 95));
  rmdirSync(join(directory, "job.log.part"));
  assert.equal(sizeOfLog(), before);
  assert.equal(wholeOf(log.results(1).body)[0], 0);
  log.append({ type: "ack", seq: 1 });
  log.close();
  const { log: again, back } = replayed();
  assert.equal(back?.remembered.answeredInputs, 98);
  again.close();
});

test("a main that dies while it shortens a log leaves the old one", () => {
  const log = longLog(20);
  log.close();
  writeFileSync(join(directory, "job.log.part"), "half of a log");
  const { log: again, back } = replayed();
  assert.equal(back?.remembered.answeredInputs, 18);
  assert.deepEqual(readdirSync(directory), ["job.log"]);
  again.close();
});

test("a part of a loss is kept as it is: a lost node counts less than a worker", () => {
  const range = { chunkId: 0, from: 0, to: 1, attempt: 2, losses: 0.25, failures: 0 };
  write([{ record: jobRecord() }, { record: { type: "chunk", chunkId: 0, first: 0, count: 1 } }, { record: { type: "grant", grantId: 0, nodeId: null, range } }]);
  const { log, back } = replayed();
  assert.deepEqual([...(back?.remembered.grants ?? [])].map((grant) => grant.range), [range]);
  log.close();
});
