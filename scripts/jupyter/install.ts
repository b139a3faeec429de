/** Jupyter for the tests, from Debian's packages: a server, ipykernel with pandas and matplotlib, and a kernel that dies when it is interrupted. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGES = ["jupyter-server", "python3-ipykernel", "python3-cloudpickle", "python3-venv", "python3-pandas", "python3-matplotlib", "xpython"];
const PROGRAMS = ["/usr/bin/jupyter-server", "/usr/bin/xpython"];
const MODULES = ["ensurepip", "ipykernel", "cloudpickle", "pandas", "matplotlib", "PIL"];

/** The interpreter that has them. */
export const PYTHON = "/usr/bin/python3";

/** @throws Error that says what is missing. */
export function ensureJupyter(): void {
  if (isThere()) return;
  console.error(`Installing Jupyter: apt-get install ${PACKAGES.join(" ")} (this is needed once)`);
  const install = ["install", "-y", "--no-install-recommends", ...PACKAGES];
  if (apt(install) !== 0) {
    apt(["update"]);
    apt(install);
  }
  if (!isThere()) throw new Error(`The tests of kernels need ${PACKAGES.join(", ")} of Debian 12 or later; apt-get's own message is above.`);
}

function isThere(): boolean {
  return PROGRAMS.every((program) => existsSync(program)) && spawnSync(PYTHON, ["-c", `import ${MODULES.join(", ")}`]).status === 0;
}

function apt(args: string[]): number | null {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], { stdio: ["ignore", 2, 2], env }).status;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureJupyter();
