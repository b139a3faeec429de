import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import type * as gce from "@burla/protocol/gce";
import { instanceResource, type GceError } from "@burla/protocol";
import { assertIncludes } from "../../support/includes.ts";
import { isRunning } from "../../support/processes.ts";
import { until } from "../../support/until.ts";
import { GceEmulator, type EmulatorOptions } from "./emulator.ts";
import { CUT, QUOTA_BY_REQUEST, RATE_LIMIT, UNAVAILABLE } from "./faults.ts";

const ZONE = "us-central1-a";
const environmentBefore = { ...process.env };
let library: typeof gce;
let emulator: GceEmulator;
let compute: gce.Compute;

before(async () => {
  library = await import("@burla/protocol/gce");
});
beforeEach(() => open());
afterEach(() => emulator.close());
after(() => {
  for (const name of Object.keys(process.env)) if (!(name in environmentBefore)) Reflect.deleteProperty(process.env, name);
});

async function open(options: EmulatorOptions = {}): Promise<void> {
  emulator = await GceEmulator.start({ operationMs: 5, bootMs: 5, stopGraceMs: 2_000, ...options });
  Object.assign(process.env, emulator.environment);
  ({ compute } = await library.GoogleProject.open({ project: emulator.project, endpoint: emulator.url }));
}

async function reopen(options: EmulatorOptions): Promise<void> {
  await emulator.close();
  await open(options);
}

function resource(name: string, { zone = ZONE, script = "", isSpot = false, machineType = "e2-standard-2", metadata = {} as Record<string, string> } = {}): object {
  return instanceResource({
    name, cluster: "test", role: "node", group: "small", zone, machineType, isSpot, gpu: null, diskGiB: 10, diskType: "pd-balanced", bootImage: "projects/cos-cloud/global/images/family/cos-stable",
    network: "default", subnetwork: null, hasExternalAddress: true, tag: "burla-test-node", serviceAccount: `burla-main@${emulator.project}.iam.gserviceaccount.com`, metadata: { "startup-script": script, "enable-guest-attributes": "TRUE", ...metadata },
  });
}

async function create(name: string, options: Parameters<typeof resource>[1] = {}): Promise<void> {
  await compute.insertVm(options.zone ?? ZONE, resource(name, options), randomUUID());
}

const refused = (kind: string) => (error: unknown) => error instanceof Error && (error as GceError).kind === kind;
const serial = (name: string, pattern: RegExp) => until(`${name} prints ${String(pattern)}`, () => pattern.exec(emulator.find(name).vm.serial)?.[1]);

test("an instance is made, listed by its label, found, and deleted with its processes", async () => {
  await create("one", { script: "echo pid $$; exec sleep 1000" });
  const pid = Number(await serial("one", /pid (\d+)\n/));
  const [listed, ...others] = await compute.listVms("test");
  assert.deepEqual(others, []);
  assertIncludes(listed, { name: "one", zone: ZONE, status: "RUNNING", role: "node", group: "small", isSpot: false });
  assert.match(listed!.internalAddress, /^127\./);
  assert.deepEqual(await compute.listVms("another"), []);
  await compute.deleteVm(ZONE, "one", randomUUID());
  assert.ok(!isRunning(pid));
  await assert.rejects(compute.getVm(ZONE, "one"), refused("not-found"));
  assert.deepEqual(emulator.resources, []);
});

test("the same request id is the same request; another finds the name taken", async () => {
  const id = randomUUID();
  await Promise.all([compute.insertVm(ZONE, resource("one"), id), compute.insertVm(ZONE, resource("one"), id)]);
  assert.equal(emulator.instances.length, 1);
  await assert.rejects(create("one"), refused("exists"));
});

test("an operation that failed stays failed for its request id, is known from a request that was refused, and another id makes the VM", async () => {
  const id = randomUUID();
  emulator.faults.add({ ...UNAVAILABLE, on: "insert", shape: "operation", code: "INTERNAL_ERROR" });
  for (let times = 0; times < 2; times++) {
    await assert.rejects(compute.insertVm(ZONE, resource("one"), id), (error) => refused("transient")(error) && (error as { isOfOperation?: boolean }).isOfOperation === true);
  }
  await compute.insertVm(ZONE, resource("one"), randomUUID());
  emulator.faults.add({ ...UNAVAILABLE, on: "insert" });
  await assert.rejects(create("two"), (error) => (error as { isOfOperation?: boolean }).isOfOperation === false);
});

