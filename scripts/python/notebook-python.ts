/** The Python that the tests' notebooks run on: the system's, with what a notebook needs. Debian's packages when something is missing. */
import { spawnSync } from "node:child_process";

export const NOTEBOOK_PYTHON = "/usr/bin/python3";
const PACKAGES = ["ipykernel", "cloudpickle", "pandas"];

/** Does nothing when they are there. @throws Error that says what mends it. */
export function ensureNotebookPython(): void {
  if (lacks().length === 0) return;
  console.error(`Installing Python's ${lacks().join(", ")}: apt-get install (this is needed once)`);
  const packages = ["install", "-y", "--no-install-recommends", "python3", ...PACKAGES.map((name) => `python3-${name}`)];
  if (!apt(...packages)) {
    apt("update");
    apt(...packages);
  }
  if (lacks().length > 0) throw new Error(`The tests of notebooks need ${NOTEBOOK_PYTHON} with ${PACKAGES.join(", ")}, and installing them needs root.\nOn Debian and Ubuntu: apt-get install ${packages.slice(3).join(" ")}`);
}

function lacks(): string[] {
  const code = `import importlib.util as u; print(' '.join(p for p in ${JSON.stringify(PACKAGES)} if u.find_spec(p) is None))`;
  const { status, stdout } = spawnSync(NOTEBOOK_PYTHON, ["-c", code], { encoding: "utf8" });
  return status === 0 ? stdout.trim().split(" ").filter((name) => name !== "") : PACKAGES;
}

/** Another program may be installing something. */
function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args], { stdio: ["ignore", "ignore", 2], env }).status === 0;
}
