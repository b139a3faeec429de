import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientToMain, JobId } from "@burla/protocol";
import type { ClusterConnection } from "./cluster-connection.ts";
import { Job } from "./job.ts";

/** A connection that writes down what is said. */
function notebook(): { connection: ClusterConnection; said: string[] } {
  const said: string[] = [];
  const connection = {
    add: (job: Job<unknown>) => job.connected(connection as unknown as ClusterConnection),
    leave: () => said.push("left"),
    send: (message: ClientToMain) => said.push(message.type),
    hold: () => undefined,
    release: () => undefined,
  };
  return { connection: connection as unknown as ClusterConnection, said };
}

test("a job that is cancelled while it is read is left when the cluster says that it has ended, not before", async () => {
  const { connection, said } = notebook();
  const jobId = "job-0000000000000000000" as JobId;
  const job = new Job<number>(connection, { jobId, start: { kind: "attach" }, order: "completion", detach: true, onLine: () => undefined, onProgress: () => undefined, inContext: (run) => run() });
  const read = job.next().catch((error: unknown) => error);
  let isCancelled = false;
  const cancelled = job.cancel("enough", new Error("cancelled")).then(() => (isCancelled = true));
  assert.match(String(await read), /cancelled/);
  job.leave();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([isCancelled, said], [false, ["attach", "cancel"]]);
  job.message({ type: "finished", jobId, outcome: "cancelled", reason: "enough", inputs: 0, failed: 0 }, new Uint8Array(0));
  await cancelled;
  assert.deepEqual(said, ["attach", "cancel", "left"]);
});
