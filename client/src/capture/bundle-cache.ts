import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { bundleIdOf } from "@burla/protocol";
import type { Bundle } from "./types.ts";

/** A file that went into a bundle, as it was then. */
export interface InputFile {
  file: string;
  mtimeMs: number;
  sizeBytes: number;
}

interface Entry {
  bundle: Bundle;
  inputs: InputFile[];
}

/** Bundles in memory at once; the oldest goes first. */
const MEMORY_LIMIT = 64;

/** Bundles by the text they are made from. One is only given out while every file in it is unchanged. */
export class BundleCache {
  readonly #entries = new Map<string, Entry>();

  async find(key: string, directory: string | undefined): Promise<Bundle | undefined> {
    const entry = this.#entries.get(key) ?? (await readEntry(key, directory));
    if (entry === undefined || !(await isCurrent(entry.inputs))) return undefined;
    this.#keep(key, entry);
    return entry.bundle;
  }

  /** Keeps the bundle in memory, and on disk if it took a compiler to make. */
  async store(key: string, bundle: Bundle, inputs: InputFile[], directory: string | undefined): Promise<void> {
    const entry = { bundle, inputs };
    this.#keep(key, entry);
    if (directory === undefined || inputs.length === 0) return;
    const file = join(directory, key);
    const draft = `${file}.${process.pid}.${this.#entries.size}`;
    try {
      await mkdir(directory, { recursive: true });
      await writeFile(draft, serialize(entry));
      await rename(draft, file);
    } catch {
      // The cache only saves time: a full or read-only disk must not fail the job.
    }
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const oldest = this.#entries.size > MEMORY_LIMIT ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

async function readEntry(key: string, directory: string | undefined): Promise<Entry | undefined> {
  if (directory === undefined) return undefined;
  try {
    const entry = deserialize(await readFile(join(directory, key))) as Entry;
    return isWhole(entry.bundle) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Damaged, or of an earlier build that named bundles otherwise. */
function isWhole({ id, code, externals }: Bundle): boolean {
  return bundleIdOf({ runtime: "node", externals }, code) === id;
}

async function isCurrent(inputs: readonly InputFile[]): Promise<boolean> {
  const checks = inputs.map(async ({ file, mtimeMs, sizeBytes }) => {
    const now = await stat(file).catch(() => undefined);
    return now?.mtimeMs === mtimeMs && now.size === sizeBytes;
  });
  return (await Promise.all(checks)).every(Boolean);
}
