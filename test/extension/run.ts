/**
 * Runs the tests of this folder in the extension host of a real VS Code, and leaves their counts for scripts/test.mjs:
 * `node --import tsx test/extension/run.ts REPORT FILE...`
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runTests } from "@vscode/test-electron";
import { build } from "esbuild";
import { ensureJupyter } from "../../scripts/jupyter/install.ts";
import { chooseEditor } from "../../scripts/vscode/choose.ts";
import { countsOf, reportOf } from "../../scripts/vscode/counts.ts";
import { root } from "../../scripts/vscode/paths.ts";
import { profileIn } from "../../scripts/vscode/server.ts";
import { quietSettings } from "../../scripts/vscode/settings.ts";
import { processesWith } from "../support/processes.ts";

const built = join(root, ".cache", "extension-tests");
const entry = "test/extension/support/index.ts";

const [report = "", ...files] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "burla-extension-"));
const results = join(folder, "results");
try {
  const succeeded = await runInEditor().catch((error: Error) => {
    console.error(error.message);
    return false;
  });
  const counts = countsOf(await readFile(results, "utf8").catch(() => ""), succeeded);
  await writeFile(report, reportOf({ ...counts, failed: counts.failed + endLeftovers() }));
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** @returns whether VS Code ended with success. */
async function runInEditor(): Promise<boolean> {
  const editor = await chooseEditor();
  ensureJupyter();
  await bundleTests();
  const { workspace, profileArguments } = await prepareFolder();
  console.log(`In ${editor.name}`);
  await runTests({
    vscodeExecutablePath: editor.executable,
    extensionDevelopmentPath: [root, join(root, "test", "extension", "jupyter")],
    extensionTestsPath: join(built, "index.cjs"),
    extensionTestsEnv: {
      BURLA_HOME: join(folder, "state"),
      BURLA_TEST_RESULTS: results,
      BURLA_TEST_FILES: JSON.stringify(files.map((file) => join(built, basename(file).replace(/\.ts$/, ".cjs")))),
      BURLA_ARTEFACTS: join(root, "test", "artefacts"),
    },
    launchArgs: [workspace, "--disable-extensions", ...profileArguments],
  });
  return true;
}

async function bundleTests(): Promise<void> {
  await rm(built, { recursive: true, force: true });
  const common = { absWorkingDir: root, outExtension: { ".js": ".cjs" }, bundle: true, platform: "node", format: "cjs", target: "node20.19", sourcemap: "inline", logLevel: "warning" } as const;
  await build({ ...common, entryPoints: [entry, ...files], entryNames: "[name]", outdir: built, packages: "external" });
  await build({
    ...common,
    entryPoints: ["test/extension/jupyter/extension.ts"],
    outdir: "test/extension/jupyter/dist",
    external: ["vscode", "zeromq", "burla"],
    define: { "import.meta.url": "moduleUrl" },
    banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  });
}

/** A fresh profile, and a copy of the workspace: tests write to it. */
async function prepareFolder(): Promise<{ workspace: string; profileArguments: string[] }> {
  const workspace = join(folder, "workspace");
  const { userDataFolder, extensionsFolder } = profileIn(folder);
  await cp(join(root, "test", "extension", "workspace"), workspace, { recursive: true });
  await mkdir(join(userDataFolder, "User"), { recursive: true });
  await writeFile(join(userDataFolder, "User", "settings.json"), JSON.stringify(quietSettings, null, 2));
  return { workspace, profileArguments: [`--user-data-dir=${userDataFolder}`, `--extensions-dir=${extensionsFolder}`] };
}

/** Tests stop the clusters that they start. @returns 1 when they did not. */
function endLeftovers(): number {
  const left = processesWith(folder);
  if (left.length === 0) return 0;
  console.error(`Processes that the tests left: ${left.map(({ pid, command }) => `${pid} ${command}`).join("; ")}`);
  for (const { pid } of left) process.kill(pid, "SIGKILL");
  return 1;
}
