import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pack, unpack, type NodeId } from "@burla/protocol";
import { LineLog, type NewLines } from "./line-log.ts";
import { OpenFiles } from "./open-files.ts";

const files = new OpenFiles();
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-lines-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const from = (nodeSeq: number, sender = "n-1 100"): NewLines => ({ nodeId: "n-1" as NodeId, sender, nodeSeq, droppedLines: 0 });
const lines = (...texts: string[]) => pack(texts.map((text) => [0, 1, 0, text]));

function textsAfter(log: LineLog, position: number): string[] {
  return [...log.after(position)].flatMap(({ body }) => (unpack(body) as [number, number, number, string][]).map(([, , , text]) => text));
}

test("what a node sends again is here once, also after a restart of main; another run of the node counts anew", () => {
  const log = new LineLog(directory, files);
  assert.ok(log.append(from(1), lines("a")));
  assert.ok(log.append(from(3), lines("b")));
  assert.ok(!log.append(from(1), lines("a")));
  assert.ok(!log.append(from(3), lines("b")));
  log.close();
  const again = new LineLog(directory, files);
  assert.ok(!again.append(from(3), lines("b")));
  assert.ok(again.append(from(4), lines("c")));
  assert.ok(again.append(from(1, "n-1 200"), lines("d")));
  assert.deepEqual(textsAfter(again, 0), ["a", "b", "c", "d"]);
  again.close();
});

test("a reader goes on where it was", () => {
  const log = new LineLog(directory, files);
  log.append(from(1), lines("a", "b"));
  const { position } = log;
  log.append(from(2), lines("c"));
  assert.deepEqual(textsAfter(log, position), ["c"]);
  assert.deepEqual([...log.after(position)].map((record) => record.position), [log.position]);
  assert.deepEqual(textsAfter(log, log.position), []);
  log.close();
});

test("a position that is none gives nothing, and harms nothing", () => {
  const log = new LineLog(directory, files);
  for (let at = 1; at <= 20; at++) log.append(from(at), lines("x".repeat(at * 7)));
  const size = log.position;
  for (const position of [1, 2, 3, 5, 7, 11, 50, 101, size - 1, size + 1, 1e12]) textsAfter(log, position);
  assert.equal(statSync(join(directory, "lines.log")).size, size);
  assert.equal(textsAfter(log, 0).length, 20);
  log.close();
});
