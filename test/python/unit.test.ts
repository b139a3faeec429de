/** Tests written in Python, beside its sources, with the cloudpickle that distributions have and with the newest one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureInterpreters, pythonEnvironment } from "../../scripts/python/interpreters.ts";

const FOLDERS = ["protocol/python", "services/worker/python", "kernel-bridge/python"];
const root = fileURLToPath(new URL("../..", import.meta.url));

for (const interpreter of ensureInterpreters()) {
  for (const folder of FOLDERS) {
    test(`${folder} under cloudpickle ${interpreter.version}`, (t) => {
      const args = ["-m", "unittest", "discover", "-s", `${folder}/tests`];
      const { status, stderr } = spawnSync(interpreter.command, args, { cwd: root, encoding: "utf8", env: { ...process.env, ...pythonEnvironment(interpreter) } });
      assert.equal(status, 0, stderr);
      const count = Number(/^Ran (\d+) tests? in/m.exec(stderr)?.[1] ?? 0);
      assert.ok(count > 0, "no test ran");
      assert.doesNotMatch(stderr, /skipped=/);
      t.diagnostic(`${count} tests`);
    });
  }
}
