import assert from "node:assert/strict";
import { test } from "node:test";
import { mimeItems } from "./mime-items.ts";

const text = (bundle: Record<string, unknown>) => mimeItems(bundle).map(({ data }) => Buffer.from(data).toString("utf8"));

test("images come as base64, text and SVG as they are, also in lines", () => {
  assert.deepEqual([...(mimeItems({ "image/png": Buffer.from([137, 80, 78]).toString("base64") })[0]?.data ?? [])], [137, 80, 78]);
  assert.deepEqual(text({ "image/svg+xml": "<svg/>", "text/plain": ["a\n", "b"] }), ["<svg/>", "a\nb"]);
});

test("JSON stays JSON, whatever it holds", () => {
  assert.deepEqual(text({ "application/json": { a: [1] }, "application/vnd.x+json": "word", "text/x": 5 }), ['{"a":[1]}', '"word"', "5"]);
});
