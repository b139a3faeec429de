/** Jobs cost no descriptors, and a system that has none left costs no jobs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pack, type BurlaError, type JobId, type NodeId } from "@burla/protocol";
import { createState } from "../core/step.ts";
import { JobRegistry } from "../registry.ts";
import { jobRecord, resultsRecord, SPEC, SUMMARY, wholeOf } from "../testing.ts";
import { JobLog, writeSummary } from "./job-log.ts";
import { LineLog } from "./line-log.ts";
import { OpenFiles, type FileOwner } from "./open-files.ts";
import { RecordFile } from "./record-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-files-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const idOf = (number: number) => `job-${String(number).padStart(19, "0")}` as JobId;

/** Ended and detached, with results and lines: kept for a week. */
function writeJobs(count: number): void {
  const files = new OpenFiles();
  for (let number = 0; number < count; number++) {
    const jobId = idOf(number);
    const folder = join(directory, jobId);
    const log = new JobLog(folder, files);
    log.append(jobRecord(jobId, { detach: true }), Buffer.from(`values of ${number}`));
    log.append(resultsRecord(1, 0, 1), Buffer.from(`result of ${number}`));
    log.append({ type: "finished", jobId, outcome: "done", reason: "", inputs: 1, failed: 0 });
    log.close();
    const lines = new LineLog(folder, files);
    lines.append({ nodeId: "n-1" as NodeId, sender: "n-1 1", nodeSeq: 1, droppedLines: 0 }, pack([[0, 1, 0, `line of ${number}`]]));
    lines.close();
    writeSummary(folder, { ...SUMMARY, jobId, detach: true }, files);
  }
  files.closeAll();
}

/** Restores, reads something of each job while all are followed, and tells what there is. */
const RESTORE = `
const base = process.argv[1];
const load = (name) => import(new URL(name, base).href);
const { JobRegistry } = await load("../registry.ts");
const { OpenFiles } = await load("open-files.ts");
const { createState } = await load("../core/step.ts");
const { wholeOf } = await load("../testing.ts");
const registry = new JobRegistry(process.argv[2], new OpenFiles());
const unrestored = registry.restore(createState(), 0).map(({ error }) => String(error));
const entries = [...registry.entries];
const signal = new AbortController().signal;
const followed = await Promise.all(entries.map(async ({ jobId }) => (await registry.lines(jobId, { follow: true, signal }).next()).value.entries[0][3]));
const results = entries.map(({ log }) => wholeOf(log.results(1).body).toString());
for (const { log } of entries) log.append({ type: "ack", seq: 1 });
console.log(JSON.stringify({ unrestored, followed, results }));
`;

test("three hundred jobs under a limit of 72 descriptors are all there, can be read, followed and written to", () => {
  writeJobs(300);
  const args = ["--import", "tsx", "--input-type=module", "-e", RESTORE, import.meta.url, directory];
  const child = spawnSync("bash", ["-c", 'ulimit -n 72; exec "$0" "$@"', process.execPath, ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(child.status, 0, child.stderr);
  const { unrestored, followed, results } = JSON.parse(child.stdout) as { unrestored: string[]; followed: string[]; results: string[] };
  assert.deepEqual(unrestored, []);
  assert.deepEqual(results, Array.from({ length: 300 }, (_, number) => `result of ${number}`));
  assert.deepEqual(followed, Array.from({ length: 300 }, (_, number) => `line of ${number}`));
});

test("no more than the bound are open, whatever is read; what is held stays, also when its name is gone", () => {
  writeJobs(30);
  const files = new OpenFiles(4);
  const registry = new JobRegistry(directory, files);
  registry.restore(createState(), 0);
  for (const { log } of registry.entries) {
    wholeOf(log.results(1).body);
    assert.ok(files.count <= 4);
  }
  const path = join(directory, "large");
  const file = new RecordFile(path, files);
  const body = file.bodyOf(file.append({ n: 1 }, Buffer.alloc(100_000, "x")));
  for (const { log } of registry.entries) wholeOf(log.results(1).body);
  rmSync(path);
  file.close();
  assert.equal(body.read(0, 100_000).toString(), "x".repeat(100_000));
  body.close();
  assert.throws(() => body.read(0, 1), { code: "BURLA_STORAGE" });
  registry.close();
  assert.equal(files.count, 0);
});

test("a file that is closed is not read under the number of another", () => {
  const files = new OpenFiles();
  const file = new RecordFile(join(directory, "one"), files);
  const at = file.append({ n: 1 }, Buffer.from("mine"));
  const reading = file.replay();
  file.append({ n: 2 }, Buffer.alloc(3 << 20));
  reading.next();
  file.close();
  const other = new RecordFile(join(directory, "two"), files);
  other.append({ n: 1 }, Buffer.from("theirs"));
  assert.throws(() => file.read(at), { code: "BURLA_STORAGE", message: /not kept any more/ });
  assert.throws(() => [...reading].map(({ body }) => body()), { code: "BURLA_STORAGE" });
  other.close();
});

/** Refuses to open what the test names. */
class RefusingFiles extends OpenFiles {
  code: string | null = null;

  override descriptor(owner: FileOwner): number {
    this.#refuse();
    return super.descriptor(owner);
  }

  override withRoom<Value>(action: () => Value): Value {
    this.#refuse();
    return super.withRoom(action);
  }

  #refuse(): void {
    if (this.code !== null) throw Object.assign(new Error(`${this.code}: refused`), { code: this.code });
  }
}

for (const code of ["EMFILE", "ENFILE", "EACCES", "EIO", "ENOMEM", "EROFS"]) {
  test(`jobs whose files answer ${code} are left where they are, said with their file, and back when it is over`, () => {
    writeJobs(3);
    const taken = new JobRegistry(directory, new OpenFiles());
    taken.restore(createState(), 0);
    taken.get(idOf(0))?.discardData();
    taken.close();
    const files = new RefusingFiles();
    const registry = new JobRegistry(directory, files);
    const state = createState();
    files.code = code;
    const unrestored = registry.restore(state, 0);
    assert.deepEqual(unrestored.map(({ jobId, isDamaged }) => [jobId, isDamaged]), [0, 1, 2].map((number) => [idOf(number), false]));
    assert.deepEqual(readdirSync(directory).sort(), [0, 1, 2].map(idOf), "nothing is put aside or removed");
    assert.throws(() => registry.checkReadable(idOf(1)), (error: BurlaError) => error.code === "BURLA_STORAGE" && error.message.includes(join(idOf(1), "job.log")) && error.message.includes(code));
    assert.throws(() => registry.create(idOf(1), SPEC, idOf(1), new Uint8Array(0)), { code: "BURLA_STORAGE" });
    assert.ok(existsSync(join(directory, idOf(1), "job.log")), "a second job does not take its place");
    registry.prune();
    assert.deepEqual(registry.restoreUnread(state, 0), { back: [], damaged: [] });
    files.code = null;
    const { back } = registry.restoreUnread(state, 0);
    assert.deepEqual(back, [idOf(1), idOf(2)]);
    assert.equal(registry.hasUnread, false);
    assert.equal(registry.summary(idOf(0))?.jobId, idOf(0), "one of which only the summary is left");
    registry.close();
  });
}
