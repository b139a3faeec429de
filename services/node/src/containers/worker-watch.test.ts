import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { WorkerWatch } from "./worker-watch.ts";

/** Until the kernel says that the process is in this state. */
async function untilState(pid: number, letter: string): Promise<void> {
  while (!readFileSync(`/proc/${pid}/stat`, "latin1").includes(`) ${letter} `)) await new Promise((resolve) => setImmediate(resolve));
}

test("a worker that stands still for ten looks is reported, one that goes on in between is not", async () => {
  const child = spawn("sleep", ["60"]);
  const pid = child.pid ?? 0;
  let reports = 0;
  const watch = new WorkerWatch();
  const end = watch.add({ pid, files: [], onStopped: () => reports++ });
  child.kill("SIGSTOP");
  await untilState(pid, "T");
  for (let look = 0; look < 9; look++) watch.look();
  child.kill("SIGCONT");
  await untilState(pid, "S");
  watch.look();
  child.kill("SIGSTOP");
  await untilState(pid, "T");
  for (let look = 0; look < 9; look++) watch.look();
  assert.equal(reports, 0);
  for (let look = 0; look < 5; look++) watch.look();
  assert.equal(reports, 1);
  end();
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("a file that has grown too long is emptied, and written on", () => {
  const directory = mkdtempSync(join(tmpdir(), "burla-watch-"));
  const file = join(directory, "stdout");
  const fd = openSync(file, "a");
  const watch = new WorkerWatch();
  const end = watch.add({ pid: process.pid, files: [file, join(directory, "none")], onStopped: () => undefined });
  writeSync(fd, "short");
  watch.look();
  assert.equal(statSync(file).size, 5);
  truncateSync(file, 65 << 20);
  watch.look();
  writeSync(fd, "after");
  assert.equal(readFileSync(file, "utf8"), "after");
  end();
  closeSync(fd);
  rmSync(directory, { recursive: true });
});
