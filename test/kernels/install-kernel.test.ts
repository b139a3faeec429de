/** A Python that lacks what runs notebooks gets it, by a real pip in a real environment. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { probePython, pythonLabel } from "../../extension/src/notebooks/find-pythons.ts";
import { createEnvironment, installKernel, InstallError, KERNEL_PACKAGES } from "../../extension/src/notebooks/install-kernel.ts";
import { PYTHON } from "../../scripts/jupyter/install.ts";

const folder = mkdtempSync(join(tmpdir(), "burla-install-"));
const wheels = join(folder, "wheels");
const lines: string[] = [];
const onLine = (line: string) => lines.push(line);
const signal = new AbortController().signal;
let python = "";

/** Packages of these names with nothing in them: where pip gets packages from is the user's matter. */
const WHEEL = `
import sys, zipfile
folder, *names = sys.argv[1:]
for name in names:
    with zipfile.ZipFile(f"{folder}/{name}-99.0-py3-none-any.whl", "w") as wheel:
        info = f"{name}-99.0.dist-info"
        wheel.writestr(f"{name}/__init__.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 99.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
`;

before(() => {
  mkdirSync(wheels);
  assert.equal(spawnSync(PYTHON, ["-c", WHEEL, wheels, ...KERNEL_PACKAGES]).status, 0);
  Object.assign(process.env, { PIP_NO_INDEX: "1", PIP_FIND_LINKS: wheels });
});

after(() => {
  rmSync(folder, { recursive: true });
});

test("an environment of the folder is made, and lacks what runs notebooks", async () => {
  python = await createEnvironment(folder, { python: PYTHON, signal, onLine });
  const found = await probePython(python);
  assert.match(found?.problem ?? "", /lacks ipykernel and cloudpickle: .*\.venv.* -m pip install ipykernel cloudpickle/);
  assert.match(pythonLabel(found ?? { path: "", version: "" }), /^Python 3\.\d+\.\d+ · \.venv$/);
});

test("what cannot be had is said in the installer's own words", async () => {
  process.env["PIP_FIND_LINKS"] = folder;
  await assert.rejects(installKernel({ python, signal, onLine }), (error) => error instanceof InstallError && !error.isManaged && /No matching distribution found for ipykernel/.test(error.message));
  process.env["PIP_FIND_LINKS"] = wheels;
});

test("an installation can be cancelled", async () => {
  const abort = new AbortController();
  const installing = installKernel({ python, signal: abort.signal, onLine });
  abort.abort(new Error("not wanted any more"));
  await assert.rejects(installing, /not wanted any more/);
});

test("installed, it runs notebooks", async () => {
  await installKernel({ python, signal, onLine });
  assert.equal((await probePython(python))?.problem, null);
  assert.ok(lines.some((line) => /Successfully installed/.test(line)), lines.join("\n"));
});

test("into the system's own Python nothing is installed: an environment is the way", async () => {
  await assert.rejects(installKernel({ python: PYTHON, signal, onLine }), (error) => error instanceof InstallError && error.isManaged);
});
