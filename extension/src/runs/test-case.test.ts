import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toJson } from "burla/tools";
import type { FailedCall } from "./failed-call.ts";
import { pythonSourceOf } from "./test-case-python.ts";
import { sourceOf, testCaseOf } from "./test-case.ts";

const CALL: FailedCall = {
  file: "/w/score.ts", fn: { kind: "named", name: "score" }, label: "score", isExported: true, index: 10, input: { id: 142, "two words": ["x"] }, sourceLabel: "documents.ndjson",
  error: { name: "RangeError", message: "no score\nfor 142 */" },
};

test("a test imports the function and calls it with the input", () => {
  assert.equal(testCaseOf(CALL), [
    'import test from "node:test";',
    'import { score } from "./score.ts";',
    "",
    "// Input 10 of documents.ndjson ended with RangeError: no score for 142 * /",
    'test("score, input 10", async () => {',
    '  await score({ id: 142, "two words": ["x"] });',
    "});",
    "",
  ].join("\n"));
  assert.match(testCaseOf({ ...CALL, isExported: false }), /import \{ score \} from ".\/score.ts"; \/\/ to be exported there/);
  assert.match(testCaseOf({ ...CALL, fn: { kind: "named", name: "default" }, label: "default export" }), /import fn from ".\/score.ts";[^]*await fn\(/);
  assert.match(testCaseOf({ ...CALL, fn: { kind: "range", start: 1, end: 2, label: "mapped" }, label: "mapped" }), /const mapped = undefined;/);
  assert.match(testCaseOf({ ...CALL, input: undefined }), /await score\(undefined \/\* input 10 of documents.ndjson: it is too long/);
});

test("the copied test runs, and fails as the input did", () => {
  const folder = mkdtempSync(join(tmpdir(), "burla-test-case-"));
  try {
    writeFileSync(join(folder, "score.mjs"), "export const score = ({ id }) => { throw new RangeError(`no score for ${id}`); };");
    writeFileSync(join(folder, "copied.test.mjs"), testCaseOf({ ...CALL, file: join(folder, "score.mjs") }));
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout, status } = spawnSync(process.execPath, ["--test", "copied.test.mjs"], { cwd: folder, encoding: "utf8", env });
    assert.equal(status, 1);
    assert.match(stdout, /no score for 142/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("values that JSON has no word for are made again", () => {
  const values = [Number.NaN, -Infinity, 12n, new Map([["a", new Set([1])]]), /a\/b/gi, new Uint8Array([1, 2]), new Float64Array([1.5]), new BigInt64Array([3n]), null, "text", [1, [2]], { a: { $b: true } }];
  for (const value of values) {
    const made: unknown = new Function(`return (${sourceOf(JSON.parse(toJson(value)))});`)();
    assert.deepEqual(made instanceof Buffer ? new Uint8Array(made) : made, value);
  }
  assert.equal(sourceOf({ $type: "circular" }), "undefined /* circular */");
});

test("of a function of Python the test is one of Python, and fails as the input did", () => {
  const folder = mkdtempSync(join(tmpdir(), "burla-test-case-"));
  try {
    writeFileSync(join(folder, "score.py"), 'def score(document):\n    raise ValueError(f"no score for {document[\'id\']}")\n');
    writeFileSync(join(folder, "copied.py"), testCaseOf({ ...CALL, file: join(folder, "score.py") }));
    assert.match(testCaseOf({ ...CALL, file: "/w/scores.py" }), /^from scores import score\n\n\ndef test_score_input_10\(\):\n    # Input 10 .*\n    score\(\{"id": 142, "two words": \["x"\]\}\)\n$/);
    const { stderr } = spawnSync("python3", ["-c", "import copied; copied.test_score_input_10()"], { cwd: folder, encoding: "utf8" });
    assert.match(stderr, /ValueError: no score for 142/);
    const values = [true, null, 1.5, Number.NaN, -Infinity, 12n, new Map([["a", new Set([1])]]), new Uint8Array([1, 2]), { "two words": ["ü\u2028"] }];
    const made = values.map((value) => pythonSourceOf(JSON.parse(toJson(value)))).join(", ");
    const { stdout } = spawnSync("python3", ["-X", "utf8", "-c", `print([${made}])`], { encoding: "utf8" });
    assert.equal(stdout.trim(), String.raw`[True, None, 1.5, nan, -inf, 12, {'a': {1}}, b'\x01\x02', {'two words': ['ü\u2028']}]`);
    assert.match(testCaseOf({ ...CALL, file: "/w/my-score.py" }), /score = importlib.import_module\("my-score"\).score/);
    assert.match(testCaseOf({ ...CALL, file: "/w/score.py", input: undefined }), /\.{3}\) {2}# input 10 of documents.ndjson: it is too long/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
