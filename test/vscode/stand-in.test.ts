/** The stand-in for the desktop's executable tells a run that passed from every way in which one can end. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root, standInExecutable } from "../../scripts/vscode/paths.ts";
import { processesWith } from "../support/processes.ts";

const ENDINGS = [
  { name: "passes", body: "", code: 0, says: /the tests ran/ },
  { name: "fails", body: "throw new Error('one test failed');", code: 1, says: /one test failed/ },
  { name: "crashes the extension host", body: "process.abort();", code: 1, says: /ended before the tests did/ },
  { name: "ends the extension host", body: "process.exit(0);", code: 1, says: /ended before the tests did/ },
  { name: "hangs", body: "await new Promise(() => undefined);", code: 124, says: /no result in 15 s/, timeoutS: 15 },
];

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "burla-stand-in-"));
});
after(() => rm(folder, { recursive: true, force: true }));

for (const { name, body, code, says, timeoutS = 120 } of ENDINGS) {
  test(`a run that ${name} ends with ${code}`, async () => {
    const tests = join(folder, `${name.replaceAll(" ", "-")}.cjs`);
    await writeFile(tests, `exports.run = async () => { console.log("the tests ran"); ${body} };`);
    const ending = await runStandIn([`--extensionTestsPath=${tests}`, folder], { VSCODE_TIMEOUT_S: String(timeoutS) });
    assert.equal(ending.code, code, ending.output);
    assert.match(ending.output, says);
    assert.deepEqual(processesWith(tests), []);
  });
}

test("a module of tests that is not there is said to be missing", async () => {
  const ending = await runStandIn(["--extensionTestsPath=/nowhere/tests.cjs"], {});
  assert.equal(ending.code, 1);
  assert.match(ending.output, /nothing at --extensionTestsPath \/nowhere/);
});

async function runStandIn(args: string[], environment: Record<string, string>): Promise<{ code: number; output: string }> {
  const child = spawn(standInExecutable, [`--extensionDevelopmentPath=${root}`, ...args], { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}
