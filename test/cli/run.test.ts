/** `burla run`: inputs in, results out, and how it ends. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { Script, type CommandOptions } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();
const folder = join(cluster.home, "work");

const SCORE = `
import { weight } from "./weight.ts";
interface Row { n: number }
const offset = 0.5;
export function score(row: Row): number {
  console.log(\`scoring \${row.n}\`);
  if (row.n === 3) throw new RangeError("three is too much", { cause: "three" });
  return row.n * weight;
}
function hidden(row: Row): number { return row.n + offset; }
export default (input: unknown) => input;
export const kinds = () => ({ big: 12n, map: new Map([["a", 1]]), date: new Date(0), bytes: Buffer.from("hi"), none: undefined });
export const variable = () => process.env.COLOUR;
export async function slow(n: number) { await new Promise((resolve) => setTimeout(resolve, 50)); return n; }
export const five = 5;
export const load = () => ({ ten: 10 });
const hiddenLoad = () => ({ ten: 11 });
export const add = (n: number, { worker }: { worker: { ten: number } }) => n + worker.ten;
export const times = (n: number, factor = 3) => n * factor;
const timesToo = (n: number, factor = 4) => n * factor;
export const endless = () => { for (;;); };
`;

before(() => {
  mkdirSync(join(folder, "texts"), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write("weight.ts", "export const weight: number = 10;");
  write("score.ts", SCORE);
  write("script.ts", `import { remoteParallelMap } from "burla";\nexport const twice = (n: number) => n * 2;\nawait remoteParallelMap(twice, [1]).toArray();\n`);
  write("broken.ts", "export const f = (: number) => 1;\n");
  write("throws.ts", `throw new Error("no database");\nexport const f = (n: number) => n;\n`);
  write("common.cjs", "exports.f = (x) => x + 1;");
  write("rows.ndjson", `{"n":1}\n{"n":2}\n\n{"n":4}`);
  write("bad.ndjson", `{"n":1}\n{"n":3}\n{"n":4}\n`);
  write("numbers.ndjson", "1\n2\n");
  write("rows.csv", `\uFEFFname,note\r\na,"x, y"\r\nb,\r\n`);
  write("rows.tsv", "name\tn\na\t1\n");
  write("rows.json", `[1, {"a": 2}, null]`);
  write("object.json", `{"a": 2}`);
  write("texts/b.txt", "second\n");
  write("texts/a.txt", "first\n");
});

function run(args: string[], options: CommandOptions = {}) {
  return Script.command(cluster, ["run", ...args], { cwd: folder, ...options }).ended();
}

/** In the order of the inputs and without anything on stderr but errors: such output can be compared. */
const STABLE = ["--order", "input", "--quiet"];

test("--setup names a function of the file that makes context.worker; a default of the second parameter stands", async () => {
  const values = async (fn: string, ...more: string[]) => (await run([`score.ts#${fn}`, "--inputs", "numbers.ndjson", ...STABLE, "--values", ...more])).stdout.trim().split("\n").map(Number);
  assert.deepEqual(await values("add", "--setup", "load"), [11, 12]);
  assert.deepEqual(await values("add", "--setup", "hiddenLoad", "--lookahead", "1"), [12, 13]);
  assert.deepEqual(await values("times"), [3, 6]);
  assert.deepEqual(await values("timesToo"), [4, 8]);
  const { code, stderr } = await run(["score.ts#add", "--inputs", "numbers.ndjson", "--setup", "nothing"]);
  assert.equal(code, 2);
  assert.match(stderr, /has no function "nothing"/);
});

test("NDJSON in, results as NDJSON out, what the function prints on stderr", async () => {
  const { code, stdout, stderr } = await run(["score.ts#score", "--inputs", "rows.ndjson", "--order", "input"]);
  assert.equal(stdout, `{"index":0,"value":10}\n{"index":1,"value":20}\n{"index":2,"value":40}\n`);
  assert.match(stderr, /^\[2\] scoring 4$/m);
  assert.match(stderr, /^score: 3 inputs in .+s$/m);
  assert.equal(code, 0);
});

test("a failure stops the job, is a line of its own, and is told with the user's own place", async () => {
  const { code, stdout, stderr } = await run(["score.ts#score", "--inputs", "bad.ndjson", ...STABLE]);
  const failure = stdout.split("\n").map((line) => (line === "" ? null : (JSON.parse(line) as { index: number; error?: { name: string; message: string; stack: string; cause: object } }))).find((line) => line?.error !== undefined);
  assert.equal(failure?.index, 1);
  assert.equal(failure?.error?.name, "RangeError");
  assert.equal(failure?.error?.message, "three is too much");
  assert.match(failure?.error?.stack ?? "", /score\.ts:7/);
  assert.match(stderr, /^burla: input 1 failed: RangeError: three is too much\n.*score\.ts:7.*\n {2}The job stopped at its first failure/);
  assert.equal(code, 1);
});

