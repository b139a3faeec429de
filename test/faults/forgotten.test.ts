/** What main has lost: a node that works for a job of which nothing is left is freed, and the cluster works for the next one. */
import assert from "node:assert/strict";
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();
const forgets = { "is deleted": (folder: string) => rmSync(folder, { recursive: true }), "is emptied": (folder: string) => truncateSync(join(folder, "job.log")), "is damaged": (folder: string) => writeFileSync(join(folder, "job.log"), "no log at all, but a text that is long enough") };

/** A job whose calls do not end by themselves, on every node. */
function endless(nested = false): { jobId: string; read: Promise<unknown> } {
  const forever = async (x: number) => {
    if (x === 0 && nested) await remoteParallelMap(() => new Promise(() => setInterval(() => undefined, 1000)), [1, 2, 3]).toArray();
    await new Promise(() => setInterval(() => undefined, 1000));
  };
  const stream = remoteParallelMap(forever, numbers(50), { detach: true });
  return { jobId: stream.jobId, read: drain(stream).then(({ error }) => error) };
}

for (const [what, forget] of Object.entries(forgets)) {
  for (const nested of [false, true]) {
    test(`main comes back while the log of a job ${what} that nodes work for${nested ? ", with jobs of its own" : ""}`, async () => {
      await cluster.ready();
      const { jobId, read } = endless(nested);
      await until("all nodes work", async () => (await cluster.status()).nodes.every(({ state }) => state === "RUNNING"));
      const { pid } = cluster.main;
      // Not before it is dead: it would write on.
      process.kill(pid, "SIGKILL");
      forget(join(cluster.directory, "jobs", jobId));
      assert.match(String(await read), /knows no job|is damaged/, "its program hears that the job is gone");
      const results = await remoteParallelMap((x: number) => x, numbers(500)).toArray();
      assertEachOnce(results, 500);
      await cluster.ready();
    });
  }
}
