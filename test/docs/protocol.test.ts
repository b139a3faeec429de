import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CONNECT_PATH, clientToMain, MAX_CHUNK_INPUTS, MAX_FRAME_BYTES, MAX_HEADER_BYTES, mainToClient, mainToNode, nodeToMain, nodeToWorker, ROUTES, workerToNode } from "@burla/protocol";
import { messagesOf } from "../wire/arbitrary.ts";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const DIRECTIONS = {
  "client → main": clientToMain, "main → client": mainToClient, "node → main": nodeToMain, "main → node": mainToNode,
  "node → worker": nodeToWorker, "worker → node": workerToNode,
};
/** `direction message`, as the table of the page has them. */
const told = [...page.matchAll(/^\| ([^|]+) \| `(\w+)` \|/gm)].flatMap(([, directions = "", type = ""]) =>
  directions.split(", ").flatMap((direction) => (direction === "any" ? Object.keys(DIRECTIONS) : [direction]).map((each) => `${each} ${type}`)),
);

test("the page has every message in its direction, and no other", () => {
  const defined = Object.entries(DIRECTIONS).flatMap(([direction, union]) => [...messagesOf(union).keys()].map((type) => `${direction} ${type}`));
  assert.deepEqual([...told].sort(), defined.sort());
});

test("the page has every route, and no other", () => {
  const routes = [...page.matchAll(/^\| `(?:GET|PUT|POST|DELETE) (\S+)` \|/gm)].map(([, route]) => route);
  assert.deepEqual([...new Set(routes)].sort(), Object.values(ROUTES).sort());
  assert.ok(page.includes(`GET ${CONNECT_PATH} HTTP/1.1`));
});

test("the caps on the page are those of the code", () => {
  const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
  for (const row of [`| frame | ${mib(MAX_FRAME_BYTES)} |`, `| header | ${mib(MAX_HEADER_BYTES)} |`, `| inputs in one chunk | ${MAX_CHUNK_INPUTS.toLocaleString("en-US")} |`]) {
    assert.ok(page.includes(row), row);
  }
});
