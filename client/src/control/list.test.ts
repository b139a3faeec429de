import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PROTOCOL_VERSION } from "@burla/protocol";
import { usualGceSpec } from "../gce/usual-spec.ts";
import { listClusters } from "./list.ts";

const home = mkdtempSync(join(tmpdir(), "burla-list-"));
const { BURLA_HOME: homeBefore } = process.env;

before(() => (process.env["BURLA_HOME"] = home));
after(() => {
  if (homeBefore === undefined) Reflect.deleteProperty(process.env, "BURLA_HOME");
  else process.env["BURLA_HOME"] = homeBefore;
  rmSync(home, { recursive: true, force: true });
});

function write(cluster: string, file: string, content: object): void {
  mkdirSync(join(home, "clusters", cluster), { recursive: true });
  writeFileSync(join(home, "clusters", cluster, file), JSON.stringify(content));
}

test("the local cluster is always there; others are when they left an address, or the spec of a start that was interrupted", async () => {
  assert.deepEqual((await listClusters()).map(({ name }) => name), ["local"]);
  const url = "https://127.0.0.2:7443";
  write("trial", "cluster.json", { url, token: "t", nodeToken: "", certificate: null, provider: "gce", pid: 0, version: "1", build: "b", protocolVersion: PROTOCOL_VERSION, startedAt: 1 });
  write("begun", "spec.json", usualGceSpec({ name: "begun" }));
  write("broken", "spec.json", { provider: "gce" });
  write("empty", "notes.json", {});
  assert.deepEqual(await listClusters(), [
    { name: "local", provider: "local", isRunning: false, url: null },
    { name: "begun", provider: "gce", isRunning: false, url: null },
    { name: "trial", provider: "gce", isRunning: true, url },
  ]);
});
