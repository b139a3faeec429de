import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { assertIncludes } from "../support/includes.ts";
import { until } from "../support/until.ts";
import { Cloud } from "./cloud.ts";

const CLUSTER = "trial";
let cloud: Cloud;

beforeEach(async () => {
  cloud = await Cloud.start();
});
afterEach(() => cloud.close());

/** A file with a spec of two small nodes, unless it says otherwise. */
function specFile(changes: object = {}): string {
  const path = join(cloud.home, "spec.json");
  const groups = [{ name: "small", count: 1, machineType: "e2-small", zones: ["us-central1-a", "us-central1-b"] }];
  writeFileSync(path, JSON.stringify({ name: CLUSTER, provider: "gce", groups, ...changes }));
  return path;
}

const up = (changes: object = {}, ...more: string[]) => cloud.run("up", "--spec", specFile(changes), ...more);

test("the price is told before anything is made, and nobody is charged who was not asked", async () => {
  const { code, stderr } = await up();
  assert.equal(code, 2);
  assert.match(stderr, /1 × e2-small, us-central1 \(small\)\s+\$0\.\d+/);
  assert.match(stderr, /About \$0\.\d+ per hour, by a list of \d{4}-\d{2}-\d{2} for us-central1/);
  assert.match(stderr, /Agree with --yes/);
  assert.deepEqual(cloud.emulator.resources, []);
});

test("without a spec: how many nodes, where, and who pays", async () => {
  const { stderr } = await cloud.run("up", "larger", "--provider", "gce", "--nodes", "3", "--region", "europe-west4", "--project", "demo-project");
  assert.match(stderr, /The cluster larger in the project demo-project:\n/);
  assert.match(stderr, /3 × e2-standard-4 spot if there is any, europe-west4 \(node\)/);
  assert.match(stderr, /About \$0\.\d+ per hour, \$0\.\d+ if there are no spot VMs/);
  assert.match((await cloud.run("up", "larger", "--provider", "gce", "--region", "mars-north1")).stderr, /mars-north1/);
  for (const [flag, value, why] of [["--nodes", "3", "is what the spec says"], ["--region", "europe-west4", "is what the spec says"]] as const) {
    const { code, stderr } = await up({}, flag, value);
    assert.equal(code, 2);
    assert.ok(stderr.includes(`${flag} ${why}`), stderr);
  }
  assert.deepEqual(cloud.emulator.resources, []);
});

test("a plan has all that would be made, with what is missing, and makes nothing, here neither", async () => {
  interface Plan { isPossible: boolean; problems: { message: string }[]; vms: { role: string; count: number; serviceAccount: string; zones: string[]; pricePerHour: number }[]; firewallRules: { name: string }[]; pricePerHour: number }
  const { code, stdout, stderr } = await up({}, "--plan", "--yes");
  assert.equal(code, 0, stderr);
  const plan = JSON.parse(stdout) as Plan;
  assert.deepEqual(plan.vms.map(({ role, count, serviceAccount }) => [role, count, serviceAccount]), [
    ["main", 1, "burla-main@demo-project.iam.gserviceaccount.com"],
    ["node", 1, "burla-node@demo-project.iam.gserviceaccount.com"],
  ]);
  assert.deepEqual(plan.firewallRules.map(({ name }) => name), ["burla-trial-clients", "burla-trial-nodes"]);
  assert.ok(Math.abs(plan.pricePerHour - plan.vms[0]!.pricePerHour - plan.vms[1]!.pricePerHour) < 1e-9);
  assert.equal(plan.isPossible, true);
  cloud.emulator.state.serviceAccounts.clear();
  const lacking = await up({}, "--plan");
  assert.equal(lacking.code, 3);
  assert.match((JSON.parse(lacking.stdout) as Plan).problems[0]!.message, /no service account burla-main@/);
  assert.equal((JSON.parse(lacking.stdout) as Plan).isPossible, false);
  assert.match((await cloud.run("up", "--plan")).stderr, /--plan is for a cluster on Google Cloud/);
  assert.deepEqual(cloud.emulator.resources, []);
  assert.ok(!existsSync(join(cloud.home, "clusters")));
  assert.ok(cloud.emulator.requests.every(({ method, path }) => method === "GET" || path.endsWith(":testIamPermissions")));
});

