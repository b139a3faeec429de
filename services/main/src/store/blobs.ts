/** Bundles and large values by the SHA-256 of their content, which is computed anew whenever one is written or read. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BurlaError, storageError } from "@burla/protocol";

const HASH = /^[0-9a-f]{64}$/;

export class BlobStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /**
   * A blob that is not what its name says, such as one that a disk has lost a part of, is none: it is taken away, and
   * whoever has it may send it anew.
   * @throws BurlaError BURLA_PROTOCOL when the name is no hash.
   */
  find(hash: string): Uint8Array | null {
    const path = this.#path(hash);
    const content = readOrNull(path);
    if (content === null || hashOf([content]) === hash) return content;
    rmSync(path, { force: true });
    return null;
  }

  /** As `find`. */
  has(hash: string): boolean {
    return this.find(hash) !== null;
  }

  /** @throws BurlaError BURLA_PROTOCOL when the name is no hash, or there is no such blob. */
  get(hash: string): Uint8Array {
    const content = this.find(hash);
    if (content === null) throw new BurlaError("BURLA_PROTOCOL", `there is no blob ${hash}`);
    return content;
  }

  /** @throws BurlaError BURLA_PROTOCOL when that is not its hash; BURLA_STORAGE when the disk refuses it. */
  put(hash: string, ...content: Uint8Array[]): void {
    const path = this.#path(hash);
    if (hashOf(content) !== hash) throw new BurlaError("BURLA_PROTOCOL", `what was sent as ${hash} is something else`);
    if (this.has(hash)) return this.touch(hash);
    const part = `${path}.${process.pid}`;
    try {
      writeFileSync(part, content.length === 1 ? (content[0] as Uint8Array) : Buffer.concat(content), { mode: 0o600 });
      renameSync(part, path);
    } catch (cause) {
      rmSync(part, { force: true });
      throw storageError("store a bundle", cause);
    }
  }

  /** Counts as a use, for `prune`. */
  touch(hash: string): void {
    const nowSeconds = Date.now() / 1000;
    try {
      utimesSync(this.#path(hash), nowSeconds, nowSeconds);
    } catch {
      // It is used all the same.
    }
  }

  /** Removes what was not used since then, and is not in `needed`. */
  prune(needed: ReadonlySet<string>, sinceMs: number): void {
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      if (needed.has(name) || (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) >= sinceMs) continue;
      rmSync(path, { force: true });
    }
  }

  /** @returns the hash. */
  add(content: Uint8Array): string {
    const hash = hashOf([content]);
    this.put(hash, content);
    return hash;
  }

  #path(hash: string): string {
    if (!HASH.test(hash)) throw new BurlaError("BURLA_PROTOCOL", "a blob is named by 64 hexadecimal digits");
    return join(this.#directory, hash);
  }
}

function hashOf(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Something else than a file is no blob either. */
function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw storageError(`read ${path}`, error);
  }
}
