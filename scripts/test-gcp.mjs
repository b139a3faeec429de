/**
 * The scenario of `npm run scenario -- gce` in a real project of Google Cloud, which costs some cents: makes seven small
 * VMs for some minutes. Needs application default credentials and GOOGLE_CLOUD_PROJECT; docs/gcp.md has the set-up.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ensureInstalled, nodeEnvironment } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
if ((process.env.GOOGLE_CLOUD_PROJECT ?? "") === "") {
  console.error("Name the project that may be used: GOOGLE_CLOUD_PROJECT=my-project npm run test:gcp\nIt must be set up as docs/gcp.md says, and VMs in it cost money.");
  process.exit(2);
}
ensureInstalled();
const node = (...args) => spawnSync(process.execPath, args, { cwd: root, env: nodeEnvironment(), stdio: "inherit" }).status ?? 1;
process.exitCode = node("scripts/build.mjs", "--no-types") || node("--import", "tsx", "test/gce/run-scenario.ts", "--real", ...process.argv.slice(2));
