/** Bundles by hash, on disk. The folder of each also resolves the packages left outside of it. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BundleId } from "@burla/protocol";
import type { PackageLink } from "./packages/job-packages.ts";

export interface BundleStoreOptions {
  readonly directory: string;
  /**
   * The folder that workers see, where they do not see this node's disk: what the job of the moment needs is there, and
   * nothing of the jobs before it. Null: workers load bundles from where they are kept.
   */
  readonly jobFolder: string | null;
}

export class BundleStore {
  readonly #options: BundleStoreOptions;
  readonly #stored = new Map<BundleId, Promise<string>>();
  /** By folder. */
  readonly #ready = new Map<string, Promise<string>>();

  constructor(options: BundleStoreOptions) {
    this.#options = options;
  }

  /**
   * Puts the code on disk.
   * @param code null when this node has been sent it before.
   * @throws Error when the code was never sent, or the disk refuses it.
   */
  async keep(id: BundleId, code: Uint8Array | null): Promise<void> {
    await this.#keep(id, code);
  }

  /**
   * @returns the path of the bundle's module, for a worker that finds these packages beside it.
   * @throws Error as `keep`.
   */
  path(id: BundleId, packages: readonly PackageLink[]): Promise<string> {
    const { directory, jobFolder } = this.#options;
    // In one image it may need other packages than in another.
    const folder = jobFolder === null ? join(directory, id) : join(jobFolder, `${id}-${hashOf(packages)}`);
    const known = this.#ready.get(folder);
    if (known !== undefined) return known;
    const ready = this.#prepare(folder, this.#keep(id, null), packages);
    this.#ready.set(folder, ready);
    ready.catch(() => this.#ready.delete(folder));
    return ready;
  }

  /** Workers of the next job see nothing of this one. */
  async clear(): Promise<void> {
    const { jobFolder } = this.#options;
    if (jobFolder === null) return;
    this.#ready.clear();
    for (const name of await readdir(jobFolder)) await rm(join(jobFolder, name), { recursive: true, force: true });
  }

  async #prepare(folder: string, keeping: Promise<string>, packages: readonly PackageLink[]): Promise<string> {
    const kept = await keeping;
    const path = join(folder, "bundle.mjs");
    await mkdir(join(folder, "node_modules"), { recursive: true });
    for (const { name, directory } of packages) await this.#link(folder, name, directory);
    if (this.#options.jobFolder !== null) await show(kept, path);
    return path;
  }

  #keep(id: BundleId, code: Uint8Array | null): Promise<string> {
    const known = this.#stored.get(id);
    if (known !== undefined) return known;
    if (code === null) return Promise.reject(new Error(`this node was never sent the bundle ${id}`));
    const stored = this.#store(id, code);
    this.#stored.set(id, stored);
    stored.catch(() => this.#stored.delete(id));
    return stored;
  }

  async #store(id: BundleId, code: Uint8Array): Promise<string> {
    const folder = join(this.#options.directory, id);
    const path = join(folder, "bundle.mjs");
    if (existsSync(path)) return path;
    await mkdir(folder, { recursive: true });
    await writeFile(`${path}.part`, code);
    await rename(`${path}.part`, path);
    return path;
  }

  async #link(folder: string, name: string, target: string): Promise<void> {
    const path = join(folder, "node_modules", name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path, "dir").catch(ifNew);
  }
}

/** As a second name of the same file: bundles may be large. Any user may read it. */
async function show(file: string, path: string): Promise<void> {
  await chmod(file, 0o644);
  await link(file, path).catch(ifNew);
}

const HASH_CHARACTERS = 12;

function hashOf(packages: readonly PackageLink[]): string {
  return createHash("sha256").update(JSON.stringify(packages.map(({ name, directory }) => [name, directory]))).digest("hex").slice(0, HASH_CHARACTERS);
}

function ifNew(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
