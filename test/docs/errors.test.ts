import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ERROR_CATALOGUE } from "@burla/protocol";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

/** Each code with the text under its heading. */
const sections = new Map(
  page.split(/^### /m).slice(1).map((part) => {
    const [code = "", ...text] = part.split(/\n(?=\n)/);
    return [code.trim(), text.join("\n").split(/^## /m)[0] ?? ""];
  }),
);

test("the page has every code of the catalogue, in its order, and no other", () => {
  assert.deepEqual([...sections.keys()], Object.keys(ERROR_CATALOGUE));
});

for (const [code, cure] of Object.entries(ERROR_CATALOGUE)) {
  test(`${code} has its cause, the cure of the catalogue, and an example`, () => {
    const text = sections.get(code) ?? "";
    assert.ok(text.includes(`\nCure: ${cure}\n`), `the cure is not "${cure}"`);
    const [cause = ""] = text.split("Cure: ");
    assert.ok(cause.trim().length > 60, "the cause is not told");
    assert.match(text, /```(ts|sh)\n.+\n```/s);
  });
}
