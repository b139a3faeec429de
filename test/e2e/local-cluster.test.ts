/** The background program: one per state folder, found through its file, safe, gone when nobody needs it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import { afterEach, test } from "node:test";
import { socketsFolder, type ConnectionFile } from "@burla/protocol";
import { TestCluster } from "../support/cluster.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";

const DOUBLE = `console.log("results", JSON.stringify(await remoteParallelMap((x) => x * 2, [1, 2, 3]).toArray()));`;
const clusters: TestCluster[] = [];

function newCluster(name?: string): TestCluster {
  const cluster = new TestCluster(name);
  clusters.push(cluster);
  return cluster;
}

async function runs(cluster: TestCluster, options: Parameters<typeof Script.run>[2] = {}): Promise<void> {
  const { code, stdout, stderr } = await Script.run(cluster, DOUBLE, options);
  assert.equal(`${code} ${stdout}`, "0 results [2,4,6]\n", stderr);
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.dispose();
});

test("scripts that start at the same time share one cluster", async () => {
  const cluster = newCluster();
  await Promise.all([1, 2, 3, 4].map(() => runs(cluster)));
  assert.equal(cluster.processes("main").length, 1);
  assert.equal((await cluster.status()).jobs.length, 4);
});

test("the state folder may have a longer path than a socket, and leaves nothing elsewhere", async () => {
  const cluster = newCluster(`burla-${"long-".repeat(20)}`);
  const services = [cluster.directory, ...["local-1", "local-2"].map((nodeId) => join(cluster.directory, "nodes", nodeId))];
  const sockets = services.map((directory) => dirname(socketsFolder(directory)));
  await runs(cluster);
  assert.deepEqual(sockets.map((folder) => existsSync(folder)), [true, true, true]);
  await cluster.shutdown();
  assert.deepEqual(sockets.map((folder) => existsSync(folder)), [false, false, false]);
  await runs(cluster);
  process.kill(cluster.main.pid, "SIGKILL");
  await Script.command(cluster, ["down"]).ended();
  assert.deepEqual(sockets.map((folder) => existsSync(folder)), [false, false, false], "of a main that was killed too");
});

test("a program ends by itself when its iteration is over, abandoned, or never begun", async () => {
  const cluster = newCluster();
  await runs(cluster);
  const endless = `(function* () { for (let i = 0; ; i++) yield i; })()`;
  for (const source of [
    `for await (const x of remoteParallelMap((x) => x, ${endless})) if (x > 10) break;`,
    `const stream = remoteParallelMap((x) => x, [1, 2, 3]); await stream.next();`,
    `remoteParallelMap((x) => x, [1, 2, 3]);`,
    `const stream = remoteParallelMap((x) => x, [1, 2, 3]); await stream.cancel();`,
    `remoteParallelMap((x) => { throw new Error("x"); }, [1]).toArray().catch(() => undefined);`,
    `await remoteParallelMap((x) => x, [1], { detach: true }).uploaded;`,
  ]) {
    const { code, stderr } = await Script.run(cluster, source);
    assert.equal(code, 0, `${source}\n${stderr}`);
  }
});

test("an error that nobody catches ends the program with code 1 and the user's own stack", async () => {
  const cluster = newCluster();
  const { code, stderr } = await Script.run(cluster, `await remoteParallelMap(function failing(x) { throw new RangeError("uncaught " + x); }, [7]).toArray();`);
  assert.equal(code, 1);
  assert.match(stderr, /RangeError: uncaught 7/);
  assert.match(stderr, /at failing .*script-\d+\.mjs:\d+/);
});

test("the folder and its files are the user's alone", async () => {
  const cluster = newCluster();
  await runs(cluster);
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  assert.equal(mode(cluster.connectionFile), "600");
  assert.equal(mode(cluster.directory), "700");
  const open = readdirSync(cluster.directory, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.includes("node_modules"))
    .filter((path) => (statSync(path).mode & 0o077) !== 0 && !path.slice(cluster.directory.length).startsWith("/nodes/"));
  assert.deepEqual(open, []);
  assert.equal(mode(join(cluster.directory, "nodes")), "700");
});

test("every route wants the token, and takes no other", async () => {
  const cluster = newCluster();
  await runs(cluster);
  const { url, token, nodeToken } = cluster.address;
  const jobId = "job-0000000000000000000";
  const routes: [string, string][] = [
    ["GET", "/v1/status"], ["GET", "/v1/jobs"], ["GET", `/v1/jobs/${jobId}`], ["GET", `/v1/jobs/${jobId}/logs`], ["POST", `/v1/jobs/${jobId}/cancel`],
    ["GET", `/v1/blobs/${"0".repeat(64)}`], ["PUT", `/v1/blobs/${"0".repeat(64)}`], ["POST", "/v1/shutdown"], ["POST", "/v1/hand-over"],
    ["GET", "/v1/watch"], ["GET", `/v1/jobs/${jobId}/failures`], ["GET", "/v1/nothing"],
  ];
  for (const [method, path] of routes) {
    for (const authorization of ["", "Bearer ", "Bearer wrong", `Bearer ${nodeToken}`, `Basic ${token}`, token, `Bearer ${token}x`]) {
      const response = await fetch(new URL(path, url), { method, headers: authorization === "" ? {} : { authorization } });
      assert.equal(response.status, 401, `${method} ${path} with "${authorization}"`);
    }
  }
  assert.equal((await fetch(new URL("/v1/health", url))).status, 200);
  assert.equal((await cluster.request("/v1/nothing")).status, 404);
  assert.equal((await cluster.request(`/v1/status?token=${token}`, { headers: { authorization: "" } })).status, 401);
});

test("an upgrade wants the token of its role", async () => {
  const cluster = newCluster();
  await runs(cluster);
  const { url, token, nodeToken } = cluster.address;
  const upgrade = (role: string, bearer: string) =>
    new Promise<number>((resolve, reject) => {
      const dialled = request(new URL("/v1/connect", url), { headers: { connection: "upgrade", upgrade: "burla", "burla-role": role, authorization: `Bearer ${bearer}` }, agent: false });
      dialled.on("upgrade", (_response, socket) => { socket.destroy(); resolve(101); });
      dialled.on("response", (response) => { response.resume(); resolve(response.statusCode ?? 0); });
      dialled.on("error", reject);
      dialled.end();
    });
  assert.equal(await upgrade("client", token), 101);
  assert.equal(await upgrade("node", nodeToken), 101);
  for (const [role, bearer] of [["client", nodeToken], ["node", token], ["client", "wrong"], ["node", "wrong"], ["client", ""]] as const) {
    assert.equal(await upgrade(role, bearer), 401, `${role} with ${bearer.slice(0, 4)}`);
  }
  await runs(cluster);
});

test("a job's token serves its own functions only, and only while it runs", async () => {
  const cluster = newCluster();
  const { stdout } = await Script.run(cluster, `
    const [seen] = await remoteParallelMap(async () => {
      const { BURLA_URL: url, BURLA_JOB_TOKEN: token } = process.env;
      const status = (await fetch(new URL("/v1/status", url), { headers: { authorization: "Bearer " + token } })).status;
      return { url, token, status };
    }, [1]).toArray();
    const after = await remoteParallelMap((x) => x, [1], { cluster: { url: seen.url, token: seen.token } }).toArray().catch((error) => error.code);
    console.log(seen.status, after);
  `);
  assert.equal(stdout, "401 BURLA_UNAUTHORIZED\n");
});

test("a connection file and a lock that a dead main left are no obstacle", async () => {
  const cluster = newCluster();
  await runs(cluster);
  for (const { pid } of cluster.processes()) process.kill(pid, "SIGKILL");
  await until("all is dead", () => cluster.processes().length === 0);
  assert.ok(cluster.isAnnounced, "the stale file is there");
  await runs(cluster);
});

test("a list of people that is damaged keeps the cluster from starting, with the name of the file and what to do", async () => {
  const cluster = newCluster();
  mkdirSync(cluster.directory, { recursive: true });
  writeFileSync(join(cluster.directory, "people.json"), '[{"name":"ann"');
  const { code, stderr } = await Script.run(cluster, `await remoteParallelMap((x) => x, [1]).toArray();`);
  assert.equal(code, 1);
  assert.match(stderr, /people\.json is damaged[^]*Put back a copy of it/);
});

test("a damaged connection file is no obstacle", async () => {
  const cluster = newCluster();
  mkdirSync(cluster.directory, { recursive: true });
  writeFileSync(cluster.connectionFile, '{"url":');
  await runs(cluster);
});

for (const [what, pidOf] of [["a dead main", (file: ConnectionFile) => file.pid], ["a living process", () => process.pid]] as const) {
  test(`a connection file of ${what} that points to some other program is no obstacle`, async () => {
    const cluster = newCluster();
    await runs(cluster);
    const file = cluster.address;
    await cluster.shutdown();
    const asked: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.end("not Burla");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    writeFileSync(cluster.connectionFile, JSON.stringify({ ...file, url, pid: pidOf(file) }));
    const { code } = await Script.command(cluster, ["status"]).ended();
    if (what === "a dead main") {
      assert.equal(code, 3, "it does not run");
      const { stdout } = await Script.run(cluster, `
        import { watchCluster } from "burla/control";
        for await (const { phase } of watchCluster("local")) { console.log(phase); break; }
      `);
      assert.equal(stdout, "off\n");
    }
    await runs(cluster);
    if (what === "a dead main") assert.deepEqual(asked, [], "a port that was given to another program gets no token");
    other.close();
  });
}

test("an idle cluster ends itself, with all its processes; the next call starts another", async () => {
  const cluster = newCluster();
  await runs(cluster, { env: { BURLA_IDLE_MINUTES: "0.02" } });
  await until("the cluster has ended itself", () => cluster.processes().length === 0);
  assert.equal(cluster.isAnnounced, false);
  await runs(cluster, { env: { BURLA_IDLE_MINUTES: "0.02" } });
});

test("a job whose program was killed does not keep a cluster from ending itself", async () => {
  const cluster = newCluster();
  const script = Script.start(cluster, `
    for await (const x of remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, x === 0 ? 1 : 60_000)); return x; }, [0, 1])) console.log("first");
  `, { env: { BURLA_IDLE_MINUTES: "0.02" } });
  await script.line(/first/);
  script.kill();
  await until("the cluster has ended itself", () => cluster.processes().length === 0);
});

test("a cluster with work or a client is not idle", async () => {
  const cluster = newCluster();
  const { code, stderr } = await Script.run(cluster, `
    for await (const x of remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 2500)); return x; }, [1, 2])) console.log(x);
  `, { env: { BURLA_IDLE_MINUTES: "0.02" } });
  assert.equal(code, 0, stderr);
});

/** The cluster is taken for one that another package has started. */
function disguise(cluster: TestCluster, changes: object): void {
  writeFileSync(cluster.connectionFile, JSON.stringify({ ...cluster.address, ...changes }));
}

