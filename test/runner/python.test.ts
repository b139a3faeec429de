/** The program that runs functions of Python files for the extension, against a real cluster. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import type { InputSource, Request } from "../../extension/src/runner/messages.ts";
import type { RunnerProgram } from "../../extension/src/runs/runner-link.ts";
import { ensureInterpreter } from "../../scripts/python/interpreters.ts";
import { useCluster } from "../support/cluster.ts";
import { numbers } from "../support/inputs.ts";
import { until } from "../support/until.ts";
import { linesOfFile, Runner, userFolder } from "./runner.ts";

useCluster();
const dist = fileURLToPath(new URL("../../client/dist", import.meta.url));
const { command, path } = ensureInterpreter();
if (path !== "") process.env["PYTHONPATH"] = path;
const PROGRAM: RunnerProgram = { kind: "python", python: command, packages: join(dist, "python"), burlaCommand: [process.execPath, join(dist, "cli.js")] };

const SCORES = `
"""Scores of documents."""
import time
from dataclasses import dataclass
from helper import twice

documents = [{"id": n, "text": "a b"} for n in range(40)]

@dataclass
class Score:
    id: int
    words: int

def noisy(function):
    import functools
    @functools.wraps(function)
    def wrapped(document):
        print("scoring", document["id"])
        return function(document)
    return wrapped

@noisy
def score(document):
    if document["id"] % 10 == 7:
        raise ValueError(f"no score for {document['id']}")
    return Score(document["id"], twice(len(document["text"].split())))

def echo(x): return x

async def slow(x: int, pause=0.05):
    import asyncio
    await asyncio.sleep(pause)
    return x

def odd(_):
    import decimal
    return {"n": float("nan"), "big": 2**60, "when": decimal.Decimal("1.5"), "b": b"ab", "s": {1}, (1, 2): None}

if __name__ == "__main__":
    raise SystemExit("only what is imported runs")
`;

function folderWith(files: Record<string, string> = {}): string {
  return userFolder({ "scores.py": SCORES, "helper.py": "def twice(x): return 2 * x\n", ...files });
}

interface RunParts {
  readonly name?: string;
  readonly file?: string;
  readonly inputs: InputSource;
  readonly limit?: number | null;
  readonly indexes?: number[] | null;
  readonly outlivesWindow?: boolean;
}

function run(folder: string, { name = "score", file = "scores.py", inputs, limit = null, indexes = null, outlivesWindow = false }: RunParts): Runner {
  const request: Request = { type: "run", file: join(folder, file), fn: { kind: "named", name }, inputs, inputTimeoutMs: 30_000, limit, cluster: "local", spool: join(folder, "results.ndjson"), outlivesWindow, indexes };
  return new Runner(folder, request, PROGRAM);
}

const named = (name: string): InputSource => ({ kind: "export", name });
const expression = (text: string): InputSource => ({ kind: "expression", text });

test("values, errors with their lines, fields, and the inputs of a list of the file", async () => {
  const folder = folderWith();
  const runner = run(folder, { inputs: named("documents") });
  assert.deepEqual(await runner.ended(), { type: "ended", outcome: "done", problem: null });
  const rows = runner.rows.sort((a, b) => a.index - b.index);
  assert.deepEqual(rows.map(({ index }) => index), numbers(40));
  assert.deepEqual([rows[3]?.text, rows[3]?.input, rows[3]?.fields], ['{"id":3,"words":4}', '{"id":3,"text":"a b"}', [["id", 3], ["words", 4]]]);
  assert.deepEqual(rows.filter(({ isFailed }) => isFailed).map(({ index }) => index), [7, 17, 27, 37]);
  assert.equal(rows[7]?.text, "ValueError: no score for 7");
  assert.deepEqual(rows[7]?.place, { file: join(folder, "scores.py"), line: SCORES.split("\n").findIndex((line) => line.includes("raise ValueError")) + 1, column: 1 });
  const lines = linesOfFile(join(folder, "results.ndjson"));
  assert.equal(lines.length, 40);
});

test("only some inputs run again, under the indexes that they had, with the file as it is now", async () => {
  const folder = folderWith();
  await run(folder, { inputs: named("documents"), indexes: null }).ended();
  writeFileSync(join(folder, "scores.py"), SCORES.replace("% 10 == 7", "== -1"));
  const again = run(folder, { inputs: named("documents"), indexes: [7, 37] });
  assert.equal((await again.ended()).outcome, "done");
  assert.deepEqual(again.rows.map(({ index, isFailed, input }) => [index, isFailed, input]).sort(), [[37, false, '{"id":37,"text":"a b"}'], [7, false, '{"id":7,"text":"a b"}']]);
});

test("files of every form, patterns, expressions; the first ones alone, with the count of all", async () => {
  const folder = folderWith({ "in.ndjson": '{"a": 1}\n\n{"a": 2}\n', "in.json": "[1, 2, 3]", "in.csv": "a;b\n1;x\n", "in.tsv": "a\tb\n1\tx\n", "in.txt": "one\ntwo\n" });
  const values = async (inputs: InputSource) => {
    const runner = run(folder, { name: "echo", inputs });
    assert.equal((await runner.ended()).outcome, "done");
    return runner.rows.sort((a, b) => a.index - b.index).map(({ text }) => JSON.parse(text) as unknown);
  };
  const file = (name: string, format: "json" | "ndjson" | "csv" | "tsv" | "lines"): InputSource => ({ kind: "file", path: join(folder, name), format });
  assert.deepEqual(await values(file("in.ndjson", "ndjson")), [{ a: 1 }, { a: 2 }]);
  assert.deepEqual(await values(file("in.json", "json")), [1, 2, 3]);
  assert.deepEqual(await values(file("in.csv", "csv")), [{ a: "1", b: "x" }]);
  assert.deepEqual(await values(file("in.tsv", "tsv")), [{ a: "1", b: "x" }]);
  assert.deepEqual(await values(file("in.txt", "lines")), ["one", "two"]);
  assert.deepEqual(await values({ kind: "glob", pattern: "in.*son", read: null }), ["in.json", "in.ndjson"]);
  assert.deepEqual(await values(expression("(n * n for n in range(3))")), [0, 1, 4]);
  const tried = run(folder, { name: "echo", inputs: expression("range(1000)"), limit: 3 });
  await tried.ended();
  assert.deepEqual([tried.rows.length, tried.events.find(({ type }) => type === "counted")], [3, { type: "counted", inputs: 1_000 }]);
});

test("values that JSON has no word for have a sign", async () => {
  const runner = run(folderWith(), { name: "odd", inputs: expression("[1]") });
  await runner.ended();
  const value = JSON.parse(runner.rows[0]?.text ?? "") as Record<string, unknown>;
  assert.deepEqual(value, { n: { $type: "number", value: "NaN" }, big: { $type: "bigint", value: String(2n ** 60n) }, when: { $type: "Decimal", value: "Decimal('1.5')" }, b: { $type: "Uint8Array", base64: "YWI=" }, s: { $type: "Set", value: [1] }, "(1, 2)": null });
});

test("a module of a package has its relative imports; one of the library's names, and one that is no name, run too", async () => {
  const folder = folderWith({ "json.py": "def f(x): return x + 1\n", "2024-scores.py": "def f(x): return x + 2\n" });
  mkdirSync(join(folder, "pkg", "sub"), { recursive: true });
  for (const [name, text] of Object.entries({ "pkg/__init__.py": "", "pkg/base.py": "STEP = 10\n", "pkg/sub/__init__.py": "", "pkg/sub/work.py": "from ..base import STEP\ndef f(x): return x + STEP\n" })) writeFileSync(join(folder, name), text);
  for (const [file, value] of [["pkg/sub/work.py", "11"], ["json.py", "2"], ["2024-scores.py", "3"]] as const) {
    const runner = run(folder, { name: "f", file, inputs: expression("[1]") });
    assert.deepEqual(await runner.ended(), { type: "ended", outcome: "done", problem: null }, file);
    assert.equal(runner.rows[0]?.text, value, file);
  }
});

test("what hinders a run is told, with its line and a cure", async () => {
  const folder = folderWith({ "broken.py": "def f(x):\n    return x +\n", "raises.py": "1 / 0\n", "none.json": "[]", "object.json": "{}" });
  const problem = async (parts: RunParts) => (await run(folder, parts).ended()).problem;
  const broken = await problem({ file: "broken.py", name: "f", inputs: expression("[1]") });
  assert.match(broken?.message ?? "", /SyntaxError: invalid syntax/);
  assert.deepEqual(broken?.place, { file: join(folder, "broken.py"), line: 2, column: broken?.place?.column });
  const raises = await problem({ file: "raises.py", name: "f", inputs: expression("[1]") });
  assert.match(raises?.message ?? "", /ZeroDivisionError/);
  assert.equal(raises?.place?.line, 1);
  assert.match((await problem({ name: "gone", inputs: expression("[1]") }))?.message ?? "", /scores\.py has no function "gone"/);
  assert.match((await problem({ inputs: named("nothing") }))?.message ?? "", /nothing called "nothing"/);
  assert.match((await problem({ inputs: expression("documents[") }))?.message ?? "", /cannot be compiled/);
  assert.match((await problem({ inputs: expression("12") }))?.message ?? "", /not int/);
  assert.match((await problem({ inputs: expression("[]") }))?.message ?? "", /has no inputs/);
  assert.match((await problem({ inputs: { kind: "file", path: join(folder, "none.json"), format: "json" } }))?.message ?? "", /none\.json has no inputs/);
  assert.match((await problem({ inputs: { kind: "file", path: join(folder, "object.json"), format: "json" } }))?.message ?? "", /holds no list/);
});

test("what the code of the file and its inputs prints is told, and is no event", async () => {
  const folder = folderWith({ "prints.py": 'import os, sys\nprint(\'{"type": "ended"}\')\nos.write(1, b"raw\\n")\ndef f(x): return x\n' });
  const runner = run(folder, { file: "prints.py", name: "f", inputs: expression("[print('made'), 1][1:]") });
  assert.equal((await runner.ended()).outcome, "done");
  await until("its lines are told", async () => runner.printed.length >= 3);
  assert.deepEqual([...runner.printed].sort(), ["made", "raw", '{"type": "ended"}']);
});

test("a run is cancelled", async () => {
  const folder = folderWith();
  const runner = run(folder, { name: "slow", inputs: expression("range(5000)") });
  await runner.event("rows");
  runner.cancel();
  assert.equal((await runner.ended()).outcome, "cancelled");
  await runner.gone();
  assert.ok(runner.rows.length < 5_000);
});

test("a window that is reloaded goes on with the run: no result is lost, none comes twice", async () => {
  const folder = folderWith();
  const spool = join(folder, "results.ndjson");
  const first = run(folder, { name: "slow", inputs: expression("range(200)") });
  const { jobId } = await first.event("started");
  await first.event("rows");
  first.leave();
  writeFileSync(`${spool}.claim`, "");
  await until("the claim is taken away", async () => !existsSync(`${spool}.claim`));
  const from = linesOfFile(spool).length;
  const second = new Runner(folder, { type: "attach", jobId, from, cluster: "local", spool, outlivesWindow: false, indexes: null }, PROGRAM);
  assert.equal((await second.ended()).outcome, "done");
  assert.deepEqual(linesOfFile(spool).map(({ index }) => Number(index)).sort((a, b) => a - b), numbers(200));
});

test("what would be sent is told without sending it", async () => {
  const folder = folderWith();
  const runner = new Runner(folder, { type: "explain", file: join(folder, "scores.py"), fn: { kind: "named", name: "score" } }, PROGRAM);
  const { text } = await runner.event("explained");
  assert.match(text, /function: score[^]*code: [\d,]+ bytes[^]*helper/);
});