test("--on-error continue runs every input; --values leaves the failures out", async () => {
  const { code, stdout, stderr } = await run(["score.ts#score", "--inputs", "bad.ndjson", ...STABLE, "--on-error", "continue", "--values"]);
  assert.equal(stdout, "10\n40\n");
  assert.match(stderr, /^burla: input 1 failed: RangeError: three is too much/);
  assert.equal(code, 1);
});

const FORMS: { name: string; inputs: string[]; expected: unknown[]; input?: string }[] = [
  { name: "a JSON array", inputs: ["rows.json"], expected: [1, { a: 2 }, null] },
  { name: "CSV with a header", inputs: ["rows.csv"], expected: [{ name: "a", note: "x, y" }, { name: "b", note: "" }] },
  { name: "TSV", inputs: ["rows.tsv"], expected: [{ name: "a", n: "1" }] },
  { name: "a pattern of files: their paths", inputs: ["texts/*.txt"], expected: ["texts/a.txt", "texts/b.txt"] },
  { name: "files that the shell has expanded, with their content", inputs: ["texts/b.txt", "texts/a.txt", "--read", "text"], expected: ["second\n", "first\n"] },
  { name: "files as bytes", inputs: ["texts/a.txt", "--read", "buffer"], expected: [{ $type: "Uint8Array", base64: "Zmlyc3QK" }] },
  { name: "lines", inputs: ["texts/*.txt", "--format", "lines"], expected: ["first", "second"] },
  { name: "stdin", inputs: ["-"], expected: [1, "two"], input: `1\n"two"` },
  { name: "no input at all", inputs: ["-"], expected: [], input: "" },
  { name: "the first inputs of many", inputs: ["-", "--limit", "2"], expected: [1, 2], input: "1\n2\n3\n4\n" },
];
for (const { name, inputs, expected, input } of FORMS) {
  test(`inputs: ${name}`, async () => {
    const { code, stdout, stderr } = await run(["score.ts", "--inputs", ...inputs, ...STABLE, "--values"], input === undefined ? {} : { input });
    assert.equal(stdout, expected.map((value) => `${JSON.stringify(value)}\n`).join(""));
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  });
}

test("values that JSON has no word for", async () => {
  const { stdout } = await run(["score.ts#kinds", "--inputs", "rows.json", "--limit", "1", ...STABLE, "--values"]);
  assert.deepEqual(JSON.parse(stdout), {
    big: { $type: "bigint", value: "12" },
    map: { $type: "Map", value: [["a", 1]] },
    date: "1970-01-01T00:00:00.000Z",
    bytes: { $type: "Uint8Array", base64: "aGk=" },
  });
});

test("a function that is not exported, one of a script that starts jobs, one of a CommonJS module", async () => {
  const values = ["--values", ...STABLE];
  assert.equal((await run(["score.ts#hidden", "--inputs", "rows.ndjson", ...values])).stdout, "1.5\n2.5\n4.5\n");
  assert.equal((await run(["script.ts#twice", "--inputs", "-", ...values], { input: "21\n" })).stdout, "42\n");
  assert.equal((await run(["common.cjs#f", "--inputs", "-", ...values], { input: "1\n" })).stdout, "2\n");
});

test("options of the call: environment, name, timeout, retries", async () => {
  const env = await run(["score.ts#variable", "--inputs", "-", ...STABLE, "--values", "--env", "COLOUR=red=1", "--name", "colours"], { input: "0" });
  assert.equal(env.stdout, `"red=1"\n`);
  assert.ok((await cluster.status()).jobs.some(({ name }) => name === "colours"));
  const passedOn = await run(["score.ts#variable", "--inputs", "-", ...STABLE, "--values", "--env", "COLOUR"], { input: "0", env: { COLOUR: "blue" } });
  assert.equal(passedOn.stdout, `"blue"\n`);
  const late = await run(["score.ts#endless", "--inputs", "-", ...STABLE, "--timeout-ms", "100"], { input: "0" });
  assert.equal((JSON.parse(late.stdout) as { error: { code: string } }).error.code, "BURLA_TIMEOUT");
  assert.equal(late.code, 1);
});