test("a request whose answer is lost has done its work, which the same id shows", async () => {
  const id = randomUUID();
  emulator.faults.add(CUT);
  await assert.rejects(compute.insertVm(ZONE, resource("one"), id), refused("transient"));
  assert.equal(emulator.instances.length, 1);
  await compute.insertVm(ZONE, resource("one"), id);
  assert.equal(emulator.instances.length, 1);
});

for (const [what, fault, kind] of [["a rate limit", RATE_LIMIT, "rate-limit"], ["an outage", { ...UNAVAILABLE, on: "insert" as const }, "transient"], ["a quota, told by the request", QUOTA_BY_REQUEST, "quota"]] as const) {
  test(`${what} is known as such, and is over afterwards`, async () => {
    emulator.faults.add({ ...fault, on: "insert" });
    await assert.rejects(create("one"), refused(kind));
    await create("one");
  });
}

test("a quota that is reached fails the operation, and nothing is there", async () => {
  emulator.quotas.set("us-central1", "CPUS", 3);
  await create("one");
  await assert.rejects(create("two"), (error) => refused("quota")(error) && /Quota 'CPUS' exceeded\.\s+Limit: 3\.0 in region us-central1/.test((error as Error).message));
  assert.deepEqual((await compute.listVms("test")).map(({ name }) => name), ["one"]);
  await create("spot", { isSpot: true });
  await create("elsewhere", { zone: "europe-west4-a" });
  const quota = (await compute.quotas("us-central1")).find(({ metric }) => metric === "CPUS");
  assert.deepEqual(quota, { metric: "CPUS", limit: 3, usage: 2 });
});

