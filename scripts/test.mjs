/**
 * Installs what is needed, builds, and runs every test. `--fast` runs the unit tests alone; names of suites, or parts of
 * file names, run those alone: `npm test -- faults`, `npm test -- frame`.
 *
 * Suites of real processes share a noisy machine. A file of theirs that fails runs once more, by itself, and is named at
 * the end if it passes then: something to look into, not something to hide.
 */
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** In the order in which they run: fast ones first. Real processes on two cores leave no room for more than two at once. */
const SUITES = [
  { name: "unit", folders: ["protocol/src", "queue/src", "client/src", "services/main/src", "services/node/src", "services/worker/src", "kernel-bridge/src", "extension/src", "scripts", "bench"], concurrency: 2 },
  { name: "contract", folders: ["test/contract"], concurrency: 1, prepare: prepareFirestore },
  { name: "wire", folders: ["test/wire"], concurrency: 2 },
  { name: "sim", folders: ["test/sim"], concurrency: 2 },
  { name: "capture", folders: ["test/capture"], concurrency: 2 },
  { name: "docs", folders: ["test/docs"], concurrency: 1 },
  { name: "cli", folders: ["test/cli"], concurrency: 1 },
  { name: "runner", folders: ["test/runner"], concurrency: 1 },
  { name: "e2e", folders: ["test/e2e"], concurrency: 1 },
  { name: "python", folders: ["test/python"], concurrency: 1 },
  { name: "faults", folders: ["test/faults"], concurrency: 2, longest: "test/faults/stalls.test.ts" },
  { name: "kernels", folders: ["test/kernels"], concurrency: 1, prepare: prepareKernels },
  { name: "emulators", folders: ["test/emulators"], concurrency: 1 },
  { name: "gce", folders: ["test/gce"], concurrency: 2, prepare: prepareFirestore },
  { name: "firestore", folders: ["test/firestore"], concurrency: 2, prepare: prepareFirestore },
  { name: "docker", folders: ["test/docker"], concurrency: 1, around: withEngine },
  { name: "package", folders: ["test/package"], concurrency: 1 },
  { name: "extension", folders: ["test/extension"], program: "test/extension/run.ts" },
  { name: "vsix", folders: ["test/vsix", "test/vscode"], concurrency: 1, prepare: prepareVsix },
  { name: "browser", folders: ["test/browser"], concurrency: 1, prepare: prepareVsix },
];

/** What fails in one of these is no matter of timing. */
const WITHOUT_PROCESSES = ["unit", "contract", "wire", "sim", "capture", "docs"];
/** More files than this that fail are no noise. */
const MAX_UNSTEADY_FILES = 3;

/** No file takes a third of this: one that does hangs, and fails. What hangs in it, its watchdog has said before. */
const HUNG_MS = 15 * 60_000;
const WATCHDOG = new URL("../test/support/watchdog.ts", import.meta.url).href;

const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const onlyFast = process.argv.includes("--fast");

await ensureInstalled();
await run(process.execPath, ["scripts/build.mjs"]);

const totals = { passed: 0, failed: 0, skipped: 0 };
/** Files that failed at first, and passed by themselves. */
const unsteady = [];
for (const suite of SUITES) {
  if (onlyFast && suite.name !== "unit") continue;
  const files = await testFiles(suite);
  if (files.length === 0) continue;
  if (suite.around === undefined) await runSuite(suite, files);
  else await suite.around(() => runSuite(suite, files));
}
const { passed, failed, skipped } = totals;
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
for (const file of unsteady) console.log(`Unsteady: ${file} failed at first, and passed by itself.`);
if (passed === 0) console.error("No test ran.");
if (skipped > 0) console.error("A skipped test counts as a failure.");
process.exitCode = failed > 0 || skipped > 0 || passed === 0 ? 1 : 0;

/** With a Docker Engine, which is installed and started when there is none; afterwards all is as it was. */
async function withEngine(body) {
  const { ensureEngine, EngineError, stopEngine } = await import("./docker/engine.mjs");
  let started = false;
  try {
    started = await ensureEngine();
    await body();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    console.error(error.message);
    totals.failed++;
  } finally {
    if (started) await stopEngine();
  }
}

