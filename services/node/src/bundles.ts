/**
 * Bundles by hash, on disk. The folder of each also resolves the packages left outside of it. What is under a hash is
 * looked at whenever a job asks for it: damaged code, or other code, is never run.
 */
import { createHash, randomBytes } from "node:crypto";
import { chmod, link, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bundleIdOf, bundleKindOf, BurlaError, type BundleId, type JobSpec } from "@burla/protocol";
import type { PackageLink } from "./packages/job-packages.ts";

/** The part of a job's spec that a bundle's name stands for. */
export type AskedBundle = Pick<JobSpec, "runtime" | "bundle">;

/** Where the code of a job comes from. */
export interface CodeSource {
  /** What came with the job; null when this node was sent it before. */
  readonly code: Uint8Array | null;
  /** Asks for it anew. */
  readonly fetch: () => Promise<Uint8Array>;
}

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
  /** Being looked at or written, so that nobody does it twice at once. */
  readonly #keeping = new Map<BundleId, Promise<void>>();

  constructor(options: BundleStoreOptions) {
    this.#options = options;
  }

  /**
   * Puts the code on disk, unless it is there and whole.
   * @throws BurlaError BURLA_LOAD when it is not what its name says; what `fetch` throws; Error when the disk refuses it.
   */
  async keep(asked: AskedBundle, source: CodeSource): Promise<void> {
    const { id } = asked.bundle;
    const before = this.#keeping.get(id);
    const keeping = (before?.catch(() => undefined) ?? Promise.resolve()).then(() => this.#keep(asked, source));
    this.#keeping.set(id, keeping);
    try {
      await keeping;
    } finally {
      if (this.#keeping.get(id) === keeping) this.#keeping.delete(id);
    }
  }

  /** @returns the path of the bundle's module, which is kept, for a worker that finds these packages beside it. */
  path(id: BundleId, packages: readonly PackageLink[]): Promise<string> {
    const { directory, jobFolder } = this.#options;
    // In one image it may need other packages than in another.
    const folder = jobFolder === null ? join(directory, id) : join(jobFolder, `${id}-${hashOf(packages)}`);
    return this.#prepare(folder, this.#fileOf(id), packages);
  }

  /** Workers of the next job see nothing of this one. */
  async clear(): Promise<void> {
    const { jobFolder } = this.#options;
    if (jobFolder === null) return;
    for (const name of await readdir(jobFolder)) await rm(join(jobFolder, name), { recursive: true, force: true });
  }

  async #prepare(folder: string, kept: string, packages: readonly PackageLink[]): Promise<string> {
    const path = join(folder, "bundle.mjs");
    await mkdir(join(folder, "node_modules"), { recursive: true });
    for (const { name, directory } of packages) await this.#link(folder, name, directory);
    if (this.#options.jobFolder !== null) await show(kept, path);
    return path;
  }

  async #keep(asked: AskedBundle, { code, fetch }: CodeSource): Promise<void> {
    const path = this.#fileOf(asked.bundle.id);
    if (await isWhole(path, asked)) return;
    const whole = code ?? (await fetch());
    if (!isBundle(asked, whole)) throw new BurlaError("BURLA_LOAD", `what was sent as the bundle ${asked.bundle.id} is something else`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, whole);
    await rename(`${path}.part`, path);
  }

  #fileOf(id: BundleId): string {
    return join(this.#options.directory, id, "bundle.mjs");
  }

  async #link(folder: string, name: string, target: string): Promise<void> {
    const path = join(folder, "node_modules", name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path, "dir").catch(ifNew);
  }
}

function isBundle(asked: AskedBundle, code: Uint8Array): boolean {
  return bundleIdOf(bundleKindOf(asked), code) === asked.bundle.id;
}

async function isWhole(path: string, asked: AskedBundle): Promise<boolean> {
  const code = await readFile(path).catch(() => null);
  return code !== null && isBundle(asked, code);
}

/** As a second name of the same file: bundles may be large. Any user may read it. What had the name before may be damaged. */
async function show(file: string, path: string): Promise<void> {
  await chmod(file, 0o644);
  const draft = `${path}.${randomBytes(DRAFT_BYTES).toString("hex")}`;
  await link(file, draft);
  await rename(draft, path);
  // It stays where both names are of one file already.
  await rm(draft, { force: true });
}

const DRAFT_BYTES = 6;
const HASH_CHARACTERS = 12;

function hashOf(packages: readonly PackageLink[]): string {
  return createHash("sha256").update(JSON.stringify(packages.map(({ name, directory }) => [name, directory]))).digest("hex").slice(0, HASH_CHARACTERS);
}

function ifNew(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}
