/** Files that a disk, or somebody, has changed: noticed wherever the change is, and never a wrong value. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { crc32 as crc } from "node:zlib";
import fc from "fast-check";
import { DamageError, pack, unpack, type BurlaError, type JobId, type NodeId } from "@burla/protocol";
import { createState } from "../core/step.ts";
import { JobRegistry } from "../registry.ts";
import { JOB_ID, jobRecord, resultsRecord, SUMMARY, wholeOf } from "../testing.ts";
import { FailureLog } from "./failure-log.ts";
import { JobLog, readSummary, writeSummary } from "./job-log.ts";
import { LineLog } from "./line-log.ts";
import { OpenFiles } from "./open-files.ts";
import { replayJob } from "./replay.ts";

const files = new OpenFiles();
const node = "n-1" as NodeId;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-damage-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Large enough not to be read as a whole. */
const LARGE = Buffer.alloc(3 << 20, "captured");

/** A finished job with a record of each kind, all on the disk. */
function writeJob(folder: string): void {
  const log = new JobLog(folder, files);
  log.append(jobRecord(), LARGE);
  log.append({ type: "chunk", chunkId: 0, first: 0, count: 2 }, Buffer.from("chunk 0"));
  log.append({ type: "chunk", chunkId: 1, first: 2, count: 1 }, Buffer.from("chunk 1"));
  log.append({ type: "grant", grantId: 1, nodeId: node, range: { chunkId: 0, from: 0, to: 2, attempt: 1, losses: 0, failures: 0 } });
  log.append(resultsRecord(1, 0, 2), Buffer.from("results 1"));
  log.append({ type: "ack", seq: 1 });
  log.close();
}

function flipBit(path: string, bit: number): void {
  const bytes = readFileSync(path);
  const at = (bit >> 3) % bytes.byteLength;
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit & 7)), at);
  writeFileSync(path, bytes);
}

test("one bit anywhere in a job's log: the job is put aside with its file named, and the other jobs go on", () => {
  const other = "job-01j9x3k5v7abcdefgzz" as JobId;
  writeJob(join(directory, "whole"));
  const { byteLength } = readFileSync(join(directory, "whole", "job.log"));
  const bits = fc.oneof(fc.nat(8 * 200), fc.nat(8 * byteLength - 1), fc.nat(8 * 500).map((back) => 8 * byteLength - 1 - back));
  fc.assert(
    fc.property(bits, (bit) => {
      const jobs = join(directory, "jobs");
      rmSync(jobs, { recursive: true, force: true });
      cpSync(join(directory, "whole"), join(jobs, JOB_ID), { recursive: true });
      cpSync(join(directory, "whole"), join(jobs, other), { recursive: true });
      const path = join(jobs, JOB_ID, "job.log");
      flipBit(path, bit);
      const registry = new JobRegistry(jobs, files);
      const unrestored = registry.restore(createState(), 0);
      assert.deepEqual(unrestored.map(({ jobId, isDamaged }) => [jobId, isDamaged]), [[JOB_ID, true]], `bit ${bit}`);
      assert.ok(unrestored[0]?.error instanceof DamageError && unrestored[0].error.message.startsWith(`${path} is damaged`));
      assert.throws(() => registry.checkReadable(JOB_ID), (error: BurlaError) => error.code === "BURLA_STORAGE" && error.message.includes(join("damaged", JOB_ID)));
      const { log } = registry.get(other) ?? assert.fail("the other job is gone");
      assert.ok(wholeOf(log.values()).equals(LARGE));
      registry.close();
    }),
    { numRuns: 60 },
  );
});

