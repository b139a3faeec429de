/** The Python that tests run: one that is there, with cloudpickle, which is installed when it is missing. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SYSTEM = "/usr/bin/python3";
/** The newest line of versions, beside the one that distributions have. */
const NEW_CLOUDPICKLE = ">=3,<4";

export interface Interpreter {
  readonly command: string;
  /** Of cloudpickle. */
  readonly version: string;
  /** For PYTHONPATH. */
  readonly path: string;
}

/** @returns one interpreter, with the cloudpickle that it has and with the newest. @throws Error that says what is missing. */
export function ensureInterpreters(): readonly [usual: Interpreter, newest: Interpreter] {
  const usual = find() ?? install();
  return [usual, withNewest(usual)];
}

/** The one that most tests use. */
export function ensureInterpreter(): Interpreter {
  return find() ?? install();
}

function find(): Interpreter | undefined {
  for (const command of [process.env["BURLA_TEST_PYTHON"], SYSTEM, "python3"]) {
    if (command === undefined || command === "") continue;
    const version = versionOf(command, "");
    if (version !== undefined) return { command, version, path: "" };
  }
  return undefined;
}

function versionOf(command: string, path: string): string | undefined {
  const code = "import sys, cloudpickle; assert sys.version_info >= (3, 9); print(cloudpickle.__version__)";
  const { status, stdout } = spawnSync(command, ["-c", code], { encoding: "utf8", env: { ...process.env, PYTHONPATH: path } });
  return status === 0 ? stdout.trim() : undefined;
}

/** Debian's package. */
function install(): Interpreter {
  const apt = (...args: string[]) =>
    spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  const packages = ["install", "-y", "--no-install-recommends", "python3", "python3-cloudpickle"];
  if (apt(...packages).status !== 0) {
    apt("update");
    apt(...packages);
  }
  const found = find();
  if (found === undefined) throw new Error("The tests need Python 3.9 or later with cloudpickle: `pip install cloudpickle`, or name such an interpreter in BURLA_TEST_PYTHON.");
  return found;
}

/** In a folder of its own, so that nothing on this machine changes. */
function withNewest(usual: Interpreter): Interpreter {
  const path = join(ROOT, ".cache", "python", "cloudpickle-3");
  if (!existsSync(join(path, "cloudpickle"))) {
    mkdirSync(path, { recursive: true });
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--retries", "1", "--target", path, `cloudpickle${NEW_CLOUDPICKLE}`];
    const done = [usual.command, "python3"].some((command) => spawnSync(command, pip, { stdio: ["ignore", 2, 2] }).status === 0);
    if (!done) throw new Error(`pip could not install cloudpickle${NEW_CLOUDPICKLE}; its own message is above.`);
  }
  const version = versionOf(usual.command, path);
  if (version === undefined) throw new Error(`${usual.command} does not take the cloudpickle in ${path}`);
  return { command: usual.command, version, path };
}

/** The environment of a Python program that finds what the build made of ours. */
export function pythonEnvironment({ path }: Pick<Interpreter, "path">): Record<string, string> {
  const own = join(ROOT, "client", "dist", "python");
  return { PYTHONPATH: [own, path].filter((entry) => entry !== "").join(delimiter), BURLA_CLIENT: join(ROOT, "client", "dist", "cli.js"), PYTHONDONTWRITEBYTECODE: "1" };
}
