/** Python packages where workers are processes: from a wheel that this file makes, by the machine's own pip. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ProcessRuntime } from "../containers/process.ts";
import { Packages, type PackageNeeds } from "./job-packages.ts";

const MAKE_WHEEL = `
import sys, zipfile
name = "burla_test_wheel"
with zipfile.ZipFile(f"{sys.argv[1]}/{name}-1.0.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{name}.py", "def say(): return 'from a wheel'\\n")
    info = f"{name}-1.0.0.dist-info"
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0.0\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", f"{name}.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
`;

const directory = mkdtempSync(join(tmpdir(), "burla-job-packages-"));
let packages: Packages;
before(async () => {
  mkdirSync(join(directory, "wheels"));
  execFileSync("python3", ["-c", MAKE_WHEEL, join(directory, "wheels")]);
  Object.assign(process.env, { PIP_NO_INDEX: "1", PIP_FIND_LINKS: join(directory, "wheels") });
  const runtime = new ProcessRuntime({ workerProgram: "", pythonWorkerProgram: "", python: "python3", directory: join(directory, "workers") });
  packages = new Packages({ runtime, directory: join(directory, "packages"), clientPackage: join(directory, "client"), python: "python3", seesDisk: true });
  await packages.prepare();
});
after(() => rmSync(directory, { recursive: true, force: true }));

const provide = (version: string, told: string[] = []) => {
  const needs: PackageNeeds = { runtime: "python", image: null, python: null, externals: [{ name: "burla-test-wheel", version, directory: "", needs: [] }] };
  return packages.provide(needs, { signal: new AbortController().signal, onProgress: (text) => void told.push(text) });
};

test("a Python package is installed into a folder that Python finds it in", async () => {
  const told: string[] = [];
  const { path } = await provide("1.0.0", told);
  assert.ok(path !== null && existsSync(join(path, "burla_test_wheel.py")));
  const said = execFileSync("python3", ["-c", "import burla_test_wheel; print(burla_test_wheel.say())"], { encoding: "utf8", env: { ...process.env, PYTHONPATH: path } });
  assert.equal(said, "from a wheel\n");
  assert.ok(told.some((text) => text.startsWith("installs burla-test-wheel@1.0.0")));
  assert.equal((await provide("1.0.0")).path, path);
});

test("a version that is not there fails with what pip said, and leaves nothing", async () => {
  const before = readdirSync(join(directory, "packages"));
  await assert.rejects(provide("9.9.9"), (error: Error & { code?: string }) => error.code === "BURLA_PACKAGES" && /pip could not install burla-test-wheel@9\.9\.9:.*No matching distribution/s.test(error.message));
  assert.deepEqual(readdirSync(join(directory, "packages")), before);
});

test("packages of JavaScript are taken from the user's own folders where those are", async () => {
  const externals = [{ name: "burla-test-js", version: "1.0.0", directory, needs: [] }];
  const { links } = await packages.provide({ runtime: "node", image: null, python: null, externals }, { signal: new AbortController().signal, onProgress: assert.fail });
  assert.deepEqual(links.map((link) => [link.name, link.directory]), [["burla-test-js", directory], ["burla", join(directory, "client")]]);
});
