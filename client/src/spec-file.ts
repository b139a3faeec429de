/** The spec of the local cluster: what the user gave it, until `burla down`, or what fits this machine. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BurlaError, messageOf, parseClusterSpec, storageError, type ClusterSpec } from "@burla/protocol";

/**
 * @throws BurlaError BURLA_SPEC
 */
export function readSpecFile(path: string): ClusterSpec {
  return parse(path, read(path));
}

/** @returns null when the user gave none. @throws BurlaError BURLA_SPEC */
export function readStoredSpec(clusterDirectory: string): ClusterSpec | null {
  const path = specPath(clusterDirectory);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw storageError(`read ${path}`, cause);
  }
  try {
    return parse(path, text);
  } catch (cause) {
    const cure = "`burla up --spec FILE` gives the cluster its spec anew; without the file it takes what fits this machine.";
    throw new BurlaError("BURLA_SPEC", `${path}, the spec that the cluster was given, is damaged: ${messageOf(cause).split("\n")[0] ?? ""}`, { cause, cure });
  }
}

/** A cluster that is started again, by whatever program, is the same as before. */
export function storeSpec(clusterDirectory: string, spec: ClusterSpec): void {
  const path = specPath(clusterDirectory);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.part`, JSON.stringify(spec), { mode: 0o600 });
  renameSync(`${path}.part`, path);
}

export function forgetSpec(clusterDirectory: string): void {
  rmSync(specPath(clusterDirectory), { force: true });
}

/** What two specs that mean the same have in common. */
export function isSameSpec({ $schema: _one, ...first }: ClusterSpec, { $schema: _other, ...second }: ClusterSpec): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}

function specPath(clusterDirectory: string): string {
  return join(clusterDirectory, "spec.json");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new BurlaError("BURLA_SPEC", `the cluster spec cannot be read: ${messageOf(error)}`, { cause: error, cure: "Check the path." });
  }
}

function parse(path: string, text: string): ClusterSpec {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BurlaError("BURLA_SPEC", `${path} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  return parseClusterSpec(json);
}