test("one bit in what is read while the job runs is an error with the file's name, and never another value", () => {
  writeJob(directory);
  const path = join(directory, "job.log");
  const whole = readFileSync(path);
  const log = new JobLog(directory, files);
  replayJob(log);
  const reads: Record<string, () => Buffer> = { values: () => wholeOf(log.values()), chunk: () => wholeOf(log.chunkBody(1)), results: () => wholeOf(log.results(1).body) };
  const before = new Map(Object.entries(reads).map(([name, read]) => [name, read()]));
  fc.assert(
    fc.property(fc.oneof(fc.nat(8 * 100), fc.nat(8 * whole.byteLength - 1), fc.nat(8 * 400).map((back) => 8 * whole.byteLength - 1 - back)), (bit) => {
      flipBit(path, bit);
      for (const [name, read] of Object.entries(reads)) {
        try {
          assert.ok(read().equals(before.get(name) ?? assert.fail()), `${name} with bit ${bit} is another`);
        } catch (error) {
          assert.ok(error instanceof DamageError && error.message.startsWith(path), String(error));
        }
      }
      writeFileSync(path, whole);
    }),
    { numRuns: 60 },
  );
  assert.ok(reads["values"]?.().equals(LARGE), "what is whole again is read again");
  log.close();
});

test("one bit in a large body that changes while it is sent is told before its last piece", () => {
  writeJob(directory);
  const log = new JobLog(directory, files);
  replayJob(log);
  const values = log.values();
  assert.ok(!(values instanceof Uint8Array));
  values.read(0, 1000);
  flipBit(join(directory, "job.log"), 8 * 2_000_000);
  assert.throws(() => {
    for (let at = 1000; at < values.byteLength; at += 1 << 20) values.read(at, 1 << 20);
  }, DamageError);
  values.close();
  assert.throws(() => log.values(), DamageError, "and not sent again");
  log.close();
});

test("a record of the middle that loses its end is damage, not a torn end", () => {
  writeJob(directory);
  const path = join(directory, "job.log");
  const bytes = readFileSync(path);
  const at = bytes.lastIndexOf("results 1");
  writeFileSync(path, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 3)]));
  const log = new JobLog(directory, files);
  assert.throws(() => replayJob(log), DamageError);
  log.close();
});

test("one bit in the lines: those before it are read, and a line says what is missing", async () => {
  const entries = (text: string) => pack([[0, 1, 0, text]]);
  const write = () => {
    const log = new LineLog(directory, files);
    for (let seq = 1; seq <= 5; seq++) log.append({ nodeId: node, sender: "n-1 1", nodeSeq: seq, droppedLines: 0 }, entries(`line ${seq}`));
    log.close();
  };
  const path = join(directory, "lines.log");
  write();
  const { byteLength } = readFileSync(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(8 * byteLength - 1), async (bit) => {
      rmSync(path);
      write();
      flipBit(path, bit);
      const log = new LineLog(directory, files);
      const texts: string[] = [];
      for await (const { entries: some } of log.read({ follow: false, signal: new AbortController().signal })) texts.push(...some.map(([, , , text]) => text));
      assert.match(texts.pop() ?? "", /lines are missing here: .*lines\.log is damaged/);
      assert.deepEqual(texts, ["line 1", "line 2", "line 3", "line 4", "line 5"].slice(0, texts.length));
      assert.ok(log.append({ nodeId: node, sender: "n-1 1", nodeSeq: 9, droppedLines: 0 }, entries("later")));
      const after = [...log.after(0)].flatMap(({ body }) => (unpack(body) as string[][]).map(([, , , text]) => text));
      assert.equal(after.at(-1), "later", "lines that come later are found");
      log.close();
    }),
    { numRuns: 40 },
  );
  assert.ok(readdirSync(directory).includes("lines.log.damaged"));
});

test("one bit in a summary, or in the errors of a job", () => {
  writeSummary(directory, SUMMARY, files);
  const path = join(directory, "summary.json");
  const whole = readFileSync(path);
  for (let bit = 0; bit < 8 * whole.byteLength; bit++) {
    flipBit(path, bit);
    assert.throws(() => readSummary(directory, files), DamageError, `bit ${bit}`);
    writeFileSync(path, whole);
  }
  const failure = { index: 3, name: "RangeError", message: "too far", stack: "at score" };
  new FailureLog(directory, { isNew: true, files }).append([failure, { ...failure, index: 4 }]);
  const errors = join(directory, "failures.ndjson");
  const text = readFileSync(errors);
  for (let bit = 0; bit < 8 * text.byteLength; bit++) {
    flipBit(errors, bit);
    const read = new FailureLog(directory, { isNew: false, files }).read();
    assert.ok(read.every((each) => each.name === "BURLA_STORAGE" || (each.message === "too far" && [3, 4].includes(each.index) && each.name === "RangeError" && each.stack === "at score")), JSON.stringify(read));
    writeFileSync(errors, text);
  }
});

