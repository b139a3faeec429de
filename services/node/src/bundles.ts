/** Bundles by hash, on disk, each in a folder that also resolves the packages left outside of it. */
import { existsSync } from "node:fs";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BundleId, External } from "@burla/protocol";

export class BundleStore {
  readonly #directory: string;
  readonly #clientPackage: string;
  readonly #ready = new Map<BundleId, Promise<string>>();

  constructor(directory: string, clientPackage: string) {
    this.#directory = directory;
    this.#clientPackage = clientPackage;
  }

  /**
   * @param code null when this node has been sent it before.
   * @returns the path of the bundle's module.
   * @throws Error when the code was never sent, or the disk refuses it.
   */
  async path(id: BundleId, code: Uint8Array | null, externals: readonly External[]): Promise<string> {
    const known = this.#ready.get(id);
    if (known !== undefined) return known;
    if (code === null) throw new Error(`this node was never sent the bundle ${id}`);
    const ready = this.#store(id, code, externals);
    this.#ready.set(id, ready);
    ready.catch(() => this.#ready.delete(id));
    return ready;
  }

  async #store(id: BundleId, code: Uint8Array, externals: readonly External[]): Promise<string> {
    const folder = join(this.#directory, id);
    const path = join(folder, "bundle.mjs");
    if (existsSync(path)) return path;
    await mkdir(join(folder, "node_modules"), { recursive: true });
    await this.#link(folder, "burla", this.#clientPackage);
    for (const external of externals) await this.#link(folder, external.name, external.directory);
    await writeFile(`${path}.part`, code);
    await rename(`${path}.part`, path);
    return path;
  }

  async #link(folder: string, name: string, target: string): Promise<void> {
    const link = join(folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(target, link, "dir").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