test("VMs are in the subnetwork that is named, without external addresses where none are wanted", async () => {
  const gce = { network: "own", subnetwork: "inner", externalAddresses: false };
  const lacking = await up({ gce }, "--yes");
  assert.equal(lacking.code, 3);
  assert.match(lacking.stderr, /there is no subnetwork inner in us-central1/);
  assert.deepEqual(cloud.emulator.resources, []);
  cloud.emulator.state.subnetworks.add("us-central1/inner");
  const { code, stderr } = await up({ gce }, "--yes");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /note: VMs without external addresses reach Google from inner in us-central1 over Cloud NAT alone/);
  const interfaces = cloud.emulator.instances.map(({ resource }) => (resource["networkInterfaces"] as Record<string, unknown>[])[0]);
  assert.equal(interfaces.length, 2, "main and a node");
  for (const given of interfaces) assertIncludes({ has: given!["accessConfigs"] !== undefined, network: given!["network"], subnetwork: given!["subnetwork"] }, { has: false, network: "global/networks/own", subnetwork: "regions/us-central1/subnetworks/inner" });
});

test("all that is missing in the project is told at once, with its cure, and nothing is made", async () => {
  cloud.emulator.state.enabledServices.clear();
  cloud.emulator.state.databases.clear();
  const off = await up({ queue: "firestore" }, "--yes");
  assert.equal(off.code, 3);
  for (const service of ["compute", "iam", "cloudresourcemanager", "firestore"]) assert.ok(off.stderr.includes(`gcloud services enable ${service}.googleapis.com --project demo-project`), off.stderr);
  for (const service of ["iam", "cloudresourcemanager", "firestore"]) cloud.emulator.state.enabledServices.add(`${service}.googleapis.com`);
  assert.match((await up({ queue: "firestore" }, "--yes")).stderr, /you may not look at the databases of demo-project/);
  cloud.emulator.state.serviceAccounts.clear();
  cloud.emulator.state.denied.add("* compute.firewalls.create");
  const { code, stderr } = await up({}, "--yes");
  assert.equal(code, 3);
  for (const text of [/you may not compute\.firewalls\.create in demo-project/, /gcloud services enable compute\.googleapis\.com/, /no service account burla-main@/, /no service account burla-node@/]) assert.match(stderr, text);
  assert.deepEqual(cloud.emulator.resources, []);
});

test("without credentials it says how to sign in", async () => {
  const { code, stderr } = await cloud.command("up", "--spec", specFile(), "--yes").ended();
  assert.equal(code, 0, stderr);
  await cloud.run("down", CLUSTER);
  const without = { ...cloud.emulator.environment, GCE_METADATA_HOST: "", METADATA_SERVER_DETECTION: "none", GOOGLE_APPLICATION_CREDENTIALS: "", HOME: cloud.home };
  const end = await cloud.runWith(without, "up", "--spec", specFile(), "--yes");
  assert.equal(end.code, 3);
  assert.match(end.stderr, /there are no credentials for Google Cloud/);
  assert.match(end.stderr, /gcloud auth application-default login/);
});

test("a quota that is too small is told, and what fits is made; status says what is missing", async () => {
  cloud.emulator.quotas.set("us-central1", "CPUS", 4);
  cloud.emulator.quotas.set("global", "CPUS_ALL_REGIONS", 5);
  const starting = cloud.command("up", "--spec", specFile({ groups: [{ name: "small", count: 2, machineType: "e2-small", zones: ["us-central1-a"] }] }), "--yes");
  await starting.errorText(/the quota CPUS in us-central1 leaves 4 of the 6 processors/);
  await starting.errorText(/the quota CPUS_ALL_REGIONS in all regions leaves 5 of the 6 processors/);
  const status = await until("the quota is a trouble", async () => {
    const found = await cloud.status(CLUSTER).catch(() => null);
    return found !== null && found.troubles.length > 0 ? found : null;
  });
  assert.deepEqual(status.troubles, ["the quota of 4 CPUS in us-central1 is reached"]);
  starting.kill("SIGINT");
  await starting.ended();
});