/** A job that runs until it is told to end. */
async function longJob(cluster: TestCluster): Promise<Script> {
  const script = Script.start(cluster, `
    const stream = remoteParallelMap(async (x) => { if (x > 0) await new Promise(() => undefined); return x; }, [0, 1]);
    await stream.next();
    console.log("at work");
    await stream.next();
  `);
  await script.line(/at work/);
  return script;
}

for (const [what, changes] of [["another build", { build: "other" }], ["an older version that does not say its build", { build: undefined }], ["another protocol", { protocolVersion: 999 }]] as const) {
  test(`a cluster of ${what} makes way when it has nothing to do`, async () => {
    const cluster = newCluster();
    await runs(cluster);
    const before = cluster.processes();
    disguise(cluster, changes);
    await Promise.all([runs(cluster), runs(cluster), runs(cluster)]);
    assert.equal(cluster.processes("main").length, 1);
    for (const { pid } of before) assert.ok(!cluster.processes().some((process) => process.pid === pid), "nothing of it is left");
  });
}

test("`burla up` starts this build where one of another has nothing to do, and names one that is at work", async () => {
  const cluster = newCluster();
  const up = async () => {
    const { code, stdout, stderr } = await Script.command(cluster, ["up", "--json"]).ended();
    assert.equal(code, 0, stderr);
    return { ...(JSON.parse(stdout) as { started: boolean; pid: number }), stderr };
  };
  const before = await up();
  disguise(cluster, { build: "other" });
  const fresh = await up();
  assert.deepEqual([before.started, fresh.started, fresh.pid], [true, true, cluster.main.pid]);
  assert.notEqual(fresh.pid, before.pid);
  const work = await longJob(cluster);
  disguise(cluster, { build: "other", version: "9.9.9" });
  const busy = await up();
  assert.deepEqual([busy.started, busy.pid], [false, fresh.pid]);
  assert.match(busy.stderr, /another build of burla \(9\.9\.9.*is at work/);
  work.kill();
  await work.ended();
});

test("a cluster of another build that is at work is used, and that is said", async () => {
  const cluster = newCluster();
  const work = await longJob(cluster);
  const { pid } = cluster.main;
  disguise(cluster, { build: "other", version: "9.9.9" });
  const { stdout, stderr } = await Script.run(cluster, DOUBLE);
  assert.equal(stdout, "results [2,4,6]\n", stderr);
  assert.match(stderr, /another build of burla \(9\.9\.9.*is at work/);
  assert.equal(cluster.main.pid, pid);
  work.kill();
  await work.ended();
});

test("a cluster of another protocol that is at work is named, with the cure", async () => {
  const cluster = newCluster();
  const work = await longJob(cluster);
  const file = cluster.address;
  disguise(cluster, { version: "9.9.9", protocolVersion: 999 });
  const { code, stderr } = await Script.run(cluster, DOUBLE);
  writeFileSync(cluster.connectionFile, JSON.stringify(file));
  assert.equal(code, 1);
  assert.match(stderr, /BURLA_VERSION/);
  assert.match(stderr, /9\.9\.9/);
  assert.match(stderr, /burla down/);
  work.kill();
  await work.ended();
});

test("programs that start at the same moment on what a killed cluster has left share a new one", async () => {
  const cluster = newCluster();
  await runs(cluster);
  for (const { pid } of cluster.processes()) process.kill(pid, "SIGKILL");
  await until("all is dead", () => cluster.processes().length === 0);
  await Promise.all(Array.from({ length: 8 }, () => runs(cluster)));
  assert.equal(cluster.processes("main").length, 1);
});

test("a main that is killed before it is ready is started again", async () => {
  const cluster = newCluster();
  const script = Script.start(cluster, DOUBLE);
  const first = await until("main starts", () => cluster.processes("main")[0]);
  process.kill(first.pid, "SIGKILL");
  const { stdout, stderr } = await script.ended();
  assert.equal(stdout, "results [2,4,6]\n", stderr);
});

test("one that waits for a program that starts the cluster starts it itself when that one dies", async () => {
  const cluster = newCluster();
  mkdirSync(cluster.directory, { recursive: true });
  const holder = spawn("sleep", ["60"]);
  writeFileSync(join(cluster.directory, "main.lock.1"), String(holder.pid));
  const waiting = Script.start(cluster, DOUBLE);
  await until("its main has found the lock", () => existsSync(join(cluster.directory, "main.log")) && cluster.processes("main").length === 0);
  holder.kill("SIGKILL");
  assert.equal((await waiting.ended()).stdout, "results [2,4,6]\n");
});

test("a working folder that was deleted is no obstacle", async () => {
  const cluster = newCluster();
  const folder = join(cluster.home, "gone");
  mkdirSync(folder);
  const script = Script.start(cluster, `
    import { rmdirSync } from "node:fs";
    rmdirSync(process.argv[2]);
    ${DOUBLE}
  `, { cwd: folder, args: [folder] });
  const { code, stdout, stderr } = await script.ended();
  assert.equal(`${code} ${stdout}`, "0 results [2,4,6]\n", stderr);
  assert.throws(() => rmdirSync(folder));
});

test("two state folders are two clusters", async () => {
  const [one, other] = [newCluster(), newCluster()];
  await Promise.all([runs(one), runs(other)]);
  assert.notEqual(one.address.url, other.address.url);
  assert.notEqual(one.address.token, other.address.token);
  await one.shutdown();
  await runs(other);
});

test("a shutdown with a job under way ends the job and says why; nobody starts the cluster again", async () => {
  const cluster = newCluster();
  const script = Script.start(cluster, `
    for await (const x of remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, x === 0 ? 1 : 60_000)); return x; }, [0, 1, 2, 3])) console.log("first");
  `);
  await script.line(/first/);
  await cluster.shutdown();
  const { code, stderr } = await script.ended();
  assert.equal(code, 1);
  assert.match(stderr, /BURLA_CANCELLED/);
  assert.match(stderr, /shut down/);
  assert.equal(cluster.processes().length, 0);
});

test("a detached job goes on when the cluster is started after a shutdown", async () => {
  const cluster = newCluster();
  const { stdout } = await Script.run(cluster, `
    const stream = remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 5)); return x; }, Array.from({ length: 400 }, (_, i) => i), { detach: true });
    await stream.uploaded;
    console.log(stream.jobId);
  `);
  await cluster.shutdown();
  const { stdout: collected } = await Script.run(cluster, `
    const values = [];
    for await (const x of attach(process.argv[2])) values.push(x);
    console.log(new Set(values).size, values.length);
  `, { args: [stdout.trim()] });
  assert.equal(collected, "400 400\n");
});

test("a first call that asks for more than the machine has is refused at once, although no node has come yet", async () => {
  const cluster = newCluster();
  const { code, stderr } = await Script.run(cluster, `await remoteParallelMap((x) => x, [1], { cpu: 4000 }).toArray();`);
  assert.equal(code, 1);
  assert.match(stderr, /BURLA_NO_FITTING_NODE/);
});

test("a relative state folder lies where the program was started, wherever it goes later", async () => {
  const cluster = newCluster();
  const source = `process.env.BURLA_HOME = "./${basename(cluster.home)}"; ${DOUBLE} process.chdir("/"); ${DOUBLE}`;
  const { code, stderr } = await Script.run({ home: cluster.home }, source, { cwd: dirname(cluster.home) });
  assert.equal(code, 0, stderr);
  assert.ok(existsSync(join(cluster.home, "clusters", "local", "cluster.json")));
  const up = await Script.command(cluster, ["status"], { cwd: dirname(cluster.home), env: { BURLA_HOME: basename(cluster.home) } }).ended();
  assert.equal(up.code, 0, up.stderr);
  await cluster.shutdown();
});

test("the state folder cannot be written: the error says so", async () => {
  const cluster = newCluster();
  const file = join(cluster.home, "a-file");
  writeFileSync(file, "");
  const { code, stderr } = await Script.run({ home: cluster.home }, DOUBLE, { env: {} }).then(() => Script.run({ home: cluster.home }, `process.env.BURLA_HOME = ${JSON.stringify(file)}; ${DOUBLE}`));
  assert.equal(code, 1);
  assert.match(stderr, /a-file/);
});
