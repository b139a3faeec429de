/** What calls find around them is what their caller has, as it is at the call; elsewhere it is what `env` says. */
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { remoteParallelMap, type LogLine } from "burla";
import { useCluster } from "../support/cluster.ts";
import { numbers } from "../support/inputs.ts";
import { until } from "../support/until.ts";

/** In the environment of whoever starts the cluster. */
const cluster = useCluster({ SET_AT_START: "first", GONE_LATER: "there" });

const environmentBefore = { ...process.env };
const reset = () => {
  for (const name of Object.keys(process.env)) if (!(name in environmentBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, environmentBefore);
};
before(() => Object.assign(environmentBefore, { BURLA_HOME: process.env["BURLA_HOME"] }));
after(reset);

const look = (names: readonly string[]) => names.map((name) => process.env[name]);
const seen = async (names: readonly string[], env?: Record<string, string | undefined>) => (await remoteParallelMap(look, [names], env && { env }).toArray())[0];

test("variables are those of the caller at the call, not of whoever started the cluster", async () => {
  process.env["SET_AT_START"] = "second";
  delete process.env["GONE_LATER"];
  Object.assign(process.env, { NODE_ENV: "production", constructor: "a name of an object's own", EMPTY: "", LINES: "a\nb=c" });
  const names = ["SET_AT_START", "GONE_LATER", "NODE_ENV", "constructor", "EMPTY", "LINES"];
  const job = remoteParallelMap(look, [names]);
  process.env["NODE_ENV"] = "changed after the call";
  assert.deepEqual((await job.toArray())[0], ["second", undefined, "production", "a name of an object's own", "", "a\nb=c"]);
  reset();
});

test("the option env goes over them, and undefined takes one away", async () => {
  process.env["TAKEN"] = "here";
  assert.deepEqual(await seen(["TAKEN", "SET_AT_START", "NAMED"], { TAKEN: undefined, NAMED: "yes" }), [undefined, "first", "yes"]);
  reset();
});

test("a time zone counts for dates, and native code sees the variables", async () => {
  process.env["TZ"] = "Asia/Kolkata";
  process.env["NATIVE"] = "seen";
  const [there] = await remoteParallelMap(() => [new Date(0).getHours(), Intl.DateTimeFormat().resolvedOptions().timeZone, execFileSync("printenv", ["NATIVE"], { encoding: "utf8" })], [1]).toArray();
  assert.deepEqual(there, [5, "Asia/Calcutta", "seen\n"]);
  delete process.env["TZ"];
  const [after] = await remoteParallelMap(() => process.env["TZ"], [1]).toArray();
  assert.equal(after, undefined);
  reset();
});

test("jobs at the same time do not mix", async () => {
  const jobs = numbers(6).map((number) => {
    process.env["WHICH"] = String(number);
    return remoteParallelMap(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return process.env["WHICH"];
    }, numbers(8));
  });
  const all = await Promise.all(jobs.map((job) => job.toArray()));
  assert.deepEqual(all, numbers(6).map((number) => numbers(8).map(() => String(number))));
  reset();
});

test("a job that a function starts has the function's environment", async () => {
  const [inner] = await remoteParallelMap(async (names: readonly string[]) => {
    process.env["OF_THE_FUNCTION"] = "set there";
    const { remoteParallelMap: map } = await import("burla");
    return (await map((all: readonly string[]) => all.map((name) => process.env[name]), [names]).toArray())[0];
  }, [["OF_THE_FUNCTION", "SET_AT_START", "OF_THE_JOB"]], { env: { OF_THE_JOB: "named" } }).toArray();
  assert.deepEqual(inner, ["set there", "first", "named"]);
});

test("our own variables are not passed on, and a cluster by its URL gets what env names alone", async () => {
  Object.assign(process.env, { BURLA_TOKEN: "secret of another cluster", A_SECRET: "mine" });
  const names = ["BURLA_TOKEN", "BURLA_HOME", "A_SECRET", "NAMED"];
  assert.deepEqual(await seen(names), [undefined, undefined, "mine", undefined]);
  const { url, token } = cluster.address;
  const [there] = await remoteParallelMap(look, [names], { cluster: { url, token }, env: { NAMED: "yes" } }).toArray();
  assert.deepEqual(there, [undefined, undefined, undefined, "yes"]);
  reset();
});

test("while a job runs its environment is in one file of its user's, and afterwards nowhere", async () => {
  process.env["A_SECRET"] = "hush-hush-hush";
  const job = remoteParallelMap((x: number) => new Promise<number>((resolve) => setTimeout(resolve, 400, x)), [1, 2], { env: { ANOTHER: "hush-hush-hush" }, detach: true });
  await job.uploaded;
  const holding = () => filesBelow(cluster.home).filter((file) => readFileSync(file).includes("hush-hush-hush"));
  const files = holding();
  assert.equal(files.length, 1, files.join());
  assert.equal(statSync(files[0]!).mode & 0o777, 0o600);
  assert.doesNotMatch(JSON.stringify(await cluster.status()), /hush/);
  assert.deepEqual(await job.toArray(), [1, 2]);
  await until("nothing is left of it", () => holding().length === 0);
  reset();
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

test("an environment that is too large is refused before anything is sent, by its largest variable", () => {
  process.env["HUGE"] = "x".repeat(200_000);
  assert.throws(() => remoteParallelMap(look, [["A"]]), (error: Error & { code?: string }) => error.code === "BURLA_TOO_LARGE" && /HUGE has 200000 characters/.test(error.message));
  reset();
  for (let number = 0; number < 6; number++) process.env[`LARGE_${number}`] = "x".repeat(100_000);
  assert.throws(() => remoteParallelMap(look, [["A"]]), /the environment of the calls has 6\d{5} characters.*LARGE_/);
  reset();
});

test("captured values that are too many are refused before anything is sent, by the largest of them", async () => {
  const weights = new Float64Array(17_000_000);
  const small = [1];
  const add = (x: number) => x + (weights[0] ?? 0) + (small[0] ?? 0);
  await assert.rejects(remoteParallelMap((x: number) => add(x), [1]).toArray(), (error: Error & { code?: string }) => error.code === "BURLA_TOO_LARGE" && /130 MiB, over the limit of 128 MiB; weights alone has 130 MiB\s+Read weights in the function/.test(error.message));
});

test("callbacks and inputs run in the async context of their own call", async () => {
  const storage = new AsyncLocalStorage<string>();
  const heard: [string, string | undefined][] = [];
  const note = (what: string) => heard.push([what, storage.getStore()]);
  const call = (name: string) => storage.run(name, () => remoteParallelMap(
    (x: number) => { console.log("printed"); return x; },
    (async function* () {
      try {
        for (let n = 0; n < 20; n++) {
          note("pulled");
          await new Promise((resolve) => setImmediate(resolve));
          yield n;
        }
      } finally {
        note("closed");
      }
    })(),
    { onLog: (_: LogLine) => void note("log"), progress: () => void note("progress") },
  ));
  const calls = ["first", "second"].map(call);
  await Promise.all(calls.map((results, at) => storage.run("reader", async () => {
    let taken = 0;
    for await (const _ of results) if (++taken === 15 && at === 1) break;
  })));
  for (const what of ["pulled", "closed", "log", "progress"]) {
    assert.deepEqual(new Set(heard.filter(([which]) => which === what).map(([, store]) => store)), new Set(["first", "second"]), what);
  }
});
