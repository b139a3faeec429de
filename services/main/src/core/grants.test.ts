import assert from "node:assert/strict";
import { test } from "node:test";
import { only, TestCluster, theOnly } from "./testing.ts";

/** A node with one worker, a job, and the first grant of one input. */
function oneNode(inputs: number, spec = {}) {
  const cluster = new TestCluster();
  cluster.ready("a");
  const [grant, ...ahead] = only(cluster.submit("j", inputs, spec), "grant");
  assert.ok(grant);
  return { cluster, grant, ahead };
}

const spans = (commands: Parameters<typeof only>[0]) => only(commands, "grant").map(({ from, to }) => [from, to]);

test("each idle worker gets one input first, nodes in turn", () => {
  const cluster = new TestCluster();
  cluster.ready("a", { cpu: 2 });
  cluster.ready("b", { cpu: 2 });
  const grants = only(cluster.submit("j", 10), "grant");
  assert.deepEqual(grants.slice(0, 4).map(({ nodeId, from, to }) => [nodeId, from, to]), [
    ["node-a", 0, 1], ["node-b", 1, 2], ["node-a", 2, 3], ["node-b", 3, 4],
  ]);
});

test("with the time of a call known, short calls are granted ahead and in numbers", () => {
  const { cluster, grant, ahead } = oneNode(1000);
  const from = 1 + ahead.length;
  assert.deepEqual(spans(cluster.results(grant, 1, { runMs: 1 })), [[from, from + 100], [from + 100, from + 200]]);
});

test("long calls are not granted ahead", () => {
  const { cluster, grant, ahead } = oneNode(20);
  const held = [grant, ...ahead];
  for (const one of held) assert.deepEqual(spans(cluster.results(one, 1, { runMs: 500 })), one === held.at(-1) ? [[held.length, held.length + 1]] : []);
});

test("a part that is given back goes elsewhere, the rest of the grant goes on", () => {
  const { cluster, grant } = oneNode(1000);
  const [second] = only(cluster.results(grant, 1, { runMs: 2 }), "grant");
  assert.ok(second);
  const given = [second.from + 10, second.from + 11];
  const commands = cluster.ended(second, "released", [...given, 0, 200]);
  assert.deepEqual(only(commands, "requeued").map(({ range }) => [range.from, range.to, range.attempt]), [[given[0], second.from + 12, 1]]);
  assert.deepEqual(spans(commands), [], "the node that gave it back does not get it again while all its workers are busy");
  const [elsewhere] = only(cluster.ready("b"), "grant");
  assert.deepEqual([elsewhere?.nodeId, elsewhere?.from], ["node-b", given[0]]);
  cluster.results(second, 10, { runMs: 20 });
  assert.equal(cluster.job("j").answeredInputs, 11);
  assert.deepEqual(only(cluster.ended(second, "released", given), "requeued"), [], "said twice, it counts once");
});

test("inputs of a lost worker are tried in smaller company, until the culprit stands alone and is given up", () => {
  const { cluster, grant, ahead } = oneNode(65);
  let next = [...ahead, ...only(cluster.results(grant, 1, { runMs: 0.01 }), "grant")];
  const most = Math.max(...next.map(({ from, to }) => to - from));
  let deaths = 0;
  for (let turn = 0; cluster.state.jobs.size > 0; turn++) {
    assert.ok(turn < 200);
    const [at] = next;
    assert.ok(at);
    const kills = at.from <= 40 && 40 < at.to;
    if (kills) deaths++;
    const commands = kills ? cluster.ended(at, "worker-exited") : cluster.results(at, at.to - at.from, { runMs: 1 });
    next = [...next.slice(1), ...only(commands, "grant")];
    for (const { index, code, message } of only(commands, "giveUp")) {
      assert.deepEqual([index, code], [40, "BURLA_WORKER_LOST"]);
      assert.match(message, /exit code 1/);
    }
  }
  assert.ok(most > 8 && most <= 64);
  assert.equal(deaths, 1 + 1 + 3, "in a grant, in a piece of it, and three times alone");
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
  const { cluster, grant } = oneNode(10, { concurrency: 5 });
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
  const { cluster, grant, ahead } = oneNode(20);
  for (const held of [grant, ...ahead]) assert.deepEqual(spans(cluster.results(held, 1, { runMs: 500, bytes: 40 * 2 ** 20 })), []);
  const seq = cluster.job("j").seq;
  assert.deepEqual(spans(cluster.turn({ type: "acked", jobId: grant.jobId, seq })), [[seq, seq + 1]]);
});
