/** Builds, and writes the extension's package: `npm run package -- [--target linux-arm64] [--out FOLDER]`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
ensureInstalled();
for (const program of [["scripts/build.mjs"], ["--import", "tsx", "scripts/vsix/main.ts", ...process.argv.slice(2)]]) {
  const { status } = spawnSync(process.execPath, program, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
