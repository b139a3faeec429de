/** Commands about jobs that are there: detach, attach, jobs, logs, cancel, status. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { useCluster } from "../support/cluster.ts";
import { numbers } from "../support/inputs.ts";
import { Script, type CommandOptions } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();

before(() => {
  writeFileSync(
    join(cluster.home, "jobs.ts"),
    `export const double = (n: number) => { console.log("at", n); if (n === 99) throw new TypeError("no"); return n * 2; };
export async function slow(n: number) { console.log("begin", n); await new Promise((resolve) => setTimeout(resolve, 100)); console.error("end", n); return n; }
`,
  );
});

function burla(args: string[], options: CommandOptions = {}) {
  return Script.command(cluster, args, options).ended();
}

async function detached(name: string, inputs: readonly number[], extra: string[] = []): Promise<string> {
  const { code, stdout } = await burla(["run", `jobs.ts#${name}`, "--inputs", "-", "--detach", "--quiet", ...extra], { input: inputs.map((n) => `${n}\n`).join("") });
  assert.equal(code, 0);
  assert.match(stdout, /^job-[0-9a-z]{19}\n$/);
  return stdout.trimEnd();
}

test("a detached job prints its id; attach gives its results, from the start or from where a reader was", async () => {
  const jobId = await detached("double", [1, 2, 3]);
  const all = await burla(["attach", jobId, "--order", "input", "--quiet"]);
  assert.equal(all.stdout, `{"index":0,"value":2}\n{"index":1,"value":4}\n{"index":2,"value":6}\n`);
  assert.equal(all.code, 0);
  const first = await burla(["attach", jobId, "--quiet"]);
  const rest = await burla(["attach", jobId, "--from", "2", "--quiet"]);
  assert.equal(rest.stdout, first.stdout.split("\n").slice(2).join("\n"));
  assert.equal((await burla(["attach", jobId, "--values", "--order", "input", "--json"])).stdout, "2\n4\n6\n");
});

test("attach ends with 1 when an input had failed", async () => {
  const { code, stdout } = await burla(["attach", await detached("double", [1, 99]), "--order", "input", "--quiet"]);
  assert.match(stdout, /^{"index":0,"value":2}\n{"index":1,"error":{"name":"TypeError","message":"no"/);
  assert.equal(code, 1);
});

test("an interrupted job is shown, and is not counted as under way", async () => {
  const script = Script.start(cluster, `
    const stream = remoteParallelMap(() => new Promise(() => {}), [1], { name: "left" });
    console.log(stream.jobId);
    await stream.toArray();`);
  const jobId = await script.line(/^(job-\w+)/);
  await until("its call has begun", async () => (await cluster.status()).jobs.some((job) => job.jobId === jobId && job.running === 1));
  script.kill();
  await until("the job is interrupted", async () => (await cluster.job(jobId)).phase === "interrupted");
  const { stdout } = await burla(["status"]);
  assert.match(stdout, /, 0 jobs under way, 1 interrupted, \d+ ended; 0 of /);
  assert.match(stdout, new RegExp(`^${jobId} +left +interrupted `, "m"));
  assert.equal((await burla(["jobs", "--running"])).stderr, "No job is under way.\n");
  await burla(["cancel", jobId]);
  assert.match((await burla(["status"])).stdout, /, 0 jobs under way, \d+ ended; 0 of /);
});

test("Ctrl-C leaves an attached job running", async () => {
  const jobId = await detached("slow", numbers(200));
  const script = Script.command(cluster, ["attach", jobId, "--quiet"]);
  await script.line(/"index"/);
  script.kill("SIGINT");
  const { code, stderr } = await script.ended();
  assert.equal(code, 130);
  assert.equal(stderr, `burla: the job goes on; \`burla cancel ${jobId}\` ends it\n`);
  assert.equal((await cluster.job(jobId)).endedAt, null);

  const jobs = await burla(["jobs", "--running"]);
  assert.match(jobs.stdout, new RegExp(`^JOB .*\\n${jobId} +slow +running \\(detached\\) +\\d+/200 `));
  const status = await burla(["status"]);
  assert.match(status.stdout, /^Cluster local runs at http:\/\/127\.0\.0\.1:\d+ .* It is in use\.\n\d+ nodes?, \d+ workers?, 1 job under way, \d+ ended; \d+ of \d+ processors? in use\.\n\nNODE +STATE +MACHINE +CPU +MEMORY +WORKERS +JOBS/);
  assert.match(status.stdout, new RegExp(`^local-1 +RUNNING +local process +1/1 .*${jobId}`, "m"));
  const refused = await burla(["down"]);
  assert.equal(refused.code, 7);
  assert.match(refused.stderr, new RegExp(`^burla: 1 job under way\\nJOB [^]*${jobId}[^]*--force`));

  const cancelled = await burla(["cancel", jobId]);
  assert.deepEqual(cancelled, { code: 0, signal: null, stdout: `${jobId} is cancelled\n`, stderr: "" });
  assert.equal((await burla(["cancel", jobId])).stdout, `${jobId} had ended before: cancelled\n`);
  const after = await burla(["attach", jobId, "--quiet"]);
  assert.equal(after.code, 5);
  assert.match(after.stderr, /^burla: the job was cancelled/);
});

test("logs of a job that has ended: all, of one input, as JSON", async () => {
  const jobId = await detached("double", [5, 6, 7]);
  await burla(["attach", jobId, "--quiet"]);
  const { stdout } = await burla(["logs", jobId]);
  assert.deepEqual(stdout.trimEnd().split("\n").sort(), ["[0] at 5", "[1] at 6", "[2] at 7"]);
  assert.equal((await burla(["logs", jobId, "--input", "1"])).stdout, "[1] at 6\n");
  assert.match((await burla(["logs", jobId, "--input", "1", "--time"])).stdout, /^\d{4}-\d\d-\d\dT[\d:.]+Z \[1\] at 6\n$/);
  const line = JSON.parse((await burla(["logs", jobId, "--input", "2", "--json", "--follow"])).stdout) as Record<string, unknown>;
  assert.deepEqual({ ...line, timeMs: 0, nodeId: "" }, { origin: "call", index: 2, stream: "stdout", timeMs: 0, nodeId: "", text: "at 7" });
});

test("following loses and doubles no line, wherever it begins", async () => {
  const jobId = await detached("slow", numbers(30));
  const follower = Script.command(cluster, ["logs", jobId, "--follow"]);
  await follower.line(/end/);
  const late = Script.command(cluster, ["logs", jobId, "--follow"]);
  const expected = numbers(30).flatMap((n) => [`[${n}] begin ${n}`, `[${n}] end ${n}`]).sort();
  for (const script of [follower, late]) {
    const { code, stdout } = await script.ended();
    assert.deepEqual(stdout.trimEnd().split("\n").sort(), expected);
    assert.equal(code, 0);
  }
  assert.notEqual((await cluster.job(jobId)).endedAt, null, "the followers end with the job");
});

test("Ctrl-C ends following", async () => {
  const jobId = await detached("slow", numbers(500));
  const follower = Script.command(cluster, ["logs", jobId, "--follow"]);
  await follower.line(/begin/);
  follower.kill("SIGINT");
  assert.equal((await follower.ended()).code, 130);
  await burla(["cancel", jobId]);
});

test("jobs lists the newest first", async () => {
  const ids = [await detached("double", [1], ["--name", "older"]), await detached("double", [1], ["--name", "newer"])];
  const { stdout } = await burla(["jobs", "--json", "--limit", "2"]);
  const jobs = JSON.parse(stdout) as { jobId: string; name: string }[];
  assert.deepEqual(jobs.map(({ jobId }) => jobId), ids.reverse());
  assert.equal((await burla(["jobs", "--limit", "1"])).stdout.split("\n").length, 3);
});

for (const command of ["attach", "logs", "cancel"]) {
  test(`${command}: a job that the cluster does not know`, async () => {
    const { code, stderr } = await burla([command, "job-01j9x3k5v7abcdefghj"]);
    assert.equal(stderr, "burla: this cluster knows no job job-01j9x3k5v7abcdefghj\n  `burla jobs` lists the jobs that this cluster knows.\n");
    assert.equal(code, 6);
  });
}

test("status as JSON", async () => {
  const { code, stdout } = await burla(["status", "--json"]);
  const status = JSON.parse(stdout) as { running: boolean; url: string; nodes: unknown[] };
  assert.equal(status.running, true);
  assert.equal(status.url, cluster.address.url);
  assert.ok(status.nodes.length > 0);
  assert.equal(code, 0);
});

test("status and jobs with --watch: lines as things happen, until Ctrl-C", async () => {
  const status = Script.command(cluster, ["status", "--watch"]);
  const states = Script.command(cluster, ["status", "--watch", "--json"]);
  const jobs = Script.command(cluster, ["jobs", "--watch", "--running"]);
  await status.line(/^\d+ of \d+ nodes? ready, 0 of \d+ processors? in use, 0 jobs under way$/);
  await states.line(/^{"running":true,"phase":"running","url":"http/);
  const jobId = await detached("slow", numbers(20));
  await status.line(/ready, [1-9]\d* of \d+ processors? in use, 1 job under way$/);
  await jobs.line(new RegExp(`^${jobId}  slow  running  `));
  await jobs.line(new RegExp(`^${jobId}  slow  done  20/20$`));
  await states.line(new RegExp(`"jobId":"${jobId}","name":"slow","phase":"done"`));
  for (const script of [status, states, jobs]) {
    script.kill("SIGINT");
    const { code, stderr } = await script.ended();
    assert.deepEqual({ code, stderr }, { code: 130, stderr: "" });
  }
});

test("a reader that has enough ends --watch quietly", async () => {
  const script = Script.command(cluster, ["jobs", "--watch", "--json"]);
  await script.line(/"jobId"/);
  script.closeOutput();
  await detached("double", [1]);
  const { code, stderr } = await script.ended();
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
});
