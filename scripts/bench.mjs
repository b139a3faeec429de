#!/usr/bin/env node
/** `npm run bench`: installs and builds what is missing, then runs the suite. Needs nothing but Node. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: "inherit" }).status === 0;
}

const installed = ["tsx", "piscina", "workerpool", "bullmq", "cli-table3"].every((name) =>
  existsSync(join(root, "node_modules", name)),
);
if (!installed && !run("npm", ["ci"]) && !run("npm", ["install", "--no-save"])) process.exit(1);

if (existsSync(join(root, "scripts/build.mjs")) && !run("npm", ["run", "--silent", "build"])) process.exit(1);

process.exit(run(process.execPath, ["--import", "tsx", "bench/run.ts", ...process.argv.slice(2)]) ? 0 : 1);