test("logs of the first format are read, gone on with, and shortened into the newest", () => {
  const recorded = fileURLToPath(new URL("./recorded/format-1", import.meta.url));
  cpSync(recorded, directory, { recursive: true });
  const ended = "job-01j9x3k5v7abcdefghk" as JobId;
  const registry = new JobRegistry(directory, files);
  const state = createState();
  assert.deepEqual(registry.restore(state, 0), []);
  const entry = registry.get(JOB_ID) ?? assert.fail();
  assert.equal(wholeOf(entry.values()).toString(), "captured values");
  assert.equal(wholeOf(entry.log.chunkBody(1)).toString(), "chunk 1");
  assert.equal(wholeOf(entry.log.results(2).body).toString(), "results 2");
  assert.equal(state.jobs.get(JOB_ID)?.answeredInputs, 3);
  assert.deepEqual(entry.failures.read().map(({ index, name }) => [index, name]), [[1, "Error"]]);
  assert.deepEqual([...entry.lines.after(0)].map(({ droppedLines, body }) => [droppedLines, (unpack(body) as unknown[]).length]), [[2, 2], [0, 1]]);
  assert.ok(!entry.lines.append({ nodeId: node, sender: "n-1 100", nodeSeq: 2, droppedLines: 0 }, pack([])), "lines that it has");
  assert.ok(entry.lines.append({ nodeId: node, sender: "n-1 100", nodeSeq: 3, droppedLines: 0 }, pack([[3, 1, 8, "four"]])));
  assert.deepEqual(registry.get(ended)?.endedSummary, { ...SUMMARY, jobId: ended });
  entry.log.append(resultsRecord(3, 3, 1), Buffer.from("results 3"));
  registry.close();
  const again = new JobLog(join(directory, JOB_ID), files, 1);
  assert.equal(replayJob(again)?.remembered.answeredInputs, 4);
  assert.equal(wholeOf(again.results(3).body).toString(), "results 3");
  const snapshot = {
    phase: "running" as const, pushedChunks: 2, pushedInputs: 4, totalInputs: 4, answeredInputs: 4, answeredBytes: 14, failedInputs: 1, seq: 3, ackedSeq: 2, ackedInputs: 3, open: [], lastGrantId: 1, grants: [],
  };
  assert.ok(again.compact(snapshot, 2));
  assert.equal(wholeOf(again.values()).toString(), "captured values");
  assert.equal(wholeOf(again.results(3).body).toString(), "results 3");
  again.close();
  assert.equal(readFileSync(join(directory, JOB_ID, "job.log")).subarray(0, 4).toString(), "burl");
  const last = new JobLog(join(directory, JOB_ID), files);
  assert.equal(replayJob(last)?.remembered.answeredInputs, 4);
  last.close();
});

test("a log of a later build is left where it is, and said", () => {
  writeJob(join(directory, JOB_ID));
  const path = join(directory, JOB_ID, "job.log");
  const bytes = readFileSync(path);
  // Version 3, with the checksum that it would have.
  Buffer.from("6275726c03000000d8b01e1c", "hex").copy(bytes);
  bytes.writeUInt32LE(crc(bytes.subarray(0, 8)), 8);
  writeFileSync(path, bytes);
  const registry = new JobRegistry(directory, files);
  const [unrestored] = registry.restore(createState(), 0);
  assert.equal(unrestored?.isDamaged, false);
  assert.throws(() => registry.checkReadable(JOB_ID), { code: "BURLA_STORAGE", message: /later version of Burla/ });
  assert.ok(readdirSync(directory).includes(JOB_ID));
  registry.close();
});
