import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { acquireLock, isAlive, lockHolder, releaseLock } from "./lock.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A pid that no process has: that of one that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn("true");
  await once(child, "exit");
  return child.pid ?? 0;
}

test("it is held from acquire to release, and taken again after it", () => {
  assert.equal(lockHolder(directory), null);
  assert.ok(acquireLock(directory));
  assert.equal(lockHolder(directory), process.pid);
  assert.ok(!acquireLock(directory), "not twice, by this process either");
  releaseLock(directory);
  assert.equal(lockHolder(directory), null);
  assert.ok(acquireLock(directory));
  assert.equal(readdirSync(directory).length, 1, "one file is left of all of it");
});

test("the lock of a dead holder, or one that holds rubbish, is taken over", async () => {
  for (const content of [String(await deadPid()), "", "rubbish", "-1", "0"]) {
    writeFileSync(join(directory, "main.lock.7"), content);
    assert.ok(acquireLock(directory), content);
    assert.deepEqual(readdirSync(directory), ["main.lock.8"]);
    rmSync(join(directory, "main.lock.8"));
  }
});

test("what mains left that were killed while they tried to get it goes; what a living one needs stays", async () => {
  writeFileSync(join(directory, `main.lock.by-${await deadPid()}`), "");
  writeFileSync(join(directory, `main.lock.by-${process.ppid}`), "");
  assert.ok(acquireLock(directory));
  assert.deepEqual(readdirSync(directory).sort(), ["main.lock.1", `main.lock.by-${process.ppid}`]);
});

test("the lock of a living process is respected, and not released by another", () => {
  writeFileSync(join(directory, "main.lock.3"), String(process.ppid));
  assert.ok(!acquireLock(directory));
  releaseLock(directory);
  assert.equal(lockHolder(directory), process.ppid);
});

test("a living process that only has the pid of a dead holder holds nothing", () => {
  assert.ok(acquireLock(directory));
  const content = readFileSync(join(directory, "main.lock.1"), "utf8");
  assert.equal(lockHolder(directory), process.pid);
  writeFileSync(join(directory, "main.lock.1"), content.replace(/\d+$/, "1"));
  assert.equal(lockHolder(directory), null, "this process began at another time");
  assert.ok(acquireLock(directory));
  assert.deepEqual(readdirSync(directory), ["main.lock.2"]);
});

test("a process that waits to be reaped holds nothing", async () => {
  const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  const [text] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(text.toString());
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
  parent.kill();
});

/** Takes the lock, is alone for a moment, then leaves it as a main that was killed would: `rounds` times. */
const CONTENDER = `
const { closeSync, openSync, readdirSync, rmSync, writeFileSync } = await import("node:fs");
const { acquireLock } = await import(process.argv[1]);
const [directory, rounds] = [process.argv[2], Number(process.argv[3])];
let held = 0;
while (held < rounds) {
  if (!acquireLock(directory)) continue;
  closeSync(openSync(directory + "/inside", "wx"));
  for (let spin = 0; spin < 2000; spin++);
  rmSync(directory + "/inside");
  held++;
  const last = readdirSync(directory).filter((name) => /^main\\.lock(\\.\\d+)?$/.test(name)).sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).at(-1);
  writeFileSync(directory + "/dead-" + process.pid, "4194305");
  (await import("node:fs")).renameSync(directory + "/dead-" + process.pid, directory + "/" + last);
}
`;

test("of several processes that find the lock of a dead one, exactly one gets it", async () => {
  const lock = new URL("./lock.ts", import.meta.url).href;
  const contenders = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", CONTENDER, lock, directory, "25"], { stdio: ["ignore", "ignore", "pipe"] }),
  );
  const ends = contenders.map(async (child) => {
    let problem = "";
    child.stderr.on("data", (text: Buffer) => (problem += text.toString()));
    const [code] = (await once(child, "exit")) as [number];
    return { code, problem };
  });
  for (const { code, problem } of await Promise.all(ends)) assert.equal(code, 0, problem);
});
