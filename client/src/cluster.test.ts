import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { BurlaError } from "@burla/protocol";
import { resolveCluster } from "./cluster.ts";

beforeEach(() => {
  for (const name of ["BURLA_CLUSTER", "BURLA_TOKEN", "BURLA_URL", "BURLA_JOB_TOKEN"]) Reflect.deleteProperty(process.env, name);
});

test("a cluster at a URL has its token in BURLA_TOKEN, whether an option or BURLA_CLUSTER names it", () => {
  process.env["BURLA_TOKEN"] = "secret";
  assert.deepEqual(resolveCluster("https://10.0.0.1:8443").address(), { url: "https://10.0.0.1:8443", token: "secret" });
  process.env["BURLA_CLUSTER"] = "http://127.0.0.1:9";
  assert.deepEqual(resolveCluster(undefined).address(), { url: "http://127.0.0.1:9", token: "secret" });
  assert.equal(resolveCluster(undefined).label, "at http://127.0.0.1:9");
  assert.equal(resolveCluster("local").key, "local", "an option goes before the environment");
});

test("without a token a URL is refused with what to do", () => {
  assert.throws(() => resolveCluster("https://10.0.0.1"), (error: Error) => error instanceof BurlaError && error.code === "BURLA_UNAUTHORIZED" && error.cure.includes("BURLA_TOKEN"));
});

test("BURLA_CLUSTER that is neither a name nor a URL is named", () => {
  for (const wrong of ["My Cluster", "ftp://x", "http://user:secret@x"]) {
    process.env["BURLA_CLUSTER"] = wrong;
    assert.throws(() => resolveCluster(undefined), (error: Error) => error instanceof TypeError && error.message.includes("BURLA_CLUSTER must be the name of a cluster"));
  }
});

test("a function on a worker uses the cluster that runs it", () => {
  Object.assign(process.env, { BURLA_URL: "http://127.0.0.1:1", BURLA_JOB_TOKEN: "job", BURLA_CLUSTER: "other" });
  assert.deepEqual(resolveCluster(undefined).address(), { url: "http://127.0.0.1:1", token: "job" });
});
