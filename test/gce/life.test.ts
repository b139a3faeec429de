import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, test } from "node:test";
import * as v from "valibot";
import { BurlaError, connectionFileSchema, encodeFrame, openStream, PROTOCOL_VERSION, requestMain, ROUTES, type ConnectionFile } from "@burla/protocol";
import type * as gce from "@burla/protocol/gce";
import { assertIncludes } from "../support/includes.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";
import { Cloud } from "./cloud.ts";

const CLUSTER = "trial";
let cloud: Cloud;
let library: typeof gce;

before(async () => {
  library = await import("@burla/protocol/gce");
});
afterEach(() => cloud.close());

async function start(changes: object = {}): Promise<void> {
  cloud = await Cloud.start({ preemptionMs: 10_000 });
  const path = join(cloud.home, "spec.json");
  const groups = [{ name: "small", count: 1, machineType: "e2-small", zones: ["us-central1-a", "us-central1-b"] }];
  writeFileSync(path, JSON.stringify({ name: CLUSTER, provider: "gce", groups, ...changes }));
  const { code, stderr } = await cloud.run("up", "--spec", path, "--yes");
  assert.equal(code, 0, `${stderr}\n${cloud.logs}`);
}

function file(): ConnectionFile {
  return v.parse(connectionFileSchema, JSON.parse(cloud.connection(CLUSTER)));
}

const script = (source: string, env: Record<string, string> = {}) => Script.start(cloud, source, { env: { ...cloud.emulator.environment, BURLA_CLUSTER: CLUSTER, ...env } });
const request = (token: string, path: string, method: "GET" | "POST" = "GET", certificate: string | null = file().certificate) =>
  requestMain({ url: file().url, path, method, token, certificate, signal: AbortSignal.timeout(10_000) });
const gone = () => until("nothing is left of its VMs", () => cloud.emulator.instances.length === 0);

test("nobody is believed without the certificate, and nobody comes in without a token that fits", async () => {
  await start();
  const { url, token, certificate } = file();
  assert.equal((await request(token, ROUTES.status)).status, 200);
  const other = await library.createCertificate();
  await assert.rejects(request(token, ROUTES.status, "GET", other.certificate), /self-signed|unable to verify|signature/);
  await assert.rejects(request(token, ROUTES.status, "GET", null), /self-signed|unable to verify/);
  await assert.rejects(openStream({ url, token, role: "client", timeoutMs: 5_000, certificate: other.certificate }), (error) => error instanceof BurlaError && error.code === "BURLA_UNREACHABLE");
  await assert.rejects(fetch(url.replace("https:", "http:")));

  const added = async (...args: string[]) => (JSON.parse((await cloud.run("people", "--cluster", CLUSTER, "--json", ...args)).stdout) as { token: string }).token;
  const viewer = await added("--add", "vera", "--role", "viewer");
  const user = await added("--add", "ulf");
  const answers = async (who: string) => Promise.all([request(who, ROUTES.status), request(who, ROUTES.cancelJob.replace(":jobId", "job-0"), "POST"), request(who, ROUTES.people), request(who, ROUTES.shutdown, "POST")]).then((all) => all.map(({ status }) => status));
  assert.deepEqual(await answers(viewer), [200, 403, 403, 403]);
  assert.deepEqual(await answers(user), [200, 404, 403, 403]);
  await assert.rejects(openStream({ url, token: viewer, role: "client", timeoutMs: 5_000, certificate }), (error) => error instanceof BurlaError && error.code === "BURLA_UNAUTHORIZED");
  const job = script(`console.log("sum " + (await remoteParallelMap((x) => x + 1, [1, 2, 3], { order: "input" }).toArray()).join());`, { BURLA_CLUSTER: url, BURLA_TOKEN: user, BURLA_CERTIFICATE: certificate! });
  assert.equal(await job.line(/^sum (.*)$/), "2,3,4");
  await cloud.run("people", "--cluster", CLUSTER, "--remove", "ulf");
  assert.equal((await request(user, ROUTES.status)).status, 401);

  // A VM that main has not made, in the same project, with the same account.
  const { compute } = await projectOf();
  const stranger = { name: "stranger", machineType: "zones/z/machineTypes/e2-micro", serviceAccounts: [{ email: "burla-node@demo-project.iam.gserviceaccount.com" }], metadata: { items: [{ key: "startup-script", value: `echo "identity $(curl -s -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/service-accounts/default/identity?audience=burla-cluster-${CLUSTER}&format=full")"` }] } };
  await compute.insertVm("us-central1-a", stranger, crypto.randomUUID());
  const identity = await until("the stranger knows its identity", () => /identity (\S+)/.exec(cloud.emulator.find("stranger").vm.serial)?.[1]);
  assert.equal((await request(identity, ROUTES.enrol, "POST")).status, 401);
  assert.equal((await request(identity, ROUTES.programs)).status, 401);
  await compute.deleteVm("us-central1-a", "stranger", crypto.randomUUID());
});

