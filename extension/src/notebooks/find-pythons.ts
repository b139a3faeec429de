/** The Pythons of this machine, those of the notebook's folder first. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

const TIMEOUT_MS = 10_000;
const MAX_PARENTS = 8;

export interface FoundPython {
  readonly path: string;
  readonly version: string;
  /** What it lacks, and how it gets it; null when it can run notebooks. */
  readonly problem: string | null;
  /** The packages that it lacks. */
  readonly lacks: readonly string[];
}

/** Prints its version, and which packages it lacks: finding them does not import them. */
const PROBE = "import sys, importlib.util as u; print('%d.%d.%d' % sys.version_info[:3]); print(' '.join(p for p in ('ipykernel', 'cloudpickle') if u.find_spec(p) is None)); print(sys.executable)";

export async function findPythons(folder: string): Promise<FoundPython[]> {
  const found = await Promise.all([...environments(folder), ...onPath()].map(probePython));
  const byPath = new Map<string, FoundPython>();
  for (const python of found) {
    if (python !== null && !byPath.has(python.path)) byPath.set(python.path, python);
  }
  return [...byPath.values()];
}

/** Virtual environments of the folder and of those above it, and the one that is active. */
function environments(folder: string): string[] {
  const roots: string[] = [];
  for (let current = folder; roots.length < MAX_PARENTS; current = dirname(current)) {
    roots.push(current);
    if (dirname(current) === current) break;
  }
  const active = [process.env["VIRTUAL_ENV"], process.env["CONDA_PREFIX"]].filter((path) => path !== undefined);
  const homes = [...roots.flatMap((root) => [join(root, ".venv"), join(root, "venv")]), ...active];
  return homes.map((home) => (process.platform === "win32" ? join(home, "Scripts", "python.exe") : join(home, "bin", "python"))).filter((path) => existsSync(path));
}

/** Debian's own comes last: another `python3` may lie before it without the packages. */
function onPath(): string[] {
  return process.platform === "win32" ? ["python", "py"] : ["python3", "python", "/usr/bin/python3"];
}

/** Such as `Python 3.11.2 · .venv`. */
export function pythonLabel({ path, version }: Pick<FoundPython, "path" | "version">): string {
  const environment = environmentOf(path);
  return [`Python ${version}`, ...(environment === "" ? [] : [environment])].join(" · ");
}

/** The folder of the environment that the interpreter is of; empty for one of the system. */
function environmentOf(path: string): string {
  const home = dirname(dirname(path));
  return existsSync(join(home, "pyvenv.cfg")) || existsSync(join(home, "conda-meta")) ? basename(home) : "";
}

/** Null for what is no Python, or does not answer. */
export async function probePython(command: string): Promise<FoundPython | null> {
  try {
    const { stdout } = await promisify(execFile)(command, ["-c", PROBE], { timeout: TIMEOUT_MS });
    const [version = "", lacks = "", path = command] = stdout.split(/\r?\n/).map((line) => line.trim());
    const shown = command.includes("venv") ? command : await realpath(path).then(() => path);
    return { path: shown, version, lacks: lacks.split(" ").filter((name) => name !== ""), problem: lacks === "" ? null : `lacks ${lacks.replace(" ", " and ")}: ${shown} -m pip install ${lacks}` };
  } catch {
    return null;
  }
}
