/** The roles of `docs/gcp` have what the product asks Google for, and no more: one that is taken out of a file is missed, one that is added is not asked for. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, afterEach, beforeEach, test } from "node:test";
import { instanceResource, type GceError } from "@burla/protocol";
import * as library from "@burla/protocol/gce";
import { GceEmulator } from "./emulator.ts";

const ZONE = "us-central1-a";
const environmentBefore = { ...process.env };
let emulator: GceEmulator;

beforeEach(async () => {
  emulator = await GceEmulator.start({ operationMs: 1, bootMs: 1, stopGraceMs: 100 });
});
afterEach(() => emulator.close());
after(() => {
  for (const name of Object.keys(process.env)) if (!(name in environmentBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, environmentBefore);
});

const emailOf = (role: string) => (role === "user" ? "tester@example.com" : `burla-${role}@${emulator.project}.iam.gserviceaccount.com`);
const permissionsOf = (role: string) => (JSON.parse(readFileSync(new URL(`../../../docs/gcp/burla-${role}.json`, import.meta.url), "utf8")) as { includedPermissions: string[] }).includedPermissions;

async function projectOf(role: string): Promise<library.GoogleProject> {
  Object.assign(process.env, await emulator.environmentOf(emailOf(role)), { GOOGLE_CLOUD_QUOTA_PROJECT: role === "user" ? emulator.project : "" });
  return library.GoogleProject.open({ project: emulator.project, endpoint: emulator.url });
}

function vm(name: string, role: "main" | "node", bootImage = `projects/${emulator.project}/global/images/own`): object {
  return instanceResource({
    name, cluster: "test", role, group: null, zone: ZONE, machineType: "e2-micro", isSpot: false, gpu: null, diskGiB: 10, diskType: "pd-balanced", bootImage,
    network: "default", subnetwork: null, hasExternalAddress: true, tag: "tag", serviceAccount: emailOf(role), metadata: { "startup-script": "sleep 100", "enable-guest-attributes": "TRUE" },
  });
}

/** Every call that the account's programs make, whatever became of those before. @returns the permissions that were missed. */
async function everything(role: string, project: library.GoogleProject): Promise<string[]> {
  const { compute } = project;
  const rule = { name: "burla-test-nodes", network: "global/networks/default" };
  const calls: Record<string, (() => Promise<unknown>)[]> = {
    user: [
      () => project.isEnabled("compute.googleapis.com"), () => project.hasServiceAccount(emailOf("main")), () => compute.quotas("us-central1"), () => project.globalQuotas(), () => project.subnetwork("us-central1", "inner"),
      () => compute.insertFirewall(rule, randomUUID()), () => compute.insertVm(ZONE, vm("burla-test-main", "main"), randomUUID()), () => compute.getVm(ZONE, "burla-test-main"),
      () => compute.guestAttribute(ZONE, "burla-test-main", "burla/certificate"), () => compute.listVms("test"), () => compute.listFirewalls("test"),
      () => compute.startVm(ZONE, "burla-test-main", randomUUID()), () => compute.serialOutput(ZONE, "burla-test-main"),
      () => compute.deleteVm(ZONE, "burla-test-main", randomUUID()), () => compute.deleteFirewall(rule.name, randomUUID()),
    ],
    main: [
      () => compute.insertVm(ZONE, vm("burla-test-1", "node"), randomUUID()), () => compute.listVms("test"),
      () => compute.deleteVm(ZONE, "burla-test-1", randomUUID()),
    ],
    node: [() => compute.deleteVm(ZONE, "burla-test-1", randomUUID())],
  };
  const missed: string[] = [];
  for (const call of calls[role] ?? []) {
    await call().catch((error: unknown) => {
      const permission = /Required '([^']+)'/.exec((error as Error).message)?.[1];
      if (permission !== undefined) missed.push(permission);
      else if ((error as GceError).kind !== "not-found" && (error as GceError).kind !== "exists") throw error;
    });
  }
  return missed;
}

for (const role of ["user", "main"]) {
  test(`the account of the ${role} may do all that it does, and each permission of its role is needed`, async () => {
    const project = await projectOf(role);
    assert.deepEqual(await everything(role, project), []);
    const asked = [...emulator.state.asked].flatMap((entry) => (entry.startsWith(`${emailOf(role)} `) ? [entry.split(" ")[1] ?? ""] : []));
    assert.deepEqual(asked.sort(), permissionsOf(role));
    emulator.state.denied.add(`${emailOf(role)} compute.instances.setTags`);
    assert.deepEqual(await everything(role, project), ["compute.instances.setTags"]);
  });
}

test("a node removes VMs of clusters, and no other; main and people run VMs as the account that is meant for them", async () => {
  const [user, main, node] = [await projectOf("user"), await projectOf("main"), await projectOf("node")];
  const refused = (what: RegExp) => (error: unknown) => (error as GceError).kind === "denied" && what.test((error as Error).message);
  for (const name of ["burla-test-1", "other"]) await main.compute.insertVm(ZONE, vm(name, "node"), randomUUID());
  // It may remove a VM, and is not told how that ends.
  await assert.rejects(node.compute.deleteVm(ZONE, "burla-test-1", randomUUID()), refused(/zoneOperations\.get/));
  await assert.rejects(node.compute.deleteVm(ZONE, "other", randomUUID()), refused(/compute\.instances\.delete/));
  await assert.rejects(node.compute.listVms("test"), refused(/compute\.instances\.list/));
  await assert.rejects(main.compute.insertVm(ZONE, vm("burla-test-2", "main"), randomUUID()), refused(/service account 'burla-main@/));
  await assert.rejects(user.compute.insertVm(ZONE, vm("burla-test-2", "node"), randomUUID()), refused(/service account 'burla-node@/));
  assert.deepEqual([await user.mayActAs(emailOf("main")), await user.mayActAs(emailOf("node"))], [true, false]);
});

test("requests of a person name the project that pays for them; a list of VMs brings what is read of it", async () => {
  const user = await projectOf("user");
  await everything("user", user);
  await user.permissions(["compute.instances.list"]);
  const unpaid = emulator.requests.filter(({ headers }) => headers["x-goog-user-project"] !== emulator.project);
  assert.deepEqual(unpaid.map(({ path }) => path), []);
  await (await projectOf("main")).compute.insertVm(ZONE, vm("burla-test-1", "node"), randomUUID());
  const [listed] = await user.compute.listVms("test");
  assert.ok(listed !== undefined && listed.internalAddress !== "" && listed.externalAddress !== "" && listed.createdAt > 0 && listed.role === "node");
  const mask = emulator.requests.findLast(({ path }) => path.endsWith("/aggregated/instances"))?.headers["x-goog-fieldmask"];
  assert.ok(typeof mask === "string" && !/metadata|disks/.test(mask), String(mask));
});
