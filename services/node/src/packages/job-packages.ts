/** The packages of a job, from what its bundle left outside to folders that its workers load them from. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BurlaError, childEnvironment, type External } from "@burla/protocol";
import { runCommand, type Command } from "../command.ts";
import type { ContainerRuntime, TaskOutcome } from "../containers/runtime.ts";
import { copyClient, hashOfClient } from "./client-package.ts";
import { probeOf, readProbe, type Environment } from "./environment.ts";
import { findNpm, InstallProgress, npmFetch, npmScripts, pipInstall, reasonIn } from "./installers.ts";
import { PackageStore, type Install, type Waiting } from "./package-store.ts";
import { describeSet, hashOfSet, missingIn, npmManifest, type PackageSet } from "./package-set.ts";

/** Packages that are compiled take minutes; an install that takes longer than this waits for something that does not come. */
const INSTALL_MS = 20 * 60_000;

/** By its name the Python client knows what is in it as installed, and not as the user's own. */
const SITE_FOLDER = "site-packages";

/** A package and the folder that it is in. */
export interface PackageLink {
  readonly name: string;
  readonly directory: string;
}

export interface JobPackages {
  /** For JavaScript: what is linked beside the bundle. */
  readonly links: readonly PackageLink[];
  /** For Python: the folder that holds the packages; null when there is none. */
  readonly path: string | null;
}

export interface PackageNeeds {
  readonly runtime: "node" | "python";
  readonly image: string | null;
  /** The interpreter that the job names; null for the usual one. */
  readonly python: string | null;
  readonly externals: readonly External[];
}

export interface PackagesOptions {
  readonly runtime: ContainerRuntime;
  readonly directory: string;
  readonly clientPackage: string;
  /** The interpreter that runs pip, for jobs that name none. */
  readonly python: string;
  /** Workers see the disk of this node, and with it the folders of the user's own packages. */
  readonly seesDisk: boolean;
}

export class Packages {
  readonly #options: PackagesOptions;
  readonly #store: PackageStore;
  readonly #environments = new Map<string, Environment>();

  constructor(options: PackagesOptions) {
    this.#options = options;
    this.#store = new PackageStore(options.directory);
  }

  prepare(): Promise<void> {
    return this.#store.prepare();
  }

  /** Removes sets that were not asked for lately. For when no job is here. */
  prune(): Promise<void> {
    return this.#store.prune(new Set());
  }

  /**
   * Installs what is not here.
   * @throws BurlaError BURLA_PACKAGES with what npm or pip said; BURLA_CONTAINERS when no container can be started.
   */
  async provide(needs: PackageNeeds, waiting: Waiting): Promise<JobPackages> {
    const { runtime, externals } = needs;
    const { clientPackage, seesDisk } = this.#options;
    const others = externals.filter(({ name }) => runtime === "python" || name !== "burla");
    const isLocal = ({ directory }: External) => seesDisk && directory !== "" && existsSync(directory);
    const local = runtime === "python" ? [] : others.filter(isLocal);
    const links: PackageLink[] = [...local];
    if (seesDisk) links.push({ name: "burla", directory: clientPackage });
    else if (others.length < externals.length) links.push({ name: "burla", directory: await this.#client(waiting) });
    // An interpreter of the user on this machine has what the user has installed for it.
    const hasAll = runtime === "python" && seesDisk && needs.python !== null;
    const wanted = hasAll ? [] : others.filter((external) => !local.includes(external));
    const folder = wanted.length === 0 ? null : await this.#install(needs, wanted, waiting);
    if (folder === null || runtime === "python") return { links, path: folder === null ? null : join(folder.path, SITE_FOLDER) };
    return { links: [...links, ...folder.names.map((name) => ({ name, directory: join(folder.path, "node_modules", name) }))], path: null };
  }

  async #client(waiting: Waiting): Promise<string> {
    const { clientPackage } = this.#options;
    const folder = await this.#store.ensure(hashOfClient(clientPackage), ({ folder: target }) => copyClient(clientPackage, target), waiting);
    return join(folder, "node_modules", "burla");
  }

  async #install(needs: PackageNeeds, wanted: readonly External[], waiting: Waiting): Promise<{ path: string; names: string[] } | null> {
    const { runtime } = needs;
    const environmentId = await this.#options.runtime.environmentId(needs);
    const environment = await this.#environment(environmentId, needs, waiting.signal);
    const packages = missingIn(environment, runtime, wanted);
    if (packages.length === 0) return null;
    const set: PackageSet = { runtime, packages, environment, environmentId };
    const path = await this.#store.ensure(hashOfSet(set), limited(set, runtime === "node" ? this.#npm(set, needs) : this.#pip(set, needs)), waiting);
    return { path, names: packages.map(({ name }) => name) };
  }

