/** What a job needs beside its bundle, and the name of the folder that has it. Pure. */
import { createHash } from "node:crypto";
import type { External } from "@burla/protocol";
import { pythonName, type Environment } from "./environment.ts";

const MAX_NAMED = 3;

export interface PackageSet {
  readonly runtime: "node" | "python";
  /** With exact versions. */
  readonly packages: readonly Pick<External, "name" | "version" | "needs">[];
  readonly environment: Environment;
  /** Of the environment: an image's id, or the machine's own. */
  readonly environmentId: string;
}

/** The same content has the same hash, whoever asks for it and in which order. */
export function hashOfSet({ runtime, packages, environmentId }: PackageSet): string {
  const wanted = packages.map(({ name, version, needs }) => [name, version, [...needs].sort()] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify([runtime, environmentId, wanted])).digest("hex");
}

/** Those that the environment does not have in just this version. */
export function missingIn({ packages: there }: Environment, runtime: "node" | "python", wanted: readonly External[]): External[] {
  const key = (name: string) => (runtime === "python" ? pythonName(name) : name);
  return wanted.filter(({ name, version }) => there[key(name)] !== version);
}

/** Such as `sharp@0.33.5 and 2 more`. */
export function describeSet(packages: readonly Pick<External, "name" | "version">[]): string {
  const names = packages.map(({ name, version }) => `${name}@${version}`);
  const more = names.length - MAX_NAMED;
  return more > 0 ? `${names.slice(0, MAX_NAMED).join(", ")} and ${more} more` : names.join(", ");
}

/** The document by which npm installs a set: nothing but exact versions, also of what the packages need themselves. */
export function npmManifest(packages: PackageSet["packages"]): object {
  const direct = new Set(packages.map(({ name }) => name));
  const versions = new Map<string, Set<string>>();
  for (const pin of packages.flatMap(({ needs }) => needs)) {
    const at = pin.lastIndexOf("@");
    const [name, version] = [pin.slice(0, at), pin.slice(at + 1)];
    if (at > 0 && !direct.has(name)) versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  // One that is there in two versions is left to npm: an override is for all who need it.
  const overrides = [...versions].flatMap(([name, [only, ...others]]) => (only !== undefined && others.length === 0 ? [[name, only] as const] : []));
  return {
    private: true,
    dependencies: Object.fromEntries(packages.map(({ name, version }) => [name, version])),
    overrides: Object.fromEntries(overrides),
  };
}
