/** Lints the shell scripts with shellcheck, which is installed from Debian's packages where it is missing. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (command, args, options = {}) => spawnSync(command, args, { cwd: root, encoding: "utf8", ...options });

if (run("shellcheck", ["--version"]).status !== 0) {
  const apt = (...args) => run("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  if (apt("install", "-y", "shellcheck").status !== 0) {
    apt("update");
    const second = apt("install", "-y", "shellcheck");
    if (second.status !== 0) {
      console.error(`There is no shellcheck, and apt-get could not install it: install it and run this again.\n${second.stderr ?? second.error?.message ?? ""}`);
      process.exit(1);
    }
  }
}
const files = run("git", ["ls-files", "*.sh"]).stdout.split("\n").filter((file) => file !== "");
if (files.length === 0) {
  console.error("git lists no shell script, although there are some: run this in a clone.");
  process.exit(1);
}
process.exitCode = run("shellcheck", files, { stdio: "inherit" }).status ?? 1;
