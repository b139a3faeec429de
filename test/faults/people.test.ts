/** A person is let out while connected: out at once, with all that is theirs, and out for the next main too. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as v from "valibot";
import { BurlaError, openStream, statusSchema, type JobSummary } from "@burla/protocol";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";
import { startMain, type MainProcess } from "../wire/main-process.ts";

const NODES = 4;
let main: MainProcess;
before(async () => {
  main = await startMain(NODES);
});
after(() => main.stop());

const request = (path: string, token = main.file.token, init: RequestInit = {}) =>
  fetch(new URL(path, main.file.url), { ...init, headers: { authorization: `Bearer ${token}`, connection: "close" } });

const add = (name: string, role: "user" | "viewer") => request("/v1/people", main.file.token, { method: "POST", body: JSON.stringify({ name, role }) });

/** @returns the token. */
async function letIn(name: string): Promise<string> {
  return ((await (await add(name, "user")).json()) as { token: string }).token;
}

const letOut = (name: string) => request(`/v1/people/${name}`, main.file.token, { method: "DELETE" });

async function names(): Promise<string[]> {
  return ((await (await request("/v1/people")).json()) as { people: { name: string }[] }).people.map(({ name }) => name).sort();
}

async function jobs(): Promise<JobSummary[]> {
  return v.parse(statusSchema, await (await request("/v1/status")).json()).jobs;
}

async function phaseOf(jobId: string): Promise<{ phase: string; reason: string }> {
  const { phase = "", reason = "" } = (await jobs()).find((job) => job.jobId === jobId) ?? {};
  return { phase, reason };
}

const program = (token: string, source: string) => Script.start({ home: main.directory }, source, { env: { BURLA_CLUSTER: main.file.url, BURLA_TOKEN: token } });

/** Works until it is ended, and says by what token its calls start jobs. */
const ENDLESS = `async () => { for (;;) { console.log("token " + process.env.BURLA_JOB_TOKEN); await new Promise((resolve) => setTimeout(resolve, 200)); } }`;

interface Work {
  readonly script: Script;
  readonly jobId: string;
  readonly jobToken: string;
}

/** A job under way, of a program that waits for it and says how it has ended. */
async function workOf(token: string, options = "{}"): Promise<Work> {
  const script = program(token, `
let told = false;
const onLog = ({ text }) => { if (!told) console.log(text); told = true; };
const stream = remoteParallelMap(${ENDLESS}, [1], { ...${options}, onLog });
console.log(stream.jobId);
try { await stream.toArray(); } catch (error) { console.log("ended " + error.code); }
try { await remoteParallelMap((x) => x, [1]).toArray(); console.log("again"); } catch (error) { console.log("again " + error.code); }`);
  const jobId = await script.line(/^(job-.*)$/);
  return { script, jobId, jobToken: await script.line(/^token (.*)$/) };
}

/** Somebody who watches the cluster: `ended` resolves when that is over. */
async function watchAs(token: string): Promise<{ ended: Promise<unknown> }> {
  const response = await request("/v1/watch", token);
  assert.equal(response.status, 200);
  return { ended: response.text().catch(() => undefined) };
}

async function assertRefused(token: string): Promise<void> {
  assert.equal((await request("/v1/status", token)).status, 401);
  assert.equal((await request("/v1/watch", token)).status, 401);
  await assert.rejects(openStream({ url: main.file.url, token, role: "client", timeoutMs: 30_000 }), (error) => error instanceof BurlaError && error.code === "BURLA_UNAUTHORIZED");
}

/** The next main has the same state. */
async function restart(): Promise<void> {
  const exited = once(main.child, "exit");
  main.child.kill("SIGKILL");
  await exited;
  main = await startMain(NODES, main);
}

const CANCELLED = { phase: "cancelled", reason: "ann may not run jobs on this cluster any more" };

for (const [what, change, isOut] of [
  ["is let out", () => letOut("ann"), true],
  ["may only look from now on", () => add("ann", "viewer"), false],
] as const) {
  test(`a person who ${what} while connected: jobs end, connections close, tokens are of no use, also for the next main`, async () => {
    const [ann, bob] = [await letIn("ann"), await letIn("bob")];
    const attended = await workOf(ann);
    const detached = await workOf(ann, "{ detach: true }");
    const bobs = await workOf(bob);
    detached.script.kill();
    await detached.script.ended();
    const { ended } = await watchAs(ann);

    const answer = (await (await change()).json()) as { token?: string };
    await ended;
    await assertRefused(ann);
    for (const { jobId, jobToken } of [attended, detached]) {
      assert.deepEqual(await phaseOf(jobId), CANCELLED);
      await assertRefused(jobToken);
    }
    const { stdout, code } = await attended.script.ended();
    assert.match(stdout, /^ended BURLA_(CANCELLED|UNAUTHORIZED)$/m);
    assert.match(stdout, /^again BURLA_UNAUTHORIZED$/m);
    assert.equal(code, 0);
    if (answer.token !== undefined) assert.equal((await request("/v1/status", answer.token)).status, 200);
    assert.deepEqual(await names(), isOut ? ["bob"] : ["ann", "bob"]);

    await restart();
    await assertRefused(ann);
    for (const { jobId, jobToken } of [attended, detached]) {
      assert.equal((await phaseOf(jobId)).phase, "cancelled");
      await assertRefused(jobToken);
    }
    assert.equal((await phaseOf(bobs.jobId)).phase, "running");
    assert.equal((await request(`/v1/jobs/${bobs.jobId}/cancel`, bob, { method: "POST" })).status, 200, "bob's is bob's as before");
    bobs.script.kill();
    await letOut("ann");
    await letOut("bob");
  });
}

test("a list that cannot be written: nobody is let out, which is said, and all goes on, also with the next main", async () => {
  const ann = await letIn("ann");
  const work = await workOf(ann);
  for (const change of [() => letOut("ann"), () => add("ann", "viewer")]) {
    symlinkSync("/dev/full", join(main.directory, "people.json.part"));
    const answer = await change();
    assert.equal(answer.status, 400);
    const { error, message } = (await answer.json()) as { error: string; message: string };
    assert.equal(error, "BURLA_STORAGE");
    assert.match(message, /people\.json/);
    assert.equal((await request("/v1/status", ann)).status, 200);
    assert.equal((await phaseOf(work.jobId)).phase, "running");
  }
  await restart();
  assert.deepEqual(await names(), ["ann"]);
  assert.equal((await request("/v1/status", ann)).status, 200);
  await letOut("ann");
  await assertRefused(ann);
  await until("the job is over", async () => (await phaseOf(work.jobId)).phase === "cancelled");
  await work.script.ended();
});
