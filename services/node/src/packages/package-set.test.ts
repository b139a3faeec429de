import assert from "node:assert/strict";
import { test } from "node:test";
import type { Environment } from "./environment.ts";
import { readProbe } from "./environment.ts";
import { InstallProgress, npmFetch, pipInstall, reasonIn } from "./installers.ts";
import { describeSet, hashOfSet, missingIn, npmManifest } from "./package-set.ts";

const ENVIRONMENT: Environment = { version: "3.11.7", arch: "x64", libc: "glibc", glibc: "2.36", packages: { numpy: "2.0.0" } };
const wanted = (...pins: string[]) => pins.map((pin) => ({ name: pin.split("@")[0] ?? "", version: pin.split("@")[1] ?? "", directory: "", needs: [] as string[] }));
const hash = (packages: ReturnType<typeof wanted>, environmentId = "i") => hashOfSet({ runtime: "node", packages, environment: ENVIRONMENT, environmentId });

test("the same packages have the same folder in any order; another version, need or environment has another", () => {
  const both = hash(wanted("a@1", "b@2"));
  assert.equal(both, hash(wanted("b@2", "a@1")));
  assert.notEqual(both, hash(wanted("a@1", "b@3")));
  assert.notEqual(both, hash(wanted("a@1", "b@2"), "other image"));
  assert.notEqual(both, hash(wanted("a@1", "b@2").map((each) => ({ ...each, needs: ["c@1"] }))));
});

test("what the environment has in just this version is not installed; Python's names have many spellings", () => {
  const names = (runtime: "node" | "python", ...pins: string[]) => missingIn({ ...ENVIRONMENT, packages: { numpy: "2.0.0", "typing-extensions": "4.1" } }, runtime, wanted(...pins)).map(({ name }) => name);
  assert.deepEqual(names("python", "NumPy@2.0.0", "Typing_Extensions@4.1", "pandas@2.2"), ["pandas"]);
  assert.deepEqual(names("node", "numpy@2.0.1"), ["numpy"]);
});

test("npm is told exact versions, also of what packages need, unless there are two of one", () => {
  const needs = ["helper@2.1.0", "@scope/deep@1.0.0", "twice@1.0.0", "twice@2.0.0", "a@1.0.0"];
  assert.deepEqual(npmManifest([{ name: "a", version: "1.0.0", needs }]), {
    private: true, dependencies: { a: "1.0.0" }, overrides: { helper: "2.1.0", "@scope/deep": "1.0.0" },
  });
});

test("packages for another system are asked for by its name, and nothing of them is run here", () => {
  const npm = npmFetch("node", "/npm", { ...ENVIRONMENT, arch: "arm64", libc: "musl" }).join(" ");
  assert.match(npm, /--ignore-scripts .*--os=linux --cpu=arm64 --libc=musl/);
  const pip = pipInstall("python3", ["numpy==2.0.0"], "/t", ENVIRONMENT).join(" ");
  assert.match(pip, /--only-binary=:all: --python-version=3\.11 .*--abi=cp311 .*--platform=manylinux_2_36_x86_64 .*--platform=manylinux2014_x86_64 .*numpy==2\.0\.0$/);
  assert.doesNotMatch(pipInstall("python3", ["numpy==2.0.0"], "/t", null).join(" "), /platform|only-binary/);
});

test("what npm and pip print becomes what people read", () => {
  const progress = new InstallProgress();
  const told = ["npm http fetch GET 200 https://example.test/a 55ms", "npm http fetch GET 200 https://example.test/b 5ms", "noise", "Collecting numpy==2.0.0 (from x)", "  Downloading numpy-2.0.0-cp311.whl (18 MB)", "Installing collected packages: numpy"];
  assert.deepEqual(told.map((line) => progress.take(line)), ["1 file fetched", "2 files fetched", null, "fetches numpy==2.0.0", "fetches numpy-2.0.0-cp311.whl (18 MB)", "unpacks what was fetched"]);
  assert.equal(reasonIn("npm http fetch GET 404 x\nnpm error code E404\nnpm error 404 Not Found\nnpm error A complete log of this run can be found in: /x"), "code E404\n404 Not Found");
  assert.equal(describeSet(wanted("a@1", "b@2", "c@3", "d@4")), "a@1, b@2, c@3 and 1 more");
});

test("a program that does not say what it is, is shown with its last words", () => {
  assert.throws(() => readProbe("sh: python3: not found"), /sh: python3: not found/);
  assert.throws(() => readProbe("burla-environment {}"));
});