test("a VM that is taken back finishes what it has begun, and no worker is lost", async () => {
  await start({ groups: [{ name: "small", count: 2, machineType: "e2-small", zones: ["us-central1-a"], spot: "only" }] });
  const job = script(`
    const results = remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 500)); return x; }, Array.from({ length: 40 }, (_, x) => x));
    let count = 0;
    for await (const _ of results) if (++count === 4) console.log("some");
    console.log("all " + count);`);
  await job.line(/^some$/);
  const [victim] = (await cloud.status(CLUSTER)).nodes;
  const name = `burla-${CLUSTER}-${victim!.nodeId.split("-").pop()!}`;
  const { vm } = cloud.emulator.find(name);
  await cloud.emulator.preempt(name);
  assert.match(vm.serial, /leaving/);
  assert.equal(await job.line(/^all (\d+)$/), "40");
  const [summary] = (await cloud.status(CLUSTER)).jobs;
  assertIncludes(summary, { phase: "done", done: 40, lostWorkers: 0 });
});

test("a VM that is gone: its token and its identity are of no use, what it has open ends, and others do what it had", async () => {
  await start({ groups: [{ name: "small", count: 2, machineType: "e2-small", zones: ["us-central1-a"] }] });
  const job = script(`
    const results = remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 500)); return x; }, Array.from({ length: 40 }, (_, x) => x));
    const seen = [];
    for await (const x of results) if (seen.push(x) === 4) console.log("some");
    console.log("all " + seen.length + " " + new Set(seen).size);`);
  await job.line(/^some$/);
  const [victim] = (await cloud.status(CLUSTER)).nodes;
  const name = `burla-${CLUSTER}-${victim!.nodeId.split("-").pop()!}`;
  // As a function on that VM could: the token that its node would get, and a connection with it.
  const path = `instance/service-accounts/default/identity?audience=burla-cluster-${CLUSTER}&format=full`;
  const identity = await (await fetch(`http://${cloud.emulator.find(name).metadata!.host}/computeMetadata/v1/${path}`, { headers: { "metadata-flavor": "Google" } })).text();
  const enrolled = await request(identity, ROUTES.enrol, "POST");
  assert.equal(enrolled.status, 200);
  const { token } = (await enrolled.json()) as { token: string };
  const { url, certificate } = file();
  const open = () => openStream({ url, token, role: "node", timeoutMs: 10_000, certificate });
  const stream = await open();
  const ended = new Promise((resolve) => stream.on("error", () => undefined).once("close", resolve).resume());
  stream.write(Buffer.concat(encodeFrame({ type: "hello", protocolVersion: PROTOCOL_VERSION, software: "t" }, [])));

  const { compute } = await projectOf();
  await compute.deleteVm("us-central1-a", name, crypto.randomUUID());
  await ended;
  await assert.rejects(open(), (error) => error instanceof BurlaError && error.code === "BURLA_UNAUTHORIZED");
  assert.equal((await request(identity, ROUTES.enrol, "POST")).status, 401);
  assert.equal(await job.line(/^all (.*)$/), "40 40");
  await until("another VM is in its place", async () => (await cloud.status(CLUSTER)).nodes.filter(({ nodeId, state }) => nodeId !== victim!.nodeId && state === "READY").length === 2);
});

