/** Bundles by hash, on disk. Where workers see the disk, the folder of each also resolves the packages left outside of it. */
import { existsSync } from "node:fs";
import { chmod, link, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BundleId, External } from "@burla/protocol";

export interface BundleStoreOptions {
  readonly directory: string;
  readonly clientPackage: string;
  /**
   * The folder that workers see, where they do not see this node's disk: what the job of the moment needs is there, and
   * nothing of the jobs before it. Null: workers load bundles from where they are kept.
   */
  readonly jobFolder: string | null;
}

export class BundleStore {
  readonly #options: BundleStoreOptions;
  readonly #stored = new Map<BundleId, Promise<string>>();
  readonly #ready = new Map<BundleId, Promise<string>>();

  constructor(options: BundleStoreOptions) {
    this.#options = options;
  }

  /**
   * @param code null when this node has been sent it before.
   * @returns the path of the bundle's module, for a worker.
   * @throws Error when the code was never sent, or the disk refuses it.
   */
  path(id: BundleId, code: Uint8Array | null, externals: readonly External[]): Promise<string> {
    const known = this.#ready.get(id);
    if (known !== undefined) return known;
    const ready = this.#prepare(id, code, externals);
    this.#ready.set(id, ready);
    ready.catch(() => this.#ready.delete(id));
    return ready;
  }

  /** Workers of the next job see nothing of this one. */
  async clear(): Promise<void> {
    const { jobFolder } = this.#options;
    if (jobFolder === null) return;
    this.#ready.clear();
    for (const name of await readdir(jobFolder)) await rm(join(jobFolder, name), { recursive: true, force: true });
  }

  async #prepare(id: BundleId, code: Uint8Array | null, externals: readonly External[]): Promise<string> {
    const { directory, jobFolder } = this.#options;
    const kept = await this.#keep(id, code);
    const folder = join(jobFolder ?? directory, id);
    const path = join(folder, "bundle.mjs");
    if (jobFolder !== null) {
      // Packages outside of the bundle are the image's: Node looks for them up to /node_modules.
      await mkdir(folder, { recursive: true });
      await show(kept, path);
      return path;
    }
    await mkdir(join(folder, "node_modules"), { recursive: true });
    await this.#link(folder, "burla", this.#options.clientPackage);
    for (const external of externals) await this.#link(folder, external.name, external.directory);
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

function ifNew(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
