/** This machine's own Python for an image: the interpreter, its library, and cloudpickle, by which functions travel. */
import { spawnSync } from "node:child_process";
import { readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { BurlaError } from "@burla/protocol";
import { file, type RootEntry } from "./root-files.ts";

/** On the module path of workers in the image. By its name what is in it is known as installed, and not the user's own. */
export const PACKAGES_FOLDER = "burla/site-packages";
export const PROGRAM_FOLDER = "burla/python";
/** Parts of the library that no function needs: other people's packages, tests, windows. */
const LEFT_OUT = new Set(["site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"]);
const BUILT_FOR_COMPILERS = /^config-/;
/** An interpreter that has not answered by then waits for something that does not come. */
const PROBE_MS = 60_000;

const PROBE = `
import json, os, sys, sysconfig
try:
    import cloudpickle
    packages = [os.path.dirname(cloudpickle.__file__)]
except ImportError:
    packages = []
paths = sysconfig.get_paths()
print(json.dumps({"executable": os.path.realpath(sys._base_executable), "library": paths["stdlib"], "version": "%d.%d" % sys.version_info[:2], "packages": packages}))`;

const probeSchema = v.object({ executable: v.string(), library: v.string(), version: v.string(), packages: v.array(v.string()) });
export type HostPython = v.InferOutput<typeof probeSchema>;

/** @throws BurlaError BURLA_CONTAINERS when there is no Python here, or none that can run workers. */
export function findPython(interpreter: string): HostPython {
  const { status, stdout, stderr, error } = spawnSync(interpreter, ["-c", PROBE], { encoding: "utf8", timeout: PROBE_MS });
  if (error !== undefined || status !== 0) {
    throw new BurlaError("BURLA_CONTAINERS", `the Python of this machine (${interpreter}) does not run: ${error?.message ?? stderr.trim()}`, { cure: "Install Python, name another one in the variable BURLA_PYTHON, or build upon an image that has it: `burla image --runtime python --from python:3.12-slim`." });
  }
  const python = v.parse(probeSchema, JSON.parse(stdout));
  if (python.packages.length > 0) return python;
  throw new BurlaError("BURLA_CONTAINERS", `the Python of this machine (${python.executable}) has no cloudpickle, by which functions travel`, { cure: `Install it: \`${interpreter} -m pip install cloudpickle\`.` });
}

/** Everything but the libraries of the system that it is linked with. */
export function pythonFiles({ executable, library, version, packages }: HostPython): RootEntry[] {
  return [
    file("usr/bin/python3", executable, 0o755),
    ...treeOf(library, `usr/lib/python${version}`),
    ...packages.flatMap((folder) => treeOf(folder, join(PACKAGES_FOLDER, folder.split("/").at(-1) ?? ""))),
  ];
}

/** Parts of it that are linked with libraries of the system. */
export function nativeParts(entries: readonly RootEntry[]): string[] {
  return entries.flatMap((entry) => (entry.kind === "file" && typeof entry.source === "string" && /\.so$|\/python3$/.test(entry.path) ? [entry.source] : []));
}

/** The files below a folder, links followed, in an order that is always the same. */
export function treeOf(folder: string, target: string): RootEntry[] {
  const found: RootEntry[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (LEFT_OUT.has(name) || BUILT_FOR_COMPILERS.test(name)) continue;
    const path = join(folder, name);
    const kind = statSync(path, { throwIfNoEntry: false });
    if (kind?.isDirectory() === true) found.push(...treeOf(path, join(target, name)));
    else if (kind?.isFile() === true) found.push(file(join(target, name), realpathSync(path), name.endsWith(".so") ? 0o755 : 0o644));
  }
  return found;
}
