/** Bundles and large values by the SHA-256 of their content. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BurlaError, storageError } from "@burla/protocol";

const HASH = /^[0-9a-f]{64}$/;

export class BlobStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  has(hash: string): boolean {
    return existsSync(this.#path(hash));
  }

  /** @throws BurlaError BURLA_PROTOCOL when the name is no hash, or there is no such blob. */
  get(hash: string): Uint8Array {
    if (!this.has(hash)) throw new BurlaError("BURLA_PROTOCOL", `there is no blob ${hash}`);
    return readFileSync(this.#path(hash));
  }

  /**
   * Under the name that the sender computed (bundles hash their externals as well as their code).
   * @throws BurlaError BURLA_STORAGE when the disk refuses it.
   */
  put(hash: string, content: Uint8Array): void {
    const path = this.#path(hash);
    if (existsSync(path)) return;
    const part = `${path}.${process.pid}`;
    try {
      writeFileSync(part, content, { mode: 0o600 });
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
    const hash = createHash("sha256").update(content).digest("hex");
    this.put(hash, content);
    return hash;
  }

  #path(hash: string): string {
    if (!HASH.test(hash)) throw new BurlaError("BURLA_PROTOCOL", "a blob is named by 64 hexadecimal digits");
    return join(this.#directory, hash);
  }
}
