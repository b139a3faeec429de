import assert from "node:assert/strict";
import { test } from "node:test";
import { only, TestCluster, theOnly } from "./testing.ts";

function oneNode(inputs: number, cpu = 1, spec = {}) {
  const cluster = new TestCluster();
  cluster.ready("a", { cpu });
  const commands = cluster.submit("j", inputs, spec);
  return { cluster, commands, grant: theOnly(cluster.state.jobs.size > 0 ? commands.slice(0, commands.findIndex((c) => c.type === "grant") + 1) : [], "grant") };
}

const spans = (commands: Parameters<typeof only>[0]) => only(commands, "grant").map(({ from, to }) => [from, to]);

test("each idle worker gets one input first, nodes in turn", () => {
  const cluster = new TestCluster();
  cluster.ready("a", { cpu: 2 });
  cluster.ready("b", { cpu: 2 });
  const grants = only(cluster.submit("j", 10), "grant");
  assert.deepEqual(grants.map(({ nodeId, from, to }) => [nodeId, from, to]), [
    ["node-a", 0, 1], ["node-b", 1, 2], ["node-a", 2, 3], ["node-b", 3, 4],
  ]);
});

test("with the time of a call known, short calls are granted ahead and in numbers", () => {
  const { cluster, grant } = oneNode(1000);
  const next = spans(cluster.results(grant, 1, { runMs: 1 }));
  assert.deepEqual(next, [[1, 51]]);
});

test("long calls are not granted ahead", () => {
  const { cluster, grant } = oneNode(10);
  assert.deepEqual(spans(cluster.results(grant, 1, { runMs: 500 })), [[1, 2]]);
});

test("a part that is given back goes elsewhere, the rest of the grant goes on", () => {
  const { cluster, grant } = oneNode(100);
  const second = theOnly(cluster.results(grant, 1, { runMs: 2 }), "grant");
  assert.deepEqual([second.from, second.to], [1, 26]);
  const commands = cluster.ended(second, "released", [11, 12, 13, 0, 200]);
  assert.deepEqual(only(commands, "requeued").map(({ range }) => [range.from, range.to, range.attempt]), [[11, 14, 1]]);
  assert.deepEqual(spans(commands), [], "the node that gave it back does not get it again while all its workers are busy");
  cluster.ready("b");
  assert.deepEqual(spans(cluster.turn()).length > 0 || cluster.node("b").grants.size > 0, true);
  cluster.results(second, 10, { runMs: 20 });
  assert.equal(cluster.job("j").answeredInputs, 11);
  assert.deepEqual(only(cluster.ended(second, "released", [11, 12, 13]), "requeued"), [], "said twice, it counts once");
});

test("inputs of a lost worker are tried in smaller company, until the culprit stands alone and is given up", () => {
  const { cluster, grant } = oneNode(65);
  let next = only(cluster.results(grant, 1, { runMs: 0.01 }), "grant");
  assert.deepEqual([next[0]?.from, next[0]?.to], [1, 65]);
  let deaths = 0;
  for (let turn = 0; cluster.state.jobs.size > 0; turn++) {
    assert.ok(turn < 200);
    const [at] = next;
    assert.ok(at);
    const kills = at.from <= 40 && at.to > 40;
    if (kills) deaths++;
    const commands = kills ? cluster.ended(at, "worker-exited") : cluster.results(at, at.to - at.from, { runMs: 1 });
    next = [...next.slice(1), ...only(commands, "grant")];
    for (const { index, code, message } of only(commands, "giveUp")) {
      assert.deepEqual([index, code], [40, "BURLA_WORKER_LOST"]);
      assert.match(message, /exit code 1/);
    }
  }
  assert.equal(deaths, 1 + 1 + 3);
});

test("running out of memory is named as such", () => {
  const { cluster, grant } = oneNode(1);
  const second = theOnly(cluster.ended(grant, "out-of-memory"), "grant");
  const third = theOnly(cluster.ended(second, "out-of-memory"), "grant");
  assert.equal(third.attempt, 3);
  const last = cluster.ended(third, "out-of-memory");
  assert.equal(theOnly(last, "giveUp").code, "BURLA_OUT_OF_MEMORY");
  assert.equal(theOnly(last, "finished").outcome, "done");
});

test("a timeout is no loss: what else the worker had is tried again", () => {
  const { cluster, grant } = oneNode(10, 1, { concurrency: 5 });
  const again = only(cluster.ended(grant, "timeout"), "requeued");
  assert.deepEqual(again.map(({ range }) => [range.attempt, range.losses]), [[2, 0]]);
});

test("an input is given up when a dozen nodes were lost over it alone", () => {
  const cluster = new TestCluster();
  cluster.submit("j", 1);
  let lost = 0;
  while (cluster.state.jobs.size > 0) {
    cluster.ready("a");
    cluster.turn({ type: "nodeGone", nodeId: cluster.node("a").id });
    lost++;
  }
  assert.equal(lost, 12);
});

test("a consumer that is behind stops the grants, and taking results lets them go on", () => {
  const { cluster, grant } = oneNode(10);
  assert.deepEqual(spans(cluster.results(grant, 1, { runMs: 500, bytes: 40 * 2 ** 20 })), []);
  assert.deepEqual(spans(cluster.turn({ type: "acked", jobId: grant.jobId, seq: 1 })), [[1, 2]]);
});