test("a job may add nodes, says what it waits for, and gives them back", async () => {
  await start({ grow: { nodes: 2, idleMinutes: 0.05 }, groups: [{ name: "small", count: 0, machineType: "e2-small", zones: ["us-central1-a"] }] });
  const job = script(`
    const reasons = new Set();
    const results = remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 1000)); return x; }, Array.from({ length: 100 }, (_, x) => x), { grow: 2, progress: ({ reason, nodes }) => { if (reason) reasons.add(reason); if (nodes === 2) console.log("both"); } });
    console.log("count " + (await results.toArray()).length);
    console.log("reasons " + JSON.stringify([...reasons]));`);
  await job.line(/^both$/);
  assert.equal(await job.line(/^count (\d+)$/), "100");
  assert.match(await job.line(/^reasons (.*)$/), /waits for the first node to start: [12] machines? booting/);
  await until("the added nodes are gone", () => cloud.emulator.instances.length === 1);
  const { costPerHour, nodes } = await cloud.status(CLUSTER);
  assert.deepEqual(nodes, []);
  assert.ok(costPerHour! < 0.05, `${costPerHour} is for main alone`);

  const python = Script.python(cloud, `
def tell(now):
    if now.reason: print("waits", now.reason)
remote_parallel_map(lambda x: x, [1], grow=1, progress=tell).to_list()`, { env: { ...cloud.emulator.environment, BURLA_CLUSTER: CLUSTER } });
  await python.line(/^waits .*(1 machine booting)/);
  python.kill();
  await python.ended();
});

test("an unused cluster ends itself, VM of main and all", async () => {
  await start({ idleMinutes: 0.1 });
  await gone();
});

test("at its time a cluster ends itself", async () => {
  await start({ endsAt: new Date(Date.now() + 25_000).toISOString() });
  assert.notEqual((await cloud.status(CLUSTER)).endsAt, null);
  await gone();
});

test("VMs whose main is gone for good remove themselves", async () => {
  await start({ gce: { orphanMinutes: 0.05 } });
  const { compute } = await projectOf();
  await compute.deleteVm("us-central1-a", `burla-${CLUSTER}-main`, crypto.randomUUID());
  await gone();
});

test("a VM whose programs do not come removes itself", async () => {
  await start();
  const { compute } = await projectOf();
  const node = cloud.emulator.instances.find(({ resource }) => resource.labels?.["burla-role"] === "node")!;
  const items = [...node.resource.metadata!.items!.filter(({ key }) => !["burla-programs", "startup-script"].includes(key)), { key: "burla-programs", value: "0".repeat(64) }];
  const script = `export BURLA_VM_FETCH_SECONDS=1\n${readFileSync(new URL("../../services/vm/boot.sh", import.meta.url), "utf8")}`;
  await compute.insertVm("us-central1-a", { name: "burla-trial-lost", machineType: "zones/z/machineTypes/e2-small", serviceAccounts: node.resource.serviceAccounts, metadata: { items: [...items, { key: "startup-script", value: script }] } }, crypto.randomUUID());
  await until("it is gone", () => !cloud.emulator.instances.some(({ resource }) => resource.name === "burla-trial-lost"));
});

/** As main sees it, which may run VMs as a node's account. */
async function projectOf() {
  Object.assign(process.env, await cloud.emulator.environmentOf(`burla-main@${cloud.emulator.project}.iam.gserviceaccount.com`));
  return library.GoogleProject.open({ project: cloud.emulator.project, endpoint: cloud.emulator.url });
}