test("Ctrl-C while it is made removes what was made", async () => {
  const starting = cloud.command("up", "--spec", specFile(), "--yes");
  await starting.errorText(/sends the programs/);
  starting.kill("SIGINT");
  const { code, stderr } = await starting.ended();
  assert.equal(code, 130);
  assert.match(stderr, /removed .*burla-trial-main/);
  assert.deepEqual(cloud.emulator.resources, []);
});

test("an up that was killed is simply repeated", async () => {
  const first = cloud.command("up", "--spec", specFile(), "--yes");
  await first.errorText(/sends the programs/);
  first.kill("SIGKILL");
  await first.ended();
  const { code, stdout } = await up({}, "--yes", "--json");
  assert.equal(code, 0);
  assertIncludes(JSON.parse(stdout) as object, { running: true, cluster: CLUSTER });
  assert.equal(cloud.emulator.instances.length, 2, "one main and one node");
  const again = await up({}, "--yes");
  assert.match(again.stdout, /runs already/);
  assert.equal(cloud.emulator.instances.length, 2);
});

test("a main that is off is started, wherever it is then; one that goes off meanwhile is not waited for, and its last words are told", async () => {
  assert.equal((await up({}, "--yes")).code, 0);
  const main = cloud.emulator.find("burla-trial-main");
  await cloud.emulator.switchOff("burla-trial-main");
  assert.equal(main.resource.status, "TERMINATED");
  // As after a start: nobody is at the old address.
  const path = join(cloud.home, "clusters", CLUSTER, "cluster.json");
  const before = JSON.parse(readFileSync(path, "utf8")) as { url: string };
  writeFileSync(path, JSON.stringify({ ...before, url: before.url.replace(/\/\/[\d.]+/, "//127.0.0.9") }));
  const again = await up({}, "--yes", "--json");
  assert.equal(again.code, 0, again.stderr);
  assert.equal(main.resource.status, "RUNNING");
  assert.equal((JSON.parse(cloud.connection(CLUSTER)) as { url: string }).url, before.url);
  assert.equal(cloud.emulator.instances.filter(({ resource }) => resource.labels?.["burla-role"] === "main").length, 1);

  await cloud.run("down", CLUSTER);
  const starting = cloud.command("up", "--spec", specFile(), "--yes");
  const said = await until("it has said something", () => cloud.emulator.instances.find(({ resource }) => resource.name === "burla-trial-main")?.vm.serial.split("\n")[0]);
  await cloud.emulator.switchOff("burla-trial-main");
  const { code, stderr } = await starting.ended();
  assert.notEqual(code, 0);
  assert.ok(stderr.split("burla-trial-main is off. It said last:\n")[1]?.includes(said), stderr);
});

test("the connection is a file for its owner alone; no secret is in what others may read", async () => {
  assert.equal((await up({}, "--yes")).code, 0);
  const path = join(cloud.home, "clusters", CLUSTER, "cluster.json");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const { token, certificate } = JSON.parse(readFileSync(path, "utf8")) as { token: string; certificate: string };
  assert.match(certificate, /^-----BEGIN CERTIFICATE-----/);
  for (const { resource, vm } of cloud.emulator.instances) {
    const told = JSON.stringify(resource) + vm.serial;
    assert.ok(!told.includes(token), `${resource.name} tells the token`);
    assert.ok(!/PRIVATE KEY/.test(told), `${resource.name} tells a key`);
  }
});

test("down removes everything, also from another computer and when main is dead, and twice", async () => {
  assert.equal((await up({}, "--yes")).code, 0);
  cloud.emulator.faults.refuse("us-central1-a");
  await cloud.emulator.find("burla-trial-main").vm.kill();
  const other = await cloud.runWith({ ...cloud.emulator.environment, BURLA_HOME: join(cloud.home, "other") }, "down", CLUSTER, "--json");
  assert.equal(other.code, 0, other.stderr);
  assertIncludes(JSON.parse(other.stdout) as object, { down: true, left: [] });
  assert.deepEqual(cloud.emulator.resources, []);
  const twice = await cloud.run("down", CLUSTER);
  assert.match(twice.stdout, /There is nothing of the cluster trial/);
});