const REFUSALS: { name: string; args: string[]; code: number; stderr: RegExp; input?: string }[] = [
  { name: "a file that is not there", args: ["gone.ts#f", "--inputs", "rows.json"], code: 2, stderr: /^burla: there is no file gone\.ts\n/ },
  { name: "a function that is not there", args: ["score.ts#nothing", "--inputs", "rows.json"], code: 2, stderr: /^burla: score\.ts has no function "nothing"\n {2}It exports add, default, endless, five, / },
  { name: "a file that cannot be compiled", args: ["broken.ts#f", "--inputs", "rows.json"], code: 4, stderr: /^burla: Cannot send broken\.ts \(.*broken\.ts:1:19\): it cannot be compiled: .*\n {2}Mend that place/ },
  { name: "a module that throws when it is imported", args: ["throws.ts#f", "--inputs", "rows.json"], code: 4, stderr: /^burla: the function could not be loaded: no database\n {4}at .*throws\.ts:1.*\n {2}Run `burla bundle --explain/ },
  { name: "something that is no function", args: ["score.ts#five", "--inputs", "rows.json"], code: 4, stderr: /^burla: the function could not be loaded: what was sent is no function but 5\n/ },
  { name: "inputs that are not there", args: ["score.ts", "--inputs", "gone.json"], code: 2, stderr: /^burla: there is no file gone\.json\n/ },
  { name: "a pattern that no file fits", args: ["score.ts", "--inputs", "*.gone"], code: 2, stderr: /^burla: no file fits \*\.gone\n/ },
  { name: "a folder as input", args: ["score.ts", "--inputs", "texts"], code: 2, stderr: /^burla: texts: its name does not say how it holds the inputs\n/ },
  { name: "JSON that is no array", args: ["score.ts", "--inputs", "object.json"], code: 2, stderr: /^burla: object\.json holds no array\n/ },
  { name: "a broken line of NDJSON", args: ["score.ts", "--inputs", "-"], input: "1\n{oops\n", code: 2, stderr: /^burla: stdin:2 is not JSON: / },
  { name: "no inputs", args: ["score.ts"], code: 2, stderr: /required option '--inputs <source\.\.\.>' not specified/ },
  { name: "an option that is no number", args: ["score.ts", "--inputs", "rows.json", "--cpu", "two"], code: 2, stderr: /'--cpu <n>' argument 'two' is invalid. It must be a number/ },
  { name: "an option out of its range", args: ["score.ts", "--inputs", "rows.json", "--retries", "-1"], code: 2, stderr: /^burla: --retries must be at least 0, not -1\n/ },
  { name: "more than any node has", args: ["score.ts", "--inputs", "rows.json", "--cpu", "4000"], code: 2, stderr: /^burla: no node has 4000 processors/ },
];
for (const { name, args, code, stderr, input } of REFUSALS) {
  test(`refused: ${name}`, async () => {
    const end = await run([...args, "--quiet"], input === undefined ? {} : { input });
    assert.match(end.stderr, stderr);
    assert.equal(end.code, code);
    assert.doesNotMatch(end.stderr, /dist\/|node:internal/, "a stack of ours");
  });
}

test("with --json errors, logs and progress are JSON on stderr", async () => {
  const refused = await run(["score.ts#nothing", "--inputs", "rows.json", "--json"]);
  assert.equal((JSON.parse(refused.stderr) as { error: { message: string } }).error.message, `score.ts has no function "nothing"`);
  for (const [args, message] of [[[], /required option '--inputs/], [["--inputs", "rows.json", "--cpu", "two"], /'two' is invalid/], [["--inputs", "rows.json", "--inputz"], /unknown option '--inputz'/]] as const) {
    const wrong = await run(["score.ts#score", ...args, "--json"]);
    assert.match((JSON.parse(wrong.stderr) as { error: { message: string } }).error.message, message);
    assert.equal(wrong.code, 2);
  }
  const { stderr } = await run(["score.ts#score", "--inputs", "rows.ndjson", "--json"]);
  const lines = stderr.trimEnd().split("\n").map((line) => JSON.parse(line) as { log?: { text: string; index: number } });
  assert.deepEqual(lines.flatMap(({ log }) => log?.text ?? []).sort(), ["scoring 1", "scoring 2", "scoring 4"]);
});

test("Ctrl-C cancels the job on the cluster and ends with 130", async () => {
  const script = Script.command(cluster, ["run", "score.ts#slow", "--inputs", "-", "--quiet", "--name", "interrupted"], { cwd: folder, input: "1\n".repeat(10_000) });
  await script.line(/"index"/);
  script.kill("SIGINT");
  const { code, stderr } = await script.ended();
  assert.equal(code, 130);
  assert.equal(stderr, "burla: cancelling the job (Ctrl-C again ends at once)\n");
  assert.equal((await cluster.status()).jobs.find(({ name }) => name === "interrupted")?.phase, "cancelled");
});

test("Ctrl-C ends a job that waits for inputs, too", async () => {
  const script = Script.command(cluster, ["run", "score.ts#slow", "--inputs", "-", "--quiet", "--name", "waiting"], { cwd: folder, input: "open" });
  await until("the job is there", async () => (await cluster.status()).jobs.some(({ name }) => name === "waiting"));
  script.kill("SIGINT");
  assert.equal((await script.ended()).code, 130);
});

test("a reader that has enough ends the job quietly", async () => {
  const script = Script.command(cluster, ["run", "score.ts#slow", "--inputs", "-", "--quiet", "--name", "head"], { cwd: folder, input: "1\n".repeat(10_000) });
  await script.line(/"index"/);
  script.closeOutput();
  const { code, stderr } = await script.ended();
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.equal((await cluster.status()).jobs.find(({ name }) => name === "head")?.phase, "cancelled");
});
