/**
 * How npm and pip are asked for a set. Both only fetch and unpack here; what packages bring to be run at their
 * installation runs where the worker runs that they are for, and as little trusted as that.
 */
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { Environment } from "./environment.ts";

/** Wheels for an older system run on a newer one. */
const OLDEST_GLIBC_MINOR = 5;
const PIP_ARCHES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };
const MUSL_TAGS = ["musllinux_1_1", "musllinux_1_2"];

/** The folder of npm beside this Node, else of the one in the search path; null without one. */
export function findNpm(nodeBinary: string, path: string): string | null {
  const besides = [join(dirname(nodeBinary), "../lib/node_modules/npm"), join(dirname(nodeBinary), "node_modules/npm"), "/usr/share/nodejs/npm"];
  const inPath = path.split(delimiter).map((folder) => join(folder, "npm")).filter(existsSync).map((file) => dirname(dirname(realpathSync(file))));
  return [...besides, ...inPath].find((folder) => existsSync(join(folder, "bin/npm-cli.js"))) ?? null;
}

const QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--no-progress"];

/** Fetches and unpacks what the manifest in the folder says, and runs nothing of it. */
export function npmFetch(nodeBinary: string, npm: string, { arch, libc }: Environment): readonly [string, ...string[]] {
  const platform = libc === "" ? [] : ["--os=linux", `--cpu=${arch}`, `--libc=${libc}`];
  return [nodeBinary, join(npm, "bin/npm-cli.js"), "install", "--ignore-scripts", "--omit=dev", "--no-package-lock", "--loglevel=http", ...platform, ...QUIET];
}

/** Runs what the packages in the folder bring to be run. */
export function npmScripts(nodeBinary: string, npm: string): readonly [string, ...string[]] {
  return [nodeBinary, join(npm, "bin/npm-cli.js"), "rebuild", "--foreground-scripts", "--cache=/tmp/.npm", ...QUIET];
}

/**
 * @param foreign the packages are for another system than the one that pip runs on: then only what is ready to be used
 *   there can be had, and nothing of it is run.
 */
export function pipInstall(python: string, requirements: readonly string[], target: string, foreign: Environment | null): readonly [string, ...string[]] {
  const common = ["-m", "pip", "install", "--target", target, "--no-input", "--disable-pip-version-check", "--no-compile", "--progress-bar", "off", "--root-user-action", "ignore"];
  return [python, ...common, ...(foreign === null ? [] : pipPlatform(foreign)), ...requirements];
}

function pipPlatform({ version, arch, libc, glibc }: Environment): string[] {
  const [major = "3", minor = "11"] = version.split(".");
  const machine = PIP_ARCHES[arch] ?? arch;
  const newest = Number(glibc.split(".")[1] ?? OLDEST_GLIBC_MINOR);
  const manylinux = Array.from({ length: Math.max(0, newest - OLDEST_GLIBC_MINOR + 1) }, (_, at) => `manylinux_2_${newest - at}`);
  const tags = libc === "musl" ? MUSL_TAGS : [...manylinux, "manylinux2014", "manylinux2010", "manylinux1"];
  return [
    "--only-binary=:all:", `--python-version=${major}.${minor}`, "--implementation=cp",
    ...[`cp${major}${minor}`, "abi3", "none"].map((abi) => `--abi=${abi}`),
    ...[...tags, "linux"].map((tag) => `--platform=${tag}_${machine}`),
  ];
}

/** What a line of npm or pip means for somebody who waits; null for nothing. */
export class InstallProgress {
  #fetched = 0;

  take(line: string): string | null {
    if (/npm (http|silly) fetch GET 200|http fetch GET 200/.test(line)) return `${++this.#fetched} file${this.#fetched === 1 ? "" : "s"} fetched`;
    const collecting = /^Collecting ([^\s(]+)/.exec(line)?.[1];
    if (collecting !== undefined) return `fetches ${collecting}`;
    const downloading = /^\s+Downloading (\S+)(?: \(([^)]+)\))?/.exec(line);
    if (downloading !== null) return `fetches ${downloading[1]?.split("/").at(-1) ?? ""}${downloading[2] === undefined ? "" : ` (${downloading[2]})`}`;
    return /^Installing collected packages/.test(line) ? "unpacks what was fetched" : null;
  }
}

/** Lines that say why, without those that only say how far it came. */
export function reasonIn(tail: string): string {
  const lines = tail.split("\n").map((line) => line.replace(/^npm (error|ERR!) ?/, "").trimEnd());
  const telling = lines.filter((line) => line !== "" && !/^npm (http|info|verbose|silly)|complete log of this run|\.npm\/_logs/.test(line));
  return telling.slice(-15).join("\n").slice(-1_500);
}
