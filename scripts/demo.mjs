/**
 * The main job on real input, from nothing: installs, builds, runs examples/flights.ts on the local cluster.
 *
 *     npm run demo              the cluster stays warm for ten idle minutes
 *     npm run demo -- --down    the cluster is stopped at the end
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { ensureInstalled, nodeEnvironment } from "./setup.mjs";

const root = new URL("../", import.meta.url);
const { values: options } = parseArgs({ options: { down: { type: "boolean", default: false } } });

ensureInstalled();
// Declarations take most of a build, and running needs none.
await runOrExit("scripts/build.mjs", "--no-types");
const exitCode = await run("--import", "tsx", "examples/flights.ts");
if (options.down) await runOrExit("client/dist/cli.js", "down");
process.exitCode = exitCode;

/** A program that fails has told why itself: we end with its exit code. */
async function runOrExit(...args) {
  const exitCode = await run(...args);
  if (exitCode !== 0) process.exit(exitCode);
}

/** Runs a Node program in the project's folder and waits for its exit code. */
async function run(...args) {
  const child = spawn(process.execPath, args, { cwd: root, env: nodeEnvironment(), stdio: "inherit" });
  // The child gets Ctrl+C too: it cancels its job and ends, and only then do we.
  const waitForChild = () => undefined;
  process.on("SIGINT", waitForChild);
  const [code, signal] = await once(child, "exit");
  process.off("SIGINT", waitForChild);
  return code ?? 128 + constants.signals[signal];
}
