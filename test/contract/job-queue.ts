/** What holds for the queue of a job, wherever it is. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { numbers } from "../support/inputs.ts";
import { until } from "../support/until.ts";
import type { ClientSide, NodeSide, QueueBench } from "./queue-bench.ts";

/** Registers the tests for one kind of queue. */
export function jobQueueContract(open: () => Promise<QueueBench>): void {
  let bench: QueueBench;
  beforeEach(async () => {
    bench = await open();
  });
  afterEach(() => bench.close());

  const all = (client: ClientSide, count: number) => until(`${count} results`, () => client.results.size >= count);
  const granted = (node: NodeSide) => until("something is granted", () => node.grants.length > 0);

  test("each input is granted once, and its result arrives once; then the job is over", async () => {
    const client = await bench.submit();
    const nodes = [await bench.node("one", client), await bench.node("two", client)];
    for (const node of nodes) node.answersAll((input) => Number(input) * 2);
    client.push(numbers(100), 10);
    client.feed.end(100);
    await all(client, 100);
    assert.deepEqual(numbers(100).map((index) => client.results.get(index)), numbers(100).map((x) => x * 2));
    await until("it is over", () => client.finished?.outcome === "done");
    assert.equal(client.doubles, 0);
    assert.equal(nodes.reduce((sum, { inputs }) => sum + inputs, 0), 100, "nothing was granted twice");
  });

  test("a job without inputs is over at once", async () => {
    const client = await bench.submit();
    client.feed.end(0);
    await until("it is over", () => client.finished?.outcome === "done");
  });

  test("inputs in several parts, answered one by one", async () => {
    const client = await bench.submit();
    const node = await bench.node("one", client);
    client.push(numbers(6), 6);
    client.feed.end(6);
    while (client.results.size < 6) {
      const before = client.results.size;
      await granted(node);
      node.answer(node.grants[0]!, [node.nextOpen(node.grants[0]!)], (input) => input);
      await until("it has arrived", () => client.results.size > before || node.grants.length > 0);
    }
    await until("it is over", () => client.finished !== undefined);
  });

  test("a failure is tried again as often as asked for, and is then the result", async () => {
    const client = await bench.submit({ retries: 2 });
    const node = await bench.node("one", client);
    const attempts: number[] = [];
    node.onGrant = (grant) => {
      attempts.push(grant.attempt);
      node.answer(grant, node.openOf(grant), () => new RangeError("no"));
    };
    client.push([1], 1);
    client.feed.end(1);
    await all(client, 1);
    assert.ok(client.results.get(0) instanceof RangeError);
    assert.deepEqual(attempts, [1, 2, 3]);
  });

  test("a failure ends a job whose program wants none", async () => {
    const client = await bench.submit({ onError: "throw" });
    const node = await bench.node("one", client);
    node.answersAll((input) => (input === 3 ? new Error("three") : input));
    client.push(numbers(5), 5);
    await until("it is over", () => client.finished?.outcome === "failed");
    assert.ok(client.results.get(3) instanceof Error);
  });

  test("what a node gives back is granted again, and is no failure", async () => {
    const client = await bench.submit();
    const node = await bench.node("one", client);
    let released = 0;
    node.onGrant = (grant) => {
      if (released++ < 3) return node.release(grant, node.openOf(grant));
      node.answer(grant, node.openOf(grant), (input) => input);
    };
    client.push(numbers(4), 4);
    client.feed.end(4);
    await all(client, 4);
    assert.equal(client.doubles, 0);
  });

  test("the input that ends its worker again and again is given up, the others are not", async () => {
    const client = await bench.submit();
    const node = await bench.node("one", client);
    node.onGrant = (grant) => {
      const open = node.openOf(grant);
      const culprit = open.indexOf(5 - grant.first);
      node.answer(grant, culprit < 0 ? open : open.slice(0, culprit), (input) => input);
      if (culprit >= 0) node.lose(grant);
    };
    client.push(numbers(12), 12);
    client.feed.end(12);
    await all(client, 12);
    assert.match(String(client.results.get(5)), /ended its worker again and again/);
    assert.equal([...client.results.values()].filter((value) => value instanceof Error).length, 1);
  });

  test("what a node held that is lost goes to another, and its late answers count for nothing", { timeout: 60_000 }, async () => {
    const client = await bench.submit();
    const lost = await bench.node("lost", client);
    client.push(numbers(3), 1);
    client.feed.end(3);
    await granted(lost);
    const held = [...lost.grants];
    lost.vanish();
    const other = await bench.node("other", client);
    other.answersAll((input) => input);
    await all(client, 3);
    for (const grant of held) lost.answer(grant, lost.openOf(grant), () => "late");
    await until("it is over", () => client.finished !== undefined);
    assert.deepEqual(numbers(3).map((index) => client.results.get(index)), numbers(3));
    assert.equal(client.doubles, 0);
  });

  test("credit stops when nothing is taken, and goes on when something is", async () => {
    const client = await bench.submit();
    const node = await bench.node("one", client);
    node.answersAll((input) => input);
    client.takes = false;
    await client.pushAsAllowed();
    await until("it stands still", () => client.standsStill());
    const before = client.pushed;
    assert.ok(before < 200_000, `${before} inputs were allowed`);
    client.takes = true;
    client.takeAll();
    await until("it goes on", () => client.pushed > before);
  });

  test("lines arrive once, with the node that they come from", async () => {
    const client = await bench.submit();
    const node = await bench.node("one", client);
    client.push([1], 1);
    await granted(node);
    node.lines([[0, 1, 1, "first"]], 0);
    node.lines([[0, 2, 2, "second"]], 7);
    await until("they are here", () => client.lines.length === 2);
    assert.deepEqual(client.lines.map(({ text, nodeId }) => [text, nodeId]), [["first", "one"], ["second", "one"]]);
    assert.equal(client.droppedLines, 7);
  });

  test("cancel takes the job from its nodes", async () => {
    const client = await bench.submit();
    const node = await bench.node("one", client);
    client.push(numbers(4), 4);
    await granted(node);
    await client.cancel();
    await until("the node has heard of it", () => node.isStopped);
  });
}
