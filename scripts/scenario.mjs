/**
 * Scenarios against what is really there, with their facts as JSON lines on stdout.
 *
 *     npm run scenario -- docker              all scenarios with containers
 *     npm run scenario -- docker memory       those with this word in their name
 *     npm run scenario -- gce                 a cluster's life on the emulators of Compute Engine and Firestore
 *     npm run scenario -- gce stream          the same with the queue in main
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ensureInstalled, nodeEnvironment } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const KINDS = { docker: runDocker, gce: runGce };

const [kind = "", ...words] = process.argv.slice(2);
const run = KINDS[kind];
if (run === undefined) {
  console.error(`usage: npm run scenario -- ${Object.keys(KINDS).join(" | ")} [word...]`);
  process.exit(2);
}
ensureInstalled();
process.exitCode = await run(words);

async function runDocker(names) {
  const { ensureEngine, EngineError, stopEngine } = await import("./docker/engine.mjs");
  try {
    const started = await ensureEngine();
    const status = node("scripts/build.mjs", "--no-types") || node("--import", "tsx", "test/docker/run-scenarios.ts", ...names);
    if (started) await stopEngine();
    return status;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    console.error(error.message);
    return 1;
  }
}

function runGce(queue) {
  return node("scripts/build.mjs", "--no-types") || node("--import", "tsx", "test/gce/run-scenario.ts", ...queue);
}

function node(...args) {
  return spawnSync(process.execPath, args, { cwd: root, env: nodeEnvironment(), stdio: "inherit" }).status ?? 1;
}
