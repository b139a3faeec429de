/** What readers are sent: no line is lost without being counted, and no more waits for a slow one than a bound. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { countEntries, MAX_JOB_LOG_BYTES, MAX_WAITING_LOG_BYTES, MAX_WAITING_RESULT_BYTES, pack, type Body, type LogEntry, type MainToClient, type NodeId } from "@burla/protocol";
import type { JobEntry, ReaderConnection } from "./job-entry.ts";
import { JobRegistry } from "./registry.ts";
import { OpenFiles } from "./store/open-files.ts";
import { JOB_ID, resultsRecord, SPEC, SUMMARY, wholeOf } from "./testing.ts";

const NODE = "n-1" as NodeId;
let directory: string;
let registry: JobRegistry;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-entry-"));
  registry = new JobRegistry(directory, new OpenFiles());
});
afterEach(() => {
  registry.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A client that takes bytes when the test says so. */
class SlowReader implements ReaderConnection {
  unsentBytes = 0;
  maxUnsentBytes = 0;
  readonly told: MainToClient[] = [];
  shown = 0;
  dropped = 0;

  send(message: MainToClient, ...body: Body[]): void {
    this.told.push(message);
    const bytes = body.reduce((sum, { byteLength }) => sum + byteLength, 100);
    this.unsentBytes += bytes;
    this.maxUnsentBytes = Math.max(this.maxUnsentBytes, this.unsentBytes);
    if (message.type !== "logs") return;
    this.shown += body.reduce((sum, part) => sum + countEntries(wholeOf(part)), 0);
    this.dropped += message.droppedLines;
  }

  take(entry: JobEntry): void {
    this.unsentBytes = 0;
    entry.roomFor(this);
  }
}

const linesOf = (count: number, bytes: number) => pack(Array.from({ length: count }, (): LogEntry => [0, 1, 0, "x".repeat(bytes)]));

function finish(entry: JobEntry): void {
  entry.finish({ type: "finished", jobId: JOB_ID, outcome: "done", reason: "", inputs: 0, failed: 0 }, new Uint8Array(0), SUMMARY);
}

test("lines that a reader is shown and those that it is told were dropped are all that were printed, whenever it takes some", () => {
  const step = fc.oneof({ weight: 4, arbitrary: fc.record({ lines: fc.integer({ min: 0, max: 40 }), dropped: fc.nat(3) }) }, { weight: 1, arbitrary: fc.constant("take" as const) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const entry = registry.create(JOB_ID, SPEC, JOB_ID, new Uint8Array(0));
      const reader = new SlowReader();
      entry.attach(reader, 0, 0);
      let printed = 0;
      for (const [at, each] of steps.entries()) {
        if (each === "take") {
          reader.take(entry);
          continue;
        }
        printed += each.lines + each.dropped;
        entry.sendLines({ nodeId: NODE, sender: "n-1 1", nodeSeq: at + 1, droppedLines: each.dropped }, linesOf(each.lines, 60_000));
      }
      finish(entry);
      assert.equal(reader.shown + reader.dropped, printed);
      assert.equal(reader.told.at(-1)?.type, "finished", "the count comes before the end");
      assert.ok(reader.maxUnsentBytes <= MAX_WAITING_LOG_BYTES + 40 * 60_100 + 10_000);
      const second = new SlowReader();
      entry.attach(second, 0, 0);
      assert.equal(second.shown + second.dropped, printed, "so is one that comes after the end told");
      registry.close();
      registry = new JobRegistry(directory, new OpenFiles());
      rmSync(join(directory, JOB_ID), { recursive: true });
    }),
    { numRuns: 40 },
  );
});

test("a log that is full counts what it does not keep, also for who follows it, and after a restart", async () => {
  const entry = registry.create(JOB_ID, SPEC, JOB_ID, new Uint8Array(0));
  const body = linesOf(100, 10_000);
  const count = Math.ceil((1.1 * MAX_JOB_LOG_BYTES) / body.byteLength);
  for (let seq = 1; seq <= count; seq++) entry.sendLines({ nodeId: NODE, sender: "n-1 1", nodeSeq: seq, droppedLines: 1 }, body);
  entry.sendLines({ nodeId: NODE, sender: "n-1 1", nodeSeq: count, droppedLines: 1 }, body);
  finish(entry);
  const printed = count * 101;
  const countLogged = async (lines: JobEntry["lines"]): Promise<number> => {
    let sum = 0;
    for await (const { entries, droppedLines } of lines.read({ follow: true, signal: new AbortController().signal })) sum += entries.length + droppedLines;
    return sum;
  };
  assert.equal(await countLogged(entry.lines), printed);
  registry.close();
  registry = new JobRegistry(directory, new OpenFiles());
  registry.restore({ jobs: new Map() } as never, 0);
  assert.equal(await countLogged(registry.get(JOB_ID)?.lines ?? assert.fail()), printed);
});

test("results wait on the disk for a reader whose socket is full, and come in order when it has room", () => {
  const entry = registry.create(JOB_ID, SPEC, JOB_ID, new Uint8Array(0));
  const reader = new SlowReader();
  entry.attach(reader, 0, null);
  const body = Buffer.alloc(3 << 20, "r");
  for (let seq = 1; seq <= 8; seq++) entry.deliver(resultsRecord(seq, seq, 1), body);
  assert.ok(reader.maxUnsentBytes < MAX_WAITING_RESULT_BYTES + body.byteLength + 1000, `${reader.maxUnsentBytes} bytes wait`);
  finish(entry);
  for (let turn = 0; turn < 10; turn++) {
    const seqs = reader.told.flatMap((message) => (message.type === "results" ? [message.seq] : []));
    entry.acked(reader, seqs.at(-1) ?? 0);
    reader.take(entry);
  }
  assert.deepEqual(reader.told.flatMap((message) => (message.type === "results" ? [message.seq] : [])), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(reader.told.at(-1)?.type, "finished");
  assert.ok(reader.maxUnsentBytes < MAX_WAITING_RESULT_BYTES + body.byteLength + 1000);
});

test("progress is not told to a reader whose socket is full; its end is", () => {
  const entry = registry.create(JOB_ID, SPEC, JOB_ID, new Uint8Array(0));
  const reader = new SlowReader();
  entry.attach(reader, 0, null);
  const progress = { type: "progress", jobId: JOB_ID, phase: "running", reason: "", nodes: 1, workers: 1, pushed: 1, running: 1, done: 0, failed: 0, duplicates: 0, lostWorkers: 0 } as const;
  for (let at = 0; at < 100_000; at++) entry.tellProgress(progress);
  assert.ok(reader.maxUnsentBytes < MAX_WAITING_RESULT_BYTES + 1000);
  finish(entry);
  assert.equal(reader.told.at(-1)?.type, "finished");
});
