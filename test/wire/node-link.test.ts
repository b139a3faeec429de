/** Main's end of a node's connection. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASE_RENEW_MS, type NodeId } from "@burla/protocol";
import type { Cluster } from "../../services/main/src/cluster.ts";
import type { Event } from "../../services/main/src/core/events.ts";
import { NodeLink } from "../../services/main/src/node-link.ts";
import { duplexPair, frame, HELLO } from "./peers.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a long message on a slow line renews the lease as long as bytes of it come", async (t) => {
  const events: Event[] = [];
  const cluster = { handle: (event: Event) => void events.push(event), nodeConnected: () => undefined, nodeDisconnected: () => undefined, lines: () => undefined };
  const { near, far } = duplexPair();
  new NodeLink(far, { cluster: cluster as unknown as Cluster, allowed: null, log: { error: () => undefined }, onClosed: () => undefined });
  near.resume();
  near.write(frame(HELLO));
  near.write(frame({ type: "nodeHello", nodeId: "n-1", cpu: 1, ramMiB: 512, maxCpu: 1, maxRamMiB: 512, pid: 1, jobs: [], holding: [] }));
  const long = frame({ type: "nodeLogs", jobId: "job-0000000000000000001", nodeSeq: 1, droppedLines: 0 }, Buffer.alloc(1000));
  let nowMs = performance.now();
  t.mock.method(performance, "now", () => nowMs);
  for (let at = 0; at < 500; at += 100) {
    nowMs += LEASE_RENEW_MS + 1;
    near.write(long.subarray(at, at + 100));
    await turn();
  }
  assert.deepEqual(events, Array.from({ length: 5 }, () => ({ type: "renewed", nodeId: "n-1" as NodeId, jobs: [] })));
  near.write(long.subarray(500, 600));
  await turn();
  assert.equal(events.length, 5, "not at every piece");
  near.destroy();
});
