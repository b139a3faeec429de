/** The program that runs jobs for the extension, against a real cluster. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { InputSource, Request } from "../../extension/src/runner/messages.ts";
import { useCluster } from "../support/cluster.ts";
import { numbers } from "../support/inputs.ts";
import { until } from "../support/until.ts";
import { linesOfFile, Runner, userFolder } from "./runner.ts";

const cluster = useCluster();

const SCORE = `import { basename } from "node:path";
export const documents = Array.from({ length: 40 }, (_, i) => ({ id: i }));
export function score(input: { id: number }): { id: number; twice: number } {
  console.log("scoring", input.id);
  if (input.id % 10 === 7) {
    throw new RangeError("seven: " + input.id);
  }
  return { id: input.id, twice: input.id * 2 };
}
export async function slow(x: number) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return x;
}
export const lengths = (text: string) => text.length;
export const notIterable = 12;
export const withFunction = [1, () => 2];
export const mapped = documents.map((document) => basename(String(document.id)));
`;

function folderWith(files: Record<string, string> = {}): string {
  return userFolder({ "score.ts": SCORE, ...files });
}

interface RunParts {
  name?: string;
  inputs: InputSource;
  indexes?: number[] | null;
  outlivesWindow?: boolean;
  inputTimeoutMs?: number;
  limit?: number | null;
}

function run(folder: string, { name = "score", inputs, indexes = null, outlivesWindow = false, inputTimeoutMs = 30_000, limit = null }: RunParts): Runner {
  const spool = join(folder, "results.ndjson");
  const request: Request = { type: "run", file: join(folder, "score.ts"), fn: { kind: "named", name }, inputs, inputTimeoutMs, limit, cluster: null, spool, outlivesWindow, indexes };
  return new Runner(folder, request);
}

const ndjson = (count: number) => numbers(count).map((id) => `${JSON.stringify({ id })}\n`).join("");
const ids = (count: number): InputSource => ({ kind: "expression", text: `Array.from({ length: ${count} }, (_, i) => i)` });

test("a file of inputs: rows with inputs, values, errors and their places; the spool has them whole", async () => {
  const folder = folderWith({ "in.ndjson": ndjson(200) });
  const runner = run(folder, { inputs: { kind: "file", path: join(folder, "in.ndjson"), format: "ndjson" } });
  assert.deepEqual(await runner.ended(), { type: "ended", outcome: "done", problem: null });
  const rows = runner.rows.sort((a, b) => a.index - b.index);
  assert.deepEqual(rows.map(({ index }) => index), numbers(200));
  assert.deepEqual(rows.filter(({ isFailed }) => isFailed).map(({ index }) => index), numbers(20).map((tens) => tens * 10 + 7));
  assert.deepEqual({ ...rows[3], afterMs: null, offset: 0, bytes: 0 }, { index: 3, isFailed: false, input: '{"id":3}', text: '{"id":3,"twice":6}', fields: [["id", 3], ["twice", 6]], afterMs: null, place: null, offset: 0, bytes: 0 });
  assert.ok(rows.every(({ afterMs }) => afterMs !== null && afterMs >= 0));
  assert.equal(rows[7]!.text, "RangeError: seven: 7");
  assert.deepEqual(rows[7]!.place, { file: join(folder, "score.ts"), line: 6, column: 11 });
  const spool = readFileSync(join(folder, "results.ndjson"));
  const seventh = JSON.parse(spool.subarray(rows[7]!.offset, rows[7]!.offset + rows[7]!.bytes).toString()) as { index: number; input: unknown; error: { stack: string } };
  assert.deepEqual([seventh.index, seventh.input], [7, { id: 7 }]);
  assert.match(seventh.error.stack, /score\.ts:6:11/);
});

test("only some inputs again: their own indexes", async () => {
  const folder = folderWith({ "in.json": JSON.stringify(numbers(50).map((id) => ({ id }))) });
  const runner = run(folder, { inputs: { kind: "file", path: join(folder, "in.json"), format: "json" }, indexes: [7, 17, 40] });
  assert.equal((await runner.ended()).outcome, "done");
  const rows = runner.rows.sort((a, b) => a.index - b.index);
  assert.deepEqual(rows.map(({ index, isFailed, input }) => [index, isFailed, input]), [[7, true, '{"id":7}'], [17, true, '{"id":17}'], [40, false, '{"id":40}']]);
});

test("an exported array, an expression over the module's names, a glob of files, a CSV file", async () => {
  const folder = folderWith({ "a.txt": "four", "b.txt": "fives", "rows.csv": "id,name\n1,one\n2,two\n" });
  const exported = run(folder, { inputs: { kind: "export", name: "documents" } });
  assert.equal((await exported.ended()).outcome, "done");
  assert.equal(exported.rows.length, 40);
  const expression = run(folder, { name: "lengths", inputs: { kind: "expression", text: "mapped.slice(9, 11)" } });
  assert.equal((await expression.ended()).outcome, "done");
  assert.deepEqual(expression.rows.map(({ input, text }) => [input, text]).sort(), [['"10"', "2"], ['"9"', "1"]]);
  const glob = run(folder, { name: "lengths", inputs: { kind: "glob", pattern: "*.txt", read: "text" } });
  assert.equal((await glob.ended()).outcome, "done");
  assert.deepEqual(glob.rows.map(({ text }) => text).sort(), ["4", "5"]);
  const csv = run(folder, { inputs: { kind: "file", path: join(folder, "rows.csv"), format: "csv" } });
  await csv.ended();
  assert.deepEqual(csv.rows.map(({ input }) => input).sort(), ['{"id":"1","name":"one"}', '{"id":"2","name":"two"}']);
});

test("inputs that cannot be: a clear message with a cure, and nothing hangs", async () => {
  const folder = folderWith();
  const problemOf = async (parts: RunParts) => {
    const { outcome, problem } = await run(folder, parts).ended();
    assert.equal(outcome, "failed");
    return problem?.message ?? "";
  };
  assert.match(await problemOf({ inputs: { kind: "file", path: join(folder, "none.json"), format: "json" } }), /there is no file/);
  assert.match(await problemOf({ inputs: { kind: "export", name: "notIterable" } }), /notIterable: .*must be an array.*not 12/s);
  assert.match(await problemOf({ inputs: { kind: "export", name: "withFunction" } }), /withFunction: input 1 holds a function/);
  assert.match(await problemOf({ inputs: { kind: "export", name: "nothing" } }), /has no function "nothing"/);
  assert.match(await problemOf({ inputs: { kind: "expression", text: "documents.slice(" } }), /cannot be compiled/);
  assert.match(await problemOf({ inputs: { kind: "expression", text: "process.exit(3)" } }), /ended with code 3/);
  assert.match(await problemOf({ inputs: { kind: "expression", text: "new Promise(() => setInterval(() => {}, 1000))" }, inputTimeoutMs: 1_500 }), /no further input in 1.5 s/);
  assert.match(await problemOf({ name: "gone", inputs: ids(3) }), /has no function "gone"/);
});

test("a function expression of the file", async () => {
  const folder = folderWith();
  const text = "(document) => basename(String(document.id))";
  const start = SCORE.indexOf(text);
  const request: Request = {
    type: "run", file: join(folder, "score.ts"), fn: { kind: "range", start, end: start + text.length, label: "mapped" }, inputs: { kind: "export", name: "documents" },
    inputTimeoutMs: 30_000, limit: null, cluster: null, spool: join(folder, "results.ndjson"), outlivesWindow: false, indexes: null,
  };
  const runner = new Runner(folder, request);
  assert.equal((await runner.ended()).outcome, "done");
  assert.equal(runner.rows.find(({ index }) => index === 12)?.text, '"12"');
});

test("the first inputs are tried alone, and all are counted where that is no work", async () => {
  const folder = folderWith({ "in.ndjson": ndjson(200) });
  const endless = "(function* () { for (let i = 0; ; i++) yield i; })()";
  for (const [inputs, count] of [[{ kind: "file", path: join(folder, "in.ndjson"), format: "ndjson" }, 200], [ids(50), 50], [{ kind: "expression", text: endless }, null]] as const) {
    const runner = run(folder, { inputs, limit: 3 });
    assert.equal((await runner.ended()).outcome, "done");
    assert.deepEqual(runner.rows.map(({ index }) => index).sort(), [0, 1, 2]);
    assert.deepEqual(runner.events.filter(({ type }) => type === "counted"), [{ type: "counted", inputs: count }]);
  }
});

test("what the code of the inputs prints is told, up to a limit", async () => {
  const folder = folderWith();
  const runner = run(folder, { inputs: { kind: "expression", text: "(console.log('hello'), console.error(documents.length), documents)" } });
  await runner.ended();
  assert.deepEqual([...runner.printed].sort(), ["40", "hello"]);
  const noisy = run(folder, { inputs: { kind: "expression", text: "documents.map((document) => { for (let i = 0; i < 100; i++) console.log(i); return document; })" } });
  await noisy.ended();
  assert.equal(noisy.printed.length, 1_000);
  assert.match(noisy.printed.at(-1)!, /further lines/);
});

test("cancel ends the job on the cluster", async () => {
  const folder = folderWith();
  const runner = run(folder, { name: "slow", inputs: ids(5_000) });
  await runner.event("rows");
  const { jobId } = await runner.event("started");
  runner.cancel();
  assert.equal((await runner.ended()).outcome, "cancelled");
  assert.equal((await cluster.job(jobId)).phase, "cancelled");
});

test("a closed window cancels the job; one that is reloaded claims it and goes on where it was", async () => {
  const folder = folderWith();
  const runner = run(folder, { name: "slow", inputs: ids(400) });
  const { jobId } = await runner.event("started");
  await runner.event("rows");
  writeFileSync(join(folder, "results.ndjson.claim"), "");
  runner.leave();
  await until("the claim is taken", () => !existsSync(join(folder, "results.ndjson.claim")));
  const before = linesOfFile(join(folder, "results.ndjson")).length;
  assert.ok(before > 0 && before < 400);
  await runner.gone();
  const again = new Runner(folder, { type: "attach", jobId, from: before, cluster: null, spool: join(folder, "results.ndjson"), outlivesWindow: false, indexes: null });
  assert.equal((await again.ended()).outcome, "done");
  assert.deepEqual(linesOfFile(join(folder, "results.ndjson")).map(({ index }) => Number(index)).sort((a, b) => a - b), numbers(400));
});

test("a job that outlives its window goes on after it", async () => {
  const folder = folderWith();
  const runner = run(folder, { name: "slow", inputs: ids(100), outlivesWindow: true });
  const { jobId } = await runner.event("started");
  runner.leave();
  await runner.gone();
  await until("the job is done", async () => (await cluster.job(jobId)).phase === "done");
});

test("explain tells what would be sent; save writes NDJSON and CSV, the newest result of each input", async () => {
  const folder = folderWith();
  const explained = new Runner(folder, { type: "explain", file: join(folder, "score.ts"), fn: { kind: "named", name: "score" } });
  assert.match((await explained.event("explained")).text, /score.*code: .*bundle/s);
  const spool = join(folder, "spool.ndjson");
  writeFileSync(spool, ['{"index":1,"input":{"a":1},"error":{"name":"TypeError","message":"no, \\"this\\""}}', '{"index":0,"input":{"a":2,"b":"x,y"},"value":{"sum":3}}', '{"index":1,"input":{"a":1},"value":{"sum":4,"ok":true}}', '{"index":2,"input":{"a":3},"error":{"name":"Error","message":"gone"}}', '{"index":3,"inp'].join("\n"));
  for (const format of ["ndjson", "csv"] as const) {
    const saved = new Runner(folder, { type: "save", spool, target: join(folder, `saved.${format}`), format });
    assert.equal((await saved.event("saved")).rows, 3);
    assert.equal((await saved.ended()).outcome, "done");
  }
  assert.deepEqual(linesOfFile(join(folder, "saved.ndjson")).map(({ index }) => index), [0, 1, 2]);
  assert.equal(readFileSync(join(folder, "saved.csv"), "utf8"), 'index,status,input.a,input.b,value.sum,value.ok,error\n0,done,2,"x,y",3,,\n1,done,1,,4,true,\n2,failed,3,,,,Error: gone\n');
  assert.ok(existsSync(spool));
});
