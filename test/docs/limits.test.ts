/** Every number that a page says of a limit is the one of the code. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { MAX_ENVIRONMENT_CHARACTERS, MAX_FRAME_BYTES, MAX_FUNCTION_BYTES, MAX_JOB_LOG_BYTES, MAX_NESTING, MAX_VARIABLE_CHARACTERS, MAX_WINDOW_BYTES, MAX_WINDOW_INPUTS, storageError } from "@burla/protocol";
import { KEEP_RESULTS_MS, MAX_ENDED_JOBS } from "../../services/main/src/registry.ts";
import { COMPACT_BYTES } from "../../services/main/src/store/compaction.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8").replaceAll(/\s+/g, " ");
const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
const DAY_MS = 24 * 60 * 60 * 1000;
const NUMBERS: Record<number, string> = { 7: "seven", 100: "hundred" };

const said: [page: string, sentence: string][] = [
  ["docs/errors.md", `(${mib(MAX_FRAME_BYTES)} for a value, ${mib(MAX_FUNCTION_BYTES)} for a function with what it captured, ${MAX_NESTING} levels)`],
  ["docs/errors.md", `of a detached one are kept for ${NUMBERS[KEEP_RESULTS_MS / DAY_MS] ?? "other"} days`],
  ["docs/errors.md", `(beyond ${mib(COMPACT_BYTES)})`],
  ["docs/cli.md", `Up to ${mib(MAX_JOB_LOG_BYTES)} of a job's lines are kept`],
  ["docs/cli.md", `the last ${NUMBERS[MAX_ENDED_JOBS] ?? "other"} that have ended`],
  ["docs/guide.md", `up to ${MAX_WINDOW_INPUTS.toLocaleString("en-US")} small ones, or ${mib(MAX_WINDOW_BYTES)}, ahead`],
  ["docs/guide.md", `All together may have ${MAX_ENVIRONMENT_CHARACTERS / 1024} Ki characters, one of them ${MAX_VARIABLE_CHARACTERS / 1024} Ki.`],
];
for (const [page, sentence] of said) {
  test(`${page} says: ${sentence}`, () => assert.ok(read(page).includes(sentence)));
}

test("a limit that Python has too is the same there", () => {
  assert.match(read("protocol/python/burla_protocol/frames.py"), new RegExp(`MAX_FUNCTION_BYTES = ${MAX_FUNCTION_BYTES / 1024 / 1024} \\* 1024 \\* 1024`));
});

test("the page tells of every refusal of the system that has a cure of its own, and room is the cure of a full disk only", () => {
  const page = read("docs/errors.md");
  const cureOf = (code: string) => storageError("write", Object.assign(new Error(code), { code })).cure;
  const general = cureOf("ENOTHING");
  for (const code of ["ENOSPC", "EDQUOT", "EFBIG", "ENOENT", "ENOTDIR", "EACCES", "EPERM", "EROFS", "EMFILE", "ENFILE", "EIO", "ENOMEM"]) {
    assert.ok(page.includes(`\`${code}\``), code);
    assert.notEqual(cureOf(code), general, code);
    assert.equal(/room/.test(cureOf(code)), code === "ENOSPC" || code === "EDQUOT", code);
  }
  assert.doesNotMatch(general, /room/);
});
