import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { WORKER_VARIABLE } from "../containers/descendants.ts";
import { PackageStore, type Install, type Waiting } from "./package-store.ts";

let directory: string;
let store: PackageStore;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "burla-packages-"));
  store = new PackageStore(directory);
  await store.prepare();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function waiting(): Waiting & { abort: AbortController; told: string[] } {
  const [abort, told] = [new AbortController(), [] as string[]];
  return { abort, told, signal: abort.signal, onProgress: (text) => void told.push(text) };
}

/** An install that goes on when it is told to. */
function gated(): { install: Install; open: () => void; begun: Promise<void>; signals: AbortSignal[] } {
  let open: () => void = () => undefined, begin: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const signals: AbortSignal[] = [];
  const install: Install = async ({ folder, signal, onProgress }) => {
    signals.push(signal);
    onProgress("half");
    writeFileSync(join(folder, "file"), "x");
    begin();
    await Promise.race([gate, once(signal, "abort")]);
    signal.throwIfAborted();
  };
  return { install, open, begun, signals };
}

test("many who ask at once wait for one install, and hear how far it is", async () => {
  const { install, open, signals, begun } = gated();
  const all = Array.from({ length: 5 }, waiting);
  const folders = Promise.all(all.map((each) => store.ensure("h", install, each)));
  await begun;
  assert.ok(!existsSync(join(directory, "h")), "it has its name when it is complete");
  open();
  assert.deepEqual(new Set(await folders), new Set([join(directory, "h")]));
  assert.equal(signals.length, 1);
  assert.ok(all.every(({ told }) => told.includes("half")));
  assert.equal(await store.ensure("h", () => Promise.reject(new Error("again")), waiting()), join(directory, "h"));
});

test("one that goes does not end it for the others; the last one does", async () => {
  const { install, begun, signals } = gated();
  const [one, other] = [waiting(), waiting()];
  const ended = [store.ensure("h", install, one), store.ensure("h", install, other)].map((each) => assert.rejects(each, /gone/));
  await begun;
  one.abort.abort(new Error("gone"));
  await ended[0];
  assert.equal(signals[0]?.aborted, false);
  other.abort.abort(new Error("gone"));
  await ended[1];
  assert.equal(signals[0]?.aborted, true);
  const next = gated();
  const folder = store.ensure("h", next.install, waiting());
  next.open();
  assert.ok(existsSync(await folder), "who comes then begins anew");
});

test("one that fails leaves nothing, and is tried again", async () => {
  await assert.rejects(store.ensure("h", () => Promise.reject(new Error("no")), waiting()), /no/);
  assert.deepEqual(readdirSync(directory), []);
  assert.ok(await store.ensure("h", () => Promise.resolve(), waiting()));
});

test("what a node that died has begun is removed, and its installer ended", async () => {
  mkdirSync(join(directory, ".installing-h-1"));
  mkdirSync(join(directory, "complete"));
  const child = spawn("sleep", ["1000"], { env: { ...process.env, [WORKER_VARIABLE]: ".installing-h-1" }, stdio: "ignore" });
  await once(child, "spawn");
  const ended = once(child, "exit");
  await new PackageStore(directory).prepare();
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.deepEqual(readdirSync(directory), ["complete"]);
});

test("sets that nobody has asked for in a week go, those in use stay", async () => {
  const longAgo = new Date(Date.now() - 8 * 24 * 60 * 60_000);
  for (const name of ["old", "used", "new"]) {
    mkdirSync(join(directory, name));
    if (name !== "new") utimesSync(join(directory, name), longAgo, longAgo);
  }
  await store.prune(new Set(["used"]));
  assert.deepEqual(readdirSync(directory).sort(), ["new", "used"]);
});
