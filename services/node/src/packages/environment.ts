/** What packages are installed for: the program of a worker with the system around it, which says this of itself. */
import * as v from "valibot";

const text = v.pipe(v.string(), v.maxLength(256));

export const environmentSchema = v.object({
  /** Of the runtime, such as `20.19.0` or `3.11.7`. */
  version: text,
  /** As Node names it: `x64`, `arm64`. */
  arch: text,
  libc: v.picklist(["glibc", "musl", ""]),
  /** Version of glibc, such as `2.36`; empty for all else. */
  glibc: text,
  /** Packages that are there already, with their exact versions. */
  packages: v.record(v.string(), v.string()),
});
export type Environment = v.InferOutput<typeof environmentSchema>;

/** Says it on a line of its own, so that nothing else that is printed matters. */
const MARK = "burla-environment ";
const MAX_PACKAGES = 5_000;

const NODE_PROBE = `
const { readdirSync, readFileSync } = require("node:fs");
const packages = {};
const look = (folder, scope) => {
  let names = [];
  try { names = readdirSync(folder); } catch {}
  for (const name of names) {
    if (name.startsWith("@") && scope === "") { look(folder + "/" + name, name + "/"); continue; }
    try { packages[scope + name] = String(JSON.parse(readFileSync(folder + "/" + name + "/package.json", "utf8")).version); } catch {}
    if (Object.keys(packages).length >= ${MAX_PACKAGES}) return;
  }
};
look("/node_modules", "");
const glibc = process.report.getReport().header.glibcVersionRuntime ?? "";
const libc = process.platform !== "linux" ? "" : glibc === "" ? "musl" : "glibc";
console.log(${JSON.stringify(MARK)} + JSON.stringify({ version: process.versions.node, arch: process.arch, libc, glibc, packages }));`;

const PYTHON_PROBE = `
import json, platform, sys
from importlib import metadata
packages = {}
for found in metadata.distributions():
    name = found.metadata["Name"]
    if name and len(packages) < ${MAX_PACKAGES}:
        packages[name.lower().replace("_", "-").replace(".", "-")] = found.version
arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
libc, version = platform.libc_ver()
is_linux = sys.platform == "linux"
print(${JSON.stringify(MARK)} + json.dumps({
    "version": platform.python_version(), "arch": arch, "packages": packages,
    "libc": ("glibc" if libc == "glibc" else "musl") if is_linux else "", "glibc": version if libc == "glibc" else "",
}))`;

/** The command that tells the environment that it runs in. */
export function probeOf(runtime: "node" | "python"): readonly [string, ...string[]] {
  return runtime === "node" ? ["node", "-e", NODE_PROBE] : ["python3", "-c", PYTHON_PROBE];
}

/** @throws Error when it did not say. */
export function readProbe(output: string): Environment {
  const line = output.split("\n").find((candidate) => candidate.includes(MARK));
  if (line === undefined) throw new Error(output.trim().slice(-500) || "it said nothing");
  return v.parse(environmentSchema, JSON.parse(line.slice(line.indexOf(MARK) + MARK.length)));
}

/** A Python package by the name that all spellings of it have in common. */
export function pythonName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}
