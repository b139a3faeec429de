import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { killLeftBehind, readProc, WORKER_VARIABLE } from "./descendants.ts";

/** The shell tells it as soon as it has forked: the child is about to become another program. */
async function startGrandchild(workerId: string): Promise<number> {
  const shell = spawn("sh", ["-c", "setsid sleep 60 & echo $!"], {
    detached: true, stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, [WORKER_VARIABLE]: workerId },
  });
  const [told] = (await once(shell.stdout, "data")) as [Buffer];
  return Number(String(told));
}

function runs(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(readProc(pid, "status"));
}

test("a process that is becoming another program is found as well", { timeout: 60_000 }, async () => {
  const pids: number[] = [];
  for (let round = 0; round < 200; round++) {
    const workerId = `w-descendant${round}`;
    pids.push(await startGrandchild(workerId));
    killLeftBehind([workerId]);
  }
  // One that was killed may have to wait for a processor to end on.
  while (pids.some(runs)) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(pids.length, 200);
});

test("processes of other workers are left alone", async () => {
  const pid = await startGrandchild("w-other");
  killLeftBehind(["w-othe", "w-other2"]);
  assert.ok(runs(pid));
  killLeftBehind(["w-other"]);
  while (runs(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
});
