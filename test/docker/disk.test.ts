/** The disk of nodes is full: they say so, and go on when there is room; nothing is lost. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { remoteParallelMap } from "burla";
import { assertEachOnce, numbers } from "../support/inputs.ts";
import { until } from "./support/until.ts";
import { DockerCluster } from "./support/cluster.ts";
import { ensureWorkerImage } from "./support/engine.ts";

const DISK_MIB = 16;
let cluster: DockerCluster;
let disk: string;
before(async () => {
  await ensureWorkerImage();
  cluster = new DockerCluster({ groups: [{ name: "f", count: 1, cpu: 1, ramMiB: 256 }] });
  disk = join(cluster.directory, "nodes", "f-1");
  mkdirSync(disk, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "burla-test", disk]);
  process.env["BURLA_HOME"] = cluster.home;
  await cluster.start();
});
after(async () => {
  await cluster.shutdown().catch(() => undefined);
  execFileSync("umount", ["-l", disk]);
  await cluster.dispose();
});

/** Takes all room. @returns what gives it back. */
function fill(): () => void {
  const path = join(disk, "full");
  try {
    for (let mib = 1; ; mib++) writeFileSync(path, Buffer.alloc(1 << 20, 1), { flag: "a" });
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
  return () => rmSync(path);
}

test("a job that comes to a node with a full disk waits, is told why, and runs when there is room", async () => {
  const empty = fill();
  // A bundle that the node has not had: more than the disk has left.
  const text = "x".repeat(1 << 16);
  const stream = remoteParallelMap((x: number) => x + text.length - text.length, numbers(50));
  const all = stream.toArray();
  const { reason } = await cluster.untilNode("the node has failed", ({ state }) => state === "FAILED");
  assert.match(reason, /ENOSPC|no space|no room/i);
  await until("the job says why it waits", async () => /ENOSPC|no space|no room/i.test((await cluster.job(stream.jobId)).reason));
  empty();
  assertEachOnce(await all, 50);
  await cluster.ready();
});

test("a disk that fills up in the middle of a job loses nothing", async () => {
  await cluster.ready();
  let empty: () => void = () => undefined;
  const results: number[] = [];
  for await (const result of remoteParallelMap(async (x: number) => { console.log("line", x); await new Promise((resolve) => setTimeout(resolve, 10)); return x; }, numbers(100))) {
    results.push(result);
    if (results.length === 25) empty = fill();
    if (results.length === 75) empty();
  }
  assertEachOnce(results, 100);
  await cluster.ready();
});