for (const code of ["ZONE_RESOURCE_POOL_EXHAUSTED", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"]) {
  test(`a zone without machines says ${code}, until it has some`, async () => {
    emulator.faults.refuse(ZONE, { code });
    await assert.rejects(create("one"), refused("stockout"));
    emulator.faults.allow(ZONE);
    await create("one");
  });
}

test("lists have pages, which the client follows", async () => {
  const names = Array.from({ length: 7 }, (_, index) => `vm-${index}`);
  await Promise.all(names.map((name) => create(name, { machineType: "e2-micro" })));
  const token = await fetch(`http://${process.env["GCE_METADATA_HOST"]}/computeMetadata/v1/instance/service-accounts/default/token`, { headers: { "Metadata-Flavor": "Google" } });
  const { access_token } = (await token.json()) as { access_token: string };
  const get = async (query: string) => (await fetch(`${emulator.url}/compute/v1/projects/${emulator.project}/zones/${ZONE}/instances?${query}`, { headers: { authorization: `Bearer ${access_token}` } })).json() as Promise<{ items: { name: string }[]; nextPageToken?: string }>;
  const found: string[] = [];
  let pages = 0;
  for (let pageToken: string | undefined = ""; pageToken !== undefined; pages++) {
    const answer: { items: { name: string }[]; nextPageToken?: string } = await get(`maxResults=3${pageToken === "" ? "" : `&pageToken=${pageToken}`}`);
    found.push(...answer.items.map(({ name }) => name));
    pageToken = answer.nextPageToken;
  }
  assert.equal(pages, 3);
  assert.deepEqual(found.sort(), names);
  assert.equal((await compute.listVms("test")).length, 7);
});

test("without a token, and without a permission, nothing is answered", async () => {
  const response = await fetch(`${emulator.url}/compute/v1/projects/${emulator.project}/zones`);
  assert.equal(response.status, 401);
  emulator.state.denied.add("tester@example.com compute.instances.create");
  await assert.rejects(create("one"), refused("denied"));
  const project = await library.GoogleProject.open({ project: emulator.project, endpoint: emulator.url });
  assert.deepEqual(await project.permissions(["compute.instances.create", "compute.instances.list"]), ["compute.instances.list"]);
});

test("a VM knows itself by its metadata server, and what it says of itself the API tells", async () => {
  const script = `
md() { curl -s -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/$1"; }
echo "name $(md instance/name)"; echo "color $(md instance/attributes/color)"
curl -s -X PUT -d purple -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/guest-attributes/test/said"
echo "identity $(md 'instance/service-accounts/default/identity?audience=here&format=full')"
echo "denied $(curl -s -o /dev/null -w '%{http_code}' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/name")"
sleep 1000`;
  await create("one", { script, metadata: { color: "green" } });
  assert.equal(await serial("one", /name (\S+)\n/), "one");
  assert.equal(await serial("one", /color (\S+)\n/), "green");
  const identity = await serial("one", /identity (\S+)\n/);
  assert.equal(await serial("one", /denied (\d+)\n/), "403");
  assert.equal(await compute.guestAttribute(ZONE, "one", "test/said"), "purple");
  assert.equal(await compute.guestAttribute(ZONE, "one", "test/unsaid"), null);
  const check = (audience: string): gce.IdentityCheck => new library.IdentityCheck(audience, emulator.url);
  assert.deepEqual(await check("here").vmOf(identity), { project: emulator.project, zone: ZONE, name: "one" });
  assert.equal(await check("elsewhere").vmOf(identity), null);
  assert.equal(await check("here").vmOf(`${identity.slice(0, -8)}AAAAAAAA`), null);
});

test("a VM that is taken back hears of it, is shut down, and is deleted if it is a spot VM", async () => {
  const script = `
trap 'echo told to end; exit 0' TERM
curl -s -H 'Metadata-Flavor: Google' "http://$GCE_METADATA_HOST/computeMetadata/v1/instance/preempted?wait_for_change=true" > said &
echo waiting
wait; wait`;
  await create("spot", { script, isSpot: true });
  await serial("spot", /(waiting)/);
  const { vm } = emulator.find("spot");
  await emulator.preempt("spot");
  await until("its last words are read", () => /told to end/.test(vm.serial));
  assert.deepEqual(emulator.resources, []);
  await create("full", { script: "exec sleep 1000" });
  await emulator.preempt("full");
  assert.equal((await compute.getVm(ZONE, "full")).status, "TERMINATED");
});

test("what ignores the soft off is switched off after the grace, with what has left its group", async () => {
  await reopen({ preemptionMs: 300 });
  await create("one", { script: "trap '' TERM; setsid sleep 1000 & echo child $!; while true; do sleep 1; done" });
  const pid = Number(await serial("one", /child (\d+)\n/));
  await emulator.preempt("one");
  assert.ok(!isRunning(pid));
});

test("nothing is left when the program with the emulator is killed", async () => {
  const program = `
    import { GceEmulator } from ${JSON.stringify(new URL("./emulator.ts", import.meta.url).href)};
    const emulator = await GceEmulator.start({ operationMs: 1, bootMs: 1, environment: ({ directory }) => ({ FOLDER: directory }) });
    Object.assign(process.env, emulator.environment);
    const { GoogleProject } = await import("@burla/protocol/gce");
    const { compute } = await GoogleProject.open({ project: emulator.project, endpoint: emulator.url });
    await compute.insertVm("us-central1-a", { name: "one", machineType: "zones/z/machineTypes/e2-micro", metadata: { items: [{ key: "startup-script", value: "setsid sleep 1000 & echo pid $! $FOLDER; sleep 1000" }] } }, crypto.randomUUID());
    const look = setInterval(() => { const said = /pid (.*)/.exec(emulator.find("one").vm.serial)?.[1]; if (said) console.log(said); }, 20);
  `;
  const cwd = fileURLToPath(new URL("../../../", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const [pid = "", folder = ""] = line.toString().trim().split(/\s/);
  assert.ok(isRunning(Number(pid)) && existsSync(folder));
  child.kill("SIGKILL");
  await until("its process is gone", () => !isRunning(Number(pid)));
  await until("its folder is gone", () => !existsSync(folder));
});

test("the readme names every file", () => {
  const text = readFileSync(new URL("./README.md", import.meta.url), "utf8");
  for (const name of ["emulator", "routes", "instances", "operations", "vm", "metadata-server", "tokens", "faults", "permissions", "bodies"]) assert.ok(text.includes(`\`${name}.ts\``), name);
});
