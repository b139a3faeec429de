import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeIdOf, TestCluster } from "./testing.ts";

const leaving = (name: string) => ({ type: "nodeLeaving", nodeId: nodeIdOf(name) }) as const;

test("a free node that is about to go gets no job, and counts for nothing", () => {
  const cluster = new TestCluster();
  cluster.ready("a");
  assert.deepEqual(cluster.turn(leaving("a")), []);
  assert.equal(cluster.state.connected, 0);
  assert.deepEqual(cluster.submit("one", 10).filter(({ type }) => type === "assign"), []);
  assert.ok(cluster.ready("b").some(({ type }) => type === "assign"), "the next one does");
});

test("a node at work is asked to finish what it has begun, gets no more, and is released afterwards", () => {
  const cluster = new TestCluster();
  cluster.ready("a");
  const grants = cluster.submit("one", 1000).filter((command) => command.type === "grant");
  assert.ok(grants.length > 0);
  const said = cluster.turn(leaving("a"));
  assert.deepEqual(said.map(({ type }) => type), ["drain"]);
  assert.deepEqual(cluster.turn(leaving("a")), [], "once");
  const after = cluster.ready("b");
  assert.ok(after.some((command) => command.type === "assign" && command.nodeId === nodeIdOf("b")), "the rest is for others");
  assert.ok(!after.some((command) => command.type === "grant" && command.nodeId === nodeIdOf("a")));
});

test("one that has dialled again is still about to go", () => {
  const cluster = new TestCluster();
  cluster.ready("a");
  cluster.turn(leaving("a"));
  cluster.turn({ type: "nodeDisconnected", nodeId: nodeIdOf("a") });
  cluster.ready("a");
  assert.deepEqual(cluster.submit("one", 10).filter(({ type }) => type === "assign"), []);
});
