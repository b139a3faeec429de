/** `up`, `down`, `status` and `doctor`, on a state folder that nobody has used, and on one in disorder. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { TestCluster } from "../support/cluster.ts";
import { Script, type CommandOptions } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = new TestCluster();
after(() => cluster.dispose());

function burla(args: string[], options: CommandOptions = {}) {
  return Script.command(cluster, args, options).ended();
}

interface DoctorReport {
  ok: boolean;
  checks: { name: string; state: string; detail: string; cure: string }[];
}

async function doctor(...args: string[]): Promise<DoctorReport & { code: number | null; find: (name: string) => DoctorReport["checks"][number] | undefined }> {
  const { code, stdout } = await burla(["doctor", "--json", ...args]);
  const report = JSON.parse(stdout) as DoctorReport;
  return { ...report, code, find: (name) => report.checks.find((check) => check.name === name) };
}

test("nothing runs: status says so with 3, down has nothing to do", async () => {
  const status = await burla(["status"]);
  assert.deepEqual(status, { code: 3, signal: null, stdout: "", stderr: "The cluster is not running.\n  `burla up` starts it; so does the first job.\n" });
  const json = await burla(["status", "--json"]);
  assert.deepEqual({ code: json.code, stdout: json.stdout }, { code: 3, stdout: `{"running":false}\n` });
  const down = await burla(["down"]);
  assert.deepEqual({ code: down.code, stdout: down.stdout }, { code: 0, stdout: "The local cluster was not running.\n" });
  const jobs = await burla(["jobs"]);
  assert.equal(jobs.code, 3);
  assert.equal(jobs.stderr, 'burla: the cluster "local" is not running\n  Start it with `burla up`, or simply call remoteParallelMap.\n');
});

test("doctor runs a real job and leaves no cluster behind", async () => {
  const { code, stdout } = await burla(["doctor"]);
  assert.match(stdout, /^ok +Node\.js +\d+\./);
  assert.match(stdout, /^ok +a real job +3 inputs in .*, with the start of the cluster$/m);
  assert.match(stdout, /\n\nThe set-up works\.\n$/);
  assert.doesNotMatch(stdout, /^fail/m);
  assert.equal(code, 0);
  assert.deepEqual(cluster.processes(), []);
});

test("up starts the cluster and is idempotent; down ends all of it", async () => {
  const first = await burla(["up"]);
  assert.match(first.stdout, /^The local cluster has started at http:\/\/127\.0\.0\.1:\d+\.\n(\d) of \1 nodes ready, with \d+ workers?\. It ends itself in 10 min unless it is used\.\n$/);
  assert.equal(first.code, 0);
  const { pid } = cluster.address;
  assert.match((await burla(["up"])).stdout, /^The local cluster runs already at /);
  assert.equal(cluster.address.pid, pid);
  assert.equal(statSync(cluster.connectionFile).mode & 0o777, 0o600);
  assert.equal((await doctor("--no-job")).find("local cluster")?.detail, `runs at ${cluster.address.url}, pid ${pid}`);
  const count = cluster.processes().length;
  const down = await burla(["down"]);
  assert.equal(down.stdout, `The local cluster has ended: ${count} processes.\n`);
  assert.deepEqual(cluster.processes(), []);
  assert.ok(!existsSync(cluster.connectionFile));
});

test("up with another spec replaces a cluster that has nothing to do, and leaves one at work alone", async () => {
  const specOf = (count: number) => {
    const path = join(cluster.home, `spec-${count}.json`);
    writeFileSync(path, JSON.stringify({ groups: [{ name: "s", count, cpu: 1, ramMiB: 256 }] }));
    return path;
  };
  await burla(["up", "--spec", specOf(1)]);
  const { pid } = cluster.address;
  assert.match((await burla(["up", "--spec", specOf(1)])).stdout, /runs already/);
  const replaced = await burla(["up", "--spec", specOf(2)]);
  assert.match(replaced.stderr, /the cluster ran with another spec and had nothing to do: it starts anew/);
  assert.match(replaced.stdout, /has started at .*\n2 of 2 nodes ready/);
  assert.notEqual(cluster.address.pid, pid);
  writeFileSync(join(cluster.home, "slow.mjs"), "export const slow = (n) => new Promise((resolve) => setTimeout(resolve, 100, n));\n");
  const script = Script.command(cluster, ["run", "slow.mjs#slow", "--inputs", "-", "--quiet"], { input: "1\n".repeat(1000) });
  await script.line(/"index"/);
  const refused = await burla(["up", "--spec", specOf(1)]);
  assert.deepEqual([refused.code, /runs with another spec, and is at work/.test(refused.stderr)], [2, true]);
  script.kill();
  await script.ended();
  await burla(["down", "--force"]);
});

test("down with a job under way needs --force", async () => {
  writeFileSync(join(cluster.home, "slow.mjs"), "export const slow = (n) => new Promise((resolve) => setTimeout(resolve, 100, n));\n");
  const script = Script.command(cluster, ["run", "slow.mjs#slow", "--inputs", "-", "--quiet"], { input: "1\n".repeat(1000) });
  await script.line(/"index"/);
  const refused = await burla(["down", "--json"]);
  assert.equal(refused.code, 7);
  assert.equal((JSON.parse(refused.stdout) as { down: boolean }).down, false);
  script.kill();
  await script.ended();
  const forced = await burla(["down", "--force"]);
  assert.match(forced.stdout, /^The local cluster has ended: \d+ processes\.( 1 job stopped\.)?\n$/);
  assert.deepEqual(cluster.processes(), []);
});

test("a cluster whose main was killed: doctor finds what it left, down clears it away", async () => {
  await burla(["up"]);
  process.kill(cluster.main.pid, "SIGKILL");
  await until("main is gone", () => cluster.processes("main").length === 0);
  const before = await doctor("--no-job");
  assert.match(before.find("local cluster")?.detail ?? "", /was left by a cluster that does not answer at http/);
  assert.match(before.find("lock")?.detail ?? "", /^left by pid \d+, which is gone$/);
  assert.equal(before.code, 0);
  assert.match((await burla(["status"])).stderr, /^The cluster is not running/);
  assert.match((await burla(["down"])).stdout, /^The local cluster has ended: \d+ processes\.\n$/);
  assert.deepEqual(cluster.processes(), []);
  assert.ok(!existsSync(cluster.connectionFile));
});

test("doctor fails where others may read the token, and where the cluster speaks another protocol", async () => {
  mkdirSync(cluster.directory, { recursive: true });
  writeFileSync(cluster.connectionFile, "not JSON");
  chmodSync(cluster.connectionFile, 0o644);
  const open = await doctor("--no-job");
  assert.equal(open.code, 1);
  assert.equal(open.ok, false);
  assert.deepEqual(open.find("permissions"), {
    name: "permissions",
    state: "fail",
    detail: `others may read ${cluster.connectionFile}, which gives them your cluster`,
    cure: `chmod 600 ${cluster.connectionFile}`,
  });
  assert.match(open.find("local cluster")?.detail ?? "", /cannot be read as what it should be/);
  await burla(["down"]);
  assert.ok(!existsSync(cluster.connectionFile));
});

test("a cluster is named by its URL, with its token in BURLA_TOKEN, by option or variable; doctor looks at it too", async () => {
  await burla(["up"]);
  const { url, token } = cluster.address;
  const elsewhere = { BURLA_TOKEN: token, BURLA_CLUSTER: url };
  assert.match((await burla(["status", "--cluster", url], { env: { BURLA_TOKEN: token } })).stdout, new RegExp(`runs at ${url} `));
  assert.equal((await burla(["jobs", "--json"], { env: elsewhere })).code, 0);
  const check = async (env: Record<string, string>) => {
    const { stdout } = await burla(["doctor", "--no-job", "--json"], { env });
    return (JSON.parse(stdout) as DoctorReport).checks.find(({ name }) => name === "BURLA_CLUSTER");
  };
  assert.equal((await check(elsewhere))?.state, "ok");
  assert.equal((await check({ ...elsewhere, BURLA_CLUSTER: "http://127.0.0.1:1" }))?.state, "fail");
  const without = await burla(["status", "--cluster", url]);
  assert.deepEqual([without.code, without.stderr.split("\n")[0]], [3, `burla: there is no token for the cluster at ${url}`]);
  assert.equal((await burla(["status", "--cluster", url], { env: { BURLA_TOKEN: "another" } })).code, 3);
  const wrong = await burla(["status", "--cluster", "My Cluster"]);
  assert.deepEqual([wrong.code, /name of a cluster .* or its URL/.test(wrong.stderr)], [2, true]);
  assert.match((await burla(["status", "--cluster", "other"])).stderr, /^The cluster other does not answer\./);
  await burla(["down"]);
});

test("doctor fails where the state folder cannot be made", async () => {
  const file = join(cluster.home, "a-file");
  writeFileSync(file, "");
  const { code, stdout } = await Script.command({ home: join(file, "home") }, ["doctor", "--no-job"], { cwd: cluster.home }).ended();
  assert.match(stdout, /^fail {2}state folder +.*is no folder\n +Set BURLA_HOME to a folder that you may write\./m);
  assert.equal(code, 1);
});

test("help on every command, with examples; wrong use ends with 2", async () => {
  const { stdout, code } = await burla(["--help"]);
  assert.equal(code, 0);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name ?? "");
  assert.deepEqual(commands.sort(), ["attach", "bundle", "cancel", "doctor", "down", "image", "jobs", "logs", "people", "run", "status", "up"]);
  for (const command of commands) {
    const help = await burla([command, "--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, new RegExp(`\\nExamples:\\n[^]* {2}\\$ .*burla ${command}`), command);
    assert.match(help.stdout, / {2}--json /, command);
  }
  const unknown = await burla(["rum"]);
  assert.deepEqual(unknown, { code: 2, signal: null, stdout: "", stderr: "error: unknown command 'rum'\n(Did you mean run?)\n" });
  assert.equal((await burla([])).code, 2);
  assert.equal((await burla(["up", "mars"])).code, 2);
  assert.match((await burla(["up", "--nodes", "4"])).stderr, /--nodes is for a cluster on Google Cloud\n.*--provider gce/);
  assert.match((await burla(["up", "cloud", "--provider", "gce", "--nodes", "0"])).stderr, /It must be at least 1/);
});

test("bundle shows what would be sent, and runs nothing", async () => {
  writeFileSync(join(cluster.home, "part.ts"), "export const weight: number = 2;\n");
  writeFileSync(join(cluster.home, "score.ts"), `import { weight } from "./part.ts";\nexport const score = (n: number): number => n * weight;\nconsole.log("this ran");\n`);
  const explained = await burla(["bundle", "score.ts#score", "--explain"]);
  assert.match(explained.stdout, /^score/);
  assert.match(explained.stdout, /\d+ B {2}.*\/part\.ts$/m);
  assert.deepEqual({ code: explained.code, stderr: explained.stderr }, { code: 0, stderr: "" });
  const json = JSON.parse((await burla(["bundle", "score.ts#score", "--json", "--out", "score.mjs"])).stdout) as { codeBytes: number; bundled: { file: string }[] };
  assert.ok(json.bundled.some(({ file }) => file.endsWith("part.ts")));
  assert.equal(statSync(join(cluster.home, "score.mjs")).size, json.codeBytes);
  assert.deepEqual(cluster.processes(), []);
});
