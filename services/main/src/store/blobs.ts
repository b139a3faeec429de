/** Bundles and large values by the SHA-256 of their content. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BurlaError } from "@burla/protocol";

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

  /** Under the name that the sender computed (bundles hash their externals as well as their code). */
  put(hash: string, content: Uint8Array): void {
    const path = this.#path(hash);
    if (existsSync(path)) return;
    writeFileSync(`${path}.${process.pid}`, content, { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
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
