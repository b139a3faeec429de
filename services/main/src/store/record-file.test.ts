import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { OpenFiles } from "./open-files.ts";
import { RecordFile } from "./record-file.ts";

const files = new OpenFiles();
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-records-"));
  path = join(directory, "log");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(records: readonly { header: unknown; body: Uint8Array[] }[]): number[] {
  const file = new RecordFile(path, files);
  const offsets = records.map(({ header, body }) => file.append(header, ...body));
  file.close();
  return offsets;
}

function readAll(): { offset: number; header: unknown; body: string }[] {
  const file = new RecordFile(path, files);
  try {
    return [...file.replay()].map(({ offset, header, body }) => ({ offset, header, body: Buffer.from(body()).toString() }));
  } finally {
    file.close();
  }
}

test("what was appended is replayed, and read at its offset", () => {
  const record = fc.record({ header: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer(), { noNullPrototype: true }), body: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), (records) => {
      rmSync(path, { force: true });
      const offsets = write(records);
      const file = new RecordFile(path, files);
      assert.deepEqual([...file.replay()].map(({ offset, header, body }) => [offset, header, Buffer.from(body())]), records.map(({ header, body }, at) => [offsets[at], header, Buffer.concat(body)]));
      for (const [at, { body }] of records.entries()) assert.deepEqual(Buffer.from(file.read(offsets[at] ?? -1).body), Buffer.concat(body));
      assert.equal(file.size, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
      file.close();
    }),
    { numRuns: 50 },
  );
});

test("records longer than one read are put together", () => {
  const body = Buffer.alloc(5 * 1024 * 1024, "x");
  write([{ header: { n: 1 }, body: [body] }, { header: { n: 2 }, body: [Buffer.from("end")] }]);
  assert.deepEqual(readAll().map(({ header, body: text }) => [header, text.length]), [[{ n: 1 }, body.byteLength], [{ n: 2 }, 3]]);
});

test("a last record torn at any byte is cut off, and the file goes on from there", () => {
  const [, lastAt = 0] = write([{ header: { n: 1 }, body: [Buffer.from("first")] }, { header: { n: 2 }, body: [Buffer.from("second")] }]);
  const whole = readFileSync(path);
  for (let length = lastAt; length < whole.byteLength; length++) {
    writeFileSync(path, whole.subarray(0, length));
    assert.deepEqual(readAll().map(({ header }) => header), [{ n: 1 }], `torn at ${length}`);
    assert.equal(statSync(path).size, lastAt);
    write([{ header: { n: 3 }, body: [] }]);
    assert.deepEqual(readAll().map(({ header }) => header), [{ n: 1 }, { n: 3 }]);
  }
});

test("a tail of zeros, as a crash of the machine leaves, is cut off", () => {
  for (const zeros of [1, 7, 8, 100, 2 * 1024 * 1024]) {
    rmSync(path, { force: true });
    const file = new RecordFile(path, files);
    file.append({ n: 1 }, Buffer.from("kept"));
    const { size } = file;
    file.close();
    appendFileSync(path, Buffer.alloc(zeros));
    assert.deepEqual(readAll().map(({ header }) => header), [{ n: 1 }]);
    assert.equal(statSync(path).size, size);
  }
});

test("anything else that is no record is BURLA_STORAGE with its place, after the records before it; the file is left as it is", () => {
  const file = new RecordFile(path, files);
  file.append({ n: 1 });
  const { size } = file;
  file.close();
  appendFileSync(path, Buffer.alloc(50, 0xff));
  const damaged = new RecordFile(path, files);
  const seen: unknown[] = [];
  assert.throws(() => {
    for (const { header } of damaged.replay()) seen.push(header);
  }, (error: { code: string; message: string }) => error.code === "BURLA_STORAGE" && error.message.includes(`at byte ${size}`));
  damaged.close();
  assert.deepEqual(seen, [{ n: 1 }]);
  assert.equal(statSync(path).size, size + 50);
});

test("reading where no record is says so, and takes no memory for what a wrong length promises", () => {
  const file = new RecordFile(path, files);
  file.append({ n: 1 }, Buffer.alloc(100, 0xff));
  for (const offset of [-1, 20, 1_000_000]) assert.throws(() => file.read(offset), { code: "BURLA_STORAGE" });
  file.close();
});

test("a file that cannot be opened is BURLA_STORAGE", () => {
  assert.throws(() => new RecordFile(join(directory, "no", "such"), files).append({}), { code: "BURLA_STORAGE" });
});

/** Appends until the disk refuses, then says what stands and what a further small record does. */
const FILLER = `
process.on("SIGXFSZ", () => undefined);
const { RecordFile } = await import(process.argv[1]);
const { OpenFiles } = await import(process.argv[1].replace("record-file", "open-files"));
const file = new RecordFile(process.argv[2], new OpenFiles());
let whole = 0;
let code = "";
try {
  for (;;) { file.append({ n: whole }, Buffer.alloc(3000, 1), Buffer.alloc(4000, 2)); whole++; }
} catch (error) { code = error.code; }
const { size } = file;
file.append({ last: true });
console.log(JSON.stringify({ whole, code, size, replayed: [...file.replay()].length }));
`;

test("when the disk is full the file ends with its last whole record, and takes what still fits", () => {
  const module = new URL("./record-file.ts", import.meta.url).href;
  const args = ["--import", "tsx", "--input-type=module", "-e", FILLER, module, path];
  // A limit of 64 KiB on the size of files stands for a full disk: writes are cut short, then refused.
  const child = spawnSync("bash", ["-c", 'ulimit -f 64; exec "$0" "$@"', process.execPath, ...args], { encoding: "utf8", env: { ...process.env, TSX_DISABLE_CACHE: "1" } });
  assert.equal(child.status, 0, child.stderr);
  const { whole, code, size, replayed } = JSON.parse(child.stdout) as { whole: number; code: string; size: number; replayed: number };
  assert.equal(code, "BURLA_STORAGE");
  assert.ok(whole > 0 && size <= 64 * 1024);
  assert.equal(replayed, whole + 1);
});

test("a file that was made shorter meanwhile is told by reading", () => {
  const file = new RecordFile(path, files);
  const at = file.append({ n: 1 }, Buffer.alloc(100));
  truncateSync(path, 50);
  assert.throws(() => file.read(at), { code: "BURLA_STORAGE" });
  file.close();
});