  async #environment(id: string, { runtime, image, python }: PackageNeeds, signal: AbortSignal): Promise<Environment> {
    const known = this.#environments.get(id);
    if (known !== undefined) return known;
    const { tail } = await this.#options.runtime.run({ runtime, image, python, argv: probeOf(runtime), folder: null, readOnly: [], mark: "probe", signal, onLine: () => undefined });
    try {
      const environment = readProbe(tail);
      this.#environments.set(id, environment);
      return environment;
    } catch (cause) {
      throw new BurlaError("BURLA_PACKAGES", `${runtime === "node" ? "Node.js" : "Python"} does not run${image === null ? "" : ` in the image ${image}`}: ${String(cause)}`, { cause });
    }
  }

  #npm(set: PackageSet, { image, python }: PackageNeeds): Install {
    const { runtime } = this.#options;
    return async ({ folder, mark, signal, onProgress }) => {
      const npm = findNpm(process.execPath, process.env["PATH"] ?? "");
      if (npm === null) throw new BurlaError("BURLA_PACKAGES", `${describeSet(set.packages)} cannot be installed: npm is not on this node's machine`);
      await writeFile(join(folder, "package.json"), JSON.stringify(npmManifest(set.packages)));
      const work = { folder, mark, signal, ...tellersOf(set, onProgress) };
      check("npm", set, await here(npmFetch(process.execPath, npm, set.environment), work));
      if (!(await hasScripts(folder))) return;
      onProgress(`installs ${describeSet(set.packages)}: runs their install scripts`);
      check("npm", set, await runtime.run({ ...work, runtime: "node", image, python, argv: npmScripts("node", npm), readOnly: [npm] }));
    };
  }

  #pip(set: PackageSet, { python }: PackageNeeds): Install {
    const { seesDisk } = this.#options;
    const requirements = set.packages.map(({ name, version }) => `${name}==${version}`);
    return async ({ folder, mark, signal, onProgress }) => {
      const work = { folder, mark, signal, ...tellersOf(set, onProgress) };
      check("pip", set, await here(pipInstall(seesDisk ? (python ?? this.#options.python) : this.#options.python, requirements, join(folder, SITE_FOLDER), seesDisk ? null : set.environment), work));
    };
  }
}

/** An install that may not take for ever. */
function limited({ packages }: PackageSet, install: Install): Install {
  return async (work) => {
    const timeout = AbortSignal.timeout(INSTALL_MS);
    try {
      await install({ ...work, signal: AbortSignal.any([work.signal, timeout]) });
    } catch (error) {
      if (!timeout.aborted) throw error;
      throw new BurlaError("BURLA_PACKAGES", `the installation of ${describeSet(packages)} was not done after ${INSTALL_MS / 60_000} minutes`);
    }
  };
}

function tellersOf({ packages }: PackageSet, onProgress: (text: string) => void): Pick<Command, "onLine"> {
  const progress = new InstallProgress();
  const what = `installs ${describeSet(packages)}`;
  onProgress(what);
  return {
    onLine: (line) => {
      const text = progress.take(line);
      if (text !== null) onProgress(`${what}: ${text}`);
    },
  };
}

/** On the node's own machine, with the settings for registries and proxies that its user has. */
function here(argv: Command["argv"], { folder, ...rest }: Omit<Command, "argv" | "cwd" | "env"> & { folder: string }): Promise<TaskOutcome> {
  return runCommand({ ...rest, argv, cwd: folder, env: { ...childEnvironment(), PYTHONDONTWRITEBYTECODE: "1" } });
}

/** @throws BurlaError BURLA_STORAGE when the disk is full, else BURLA_PACKAGES. */
function check(installer: "npm" | "pip", { packages }: PackageSet, { code, tail }: TaskOutcome): void {
  if (code === 0) return;
  const what = describeSet(packages);
  if (/ENOSPC|EDQUOT|No space left on device/.test(tail)) throw new BurlaError("BURLA_STORAGE", `no room on the node's disk for ${what}`);
  throw new BurlaError("BURLA_PACKAGES", `${installer} could not install ${what}:\n${reasonIn(tail) || "it said nothing"}`);
}

/** Whether anything of what was unpacked wants to be run. npm notes it. */
async function hasScripts(folder: string): Promise<boolean> {
  const notes = await readFile(join(folder, "node_modules", ".package-lock.json"), "utf8").catch(() => '"hasInstallScript": true');
  return notes.includes('"hasInstallScript": true');
}