async function testFiles({ name, folders, longest }) {
  const found = (await Promise.all(folders.map((folder) => walk(join(root, folder))))).flat().sort();
  const files = longestFirst(found.map((file) => relative(root, file)), longest);
  if (wanted.length === 0 || wanted.includes(name)) return files;
  return files.filter((file) => wanted.some((word) => file.includes(word)));
}

/** What takes longest begins first, so that it is not what all others have ended and waited for. */
function longestFirst(files, longest) {
  return longest === undefined ? files : [longest, ...files.filter((file) => file !== longest)];
}

async function walk(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !/node_modules|[\\/]cases[\\/]|[\\/]dist[\\/]/.test(file));
}

async function runSuite(suite, files) {
  const startedMs = performance.now();
  console.log(`\n— ${suite.name}: ${files.length} files`);
  await mkdir(join(root, ".cache"), { recursive: true });
  try {
    await suite.prepare?.();
  } catch (error) {
    console.error(error.message);
    totals.failed += 1;
    return;
  }
  const first = await attempt(suite, files);
  const counts = first.failed > 0 && mayBeNoise(suite, first) ? await attemptAgain(suite, first) : first;
  for (const what of Object.keys(totals)) totals[what] += counts[what];
  console.log(`— ${suite.name}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
}

function mayBeNoise(suite, first) {
  const count = unsteadyNames(suite, first).length;
  return !WITHOUT_PROCESSES.includes(suite.name) && first.skipped === 0 && count > 0 && unsteady.length + count <= MAX_UNSTEADY_FILES;
}

/** A program runs all of its files in one process. */
function unsteadyNames({ program }, { failedFiles }) {
  return program === undefined ? failedFiles : [program];
}

async function attemptAgain(suite, first) {
  const names = unsteadyNames(suite, first);
  console.log(`\n— ${suite.name}: once more, ${names.join(", ")}`);
  const second = await attempt({ ...suite, concurrency: 1 }, first.failedFiles);
  if (second.failed > 0) return first;
  unsteady.push(...names);
  return { ...first, passed: first.passed + first.failed, failed: 0, skipped: second.skipped };
}

/** Runs the files, and counts. */
async function attempt({ name, concurrency, program }, files) {
  const report = join(root, ".cache", `${name}.tap`);
  const passedList = join(root, ".cache", `${name}.passed`);
  await Promise.all([rm(report, { force: true }), rm(passedList, { force: true })]);
  const args = program === undefined ? nodeTest(concurrency, report) : [program, report];
  const code = await run(process.execPath, ["--import", "tsx", ...args, ...files], { allowFailure: true, env: { BURLA_TEST_PASSED_LIST: passedList } });
  const tap = await readFile(report, "utf8").catch(() => "");
  const count = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(tap)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled") || (code === 0 && tap !== "" ? 0 : 1);
  const passedFiles = (await readFile(passedList, "utf8").catch(() => "")).split("\n").map((file) => relative(root, file));
  return { passed: count("pass"), failed, skipped: count("skipped") + count("todo"), failedFiles: files.filter((file) => !passedFiles.includes(file)) };
}

function nodeTest(concurrency, report) {
  return [
    "--import", WATCHDOG, "--test", `--test-concurrency=${concurrency}`, `--test-timeout=${HUNG_MS}`,
    "--test-reporter=spec", "--test-reporter-destination=stdout",
    "--test-reporter=tap", `--test-reporter-destination=${report}`,
  ];
}

/** The package as it would be published, and the VS Code that it is installed into. */
async function prepareVsix() {
  await run(process.execPath, ["--import", "tsx", "scripts/vscode/install.ts"]);
  await run(process.execPath, ["--import", "tsx", "scripts/vsix/main.ts", "--out", ".cache/vsix"]);
}

/** Google's emulator of Firestore, and a Java for it. */
async function prepareFirestore() {
  const { ensureInstalled } = await import("./firestore/emulator.mjs");
  ensureInstalled();
}

/** A Jupyter server and kernels. */
function prepareKernels() {
  return run(process.execPath, ["--import", "tsx", "scripts/jupyter/install.ts"]);
}

function run(command, args, { allowFailure = false, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0 || allowFailure) resolve(code);
      else reject(new Error(`${[command, ...args].join(" ")} ended with ${code}`));
    });
  });
}
