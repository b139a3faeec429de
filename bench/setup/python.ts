/** A Python environment of the suite's own in `bench/.venv`, with the Python peers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { attempt, lastLine } from "./command.ts";
import { aptInstall } from "./debian.ts";

export interface Python {
  readonly command: string;
  readonly versions: ReadonlyMap<string, string>;
  /** Why a package is not there. */
  readonly missing: ReadonlyMap<string, string>;
}

const venv = join(import.meta.dirname, "../.venv");
const command = join(venv, "bin/python");
const packages = ["ray", "joblib", "cloudpickle", "distributed"];
let prepared: Promise<Python> | undefined;

/** Makes the environment once, and installs what is not there yet. */
export function ensurePython(): Promise<Python> {
  return (prepared ??= prepare());
}

async function prepare(): Promise<Python> {
  if (!existsSync(command)) {
    const made = await attempt("python3", ["-m", "venv", venv]);
    if (!made.ok) throw new Error(`python3 -m venv: ${lastLine(made.text)}`);
  }
  const sources = await pipSources();
  const missing = new Map<string, string>();
  for (const name of packages) {
    if ((await versionOf(command, name)) !== undefined) continue;
    const reason = await pipInstall(name, sources);
    if (reason !== undefined) missing.set(name, reason);
  }
  const versions = new Map<string, string>();
  for (const name of packages) {
    const version = await versionOf(command, name);
    if (version !== undefined) versions.set(name, version);
  }
  return { command, versions, missing };
}

async function versionOf(python: string, name: string): Promise<string | undefined> {
  const code = `from importlib.metadata import version; print(version(${JSON.stringify(name)}))`;
  const { ok, text } = await attempt(python, ["-c", code]);
  return ok ? text.trim() : undefined;
}

/**
 * The ways to install, in order: wheels and indexes on this machine's disk that pip is configured with come first, so
 * that nobody waits for an index that cannot be reached.
 */
async function pipSources(): Promise<readonly (readonly string[])[]> {
  const { text } = await attempt(command, ["-m", "pip", "config", "list"]);
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`[.]${key}='([^']*)'`, "g"))].flatMap(([, value = ""]) => value.split(/\s+/));
  const folders = values("find-links").flatMap((folder) => ["--find-links", folder]);
  const [first, ...others] = [...values("index-url"), ...values("extra-index-url")].filter((url) => url.startsWith("file:"));
  const local = first === undefined ? [] : [["--index-url", first, ...others.flatMap((url) => ["--extra-index-url", url])]];
  return [["--no-index", ...folders], ...local, ["--retries", "0", "--timeout", "10"]];
}

async function pipInstall(name: string, sources: readonly (readonly string[])[]): Promise<string | undefined> {
  let reason = "";
  for (const source of sources) {
    // Indexes of the configuration would be asked as well, if the environment did not say otherwise.
    const env = source.includes("--retries") ? {} : { PIP_EXTRA_INDEX_URL: "", PIP_CONFIG_FILE: "/dev/null" };
    const { ok, text } = await attempt(command, ["-m", "pip", "install", "--quiet", ...source, name], env);
    if (ok) return undefined;
    reason = `pip install ${name}: ${lastLine(text)}`;
  }
  return reason;
}

/** Dask with its `distributed` scheduler: from pip, else Debian's, which is older. */
export async function ensureDask(): Promise<{ command: string; version: string } | { reason: string }> {
  const python = await ensurePython();
  const version = python.versions.get("distributed");
  if (version !== undefined) return { command: python.command, version };
  const system = "/usr/bin/python3";
  const installed = await versionOf(system, "distributed");
  const reason = installed === undefined ? await aptInstall("python3-distributed") : undefined;
  const debian = installed ?? (await versionOf(system, "distributed"));
  if (debian !== undefined) return { command: system, version: `${debian} (Debian's)` };
  return { reason: `${python.missing.get("distributed") ?? "pip has no distributed"}; ${reason ?? ""}` };
}
