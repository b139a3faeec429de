import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkId, readRecord, type StateKind, type StateRecord, type StateStore } from "./state-store.ts";

/** One file for each record. A write replaces it as a whole, so that a crash leaves the old record or the new one. */
export class DiskStateStore implements StateStore {
  readonly #directory: string;
  #writes = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(kind: StateKind, id: string, value: unknown): Promise<void> {
    const path = this.#pathOf(kind, id);
    await mkdir(join(this.#directory, kind), { recursive: true, mode: 0o700 });
    const part = `${path}.${process.pid}-${++this.#writes}.part`;
    await writeFile(part, JSON.stringify(value), { mode: 0o600 });
    await rename(part, path);
  }

  async get(kind: StateKind, id: string): Promise<StateRecord | null> {
    const text = await readFile(this.#pathOf(kind, id), "utf8").catch(absent);
    return text === null ? null : readRecord(id, text);
  }

  async list(kind: StateKind): Promise<StateRecord[]> {
    const names = (await readdir(join(this.#directory, kind)).catch(absent)) ?? [];
    const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length)).sort();
    const records = await Promise.all(ids.map((id) => this.get(kind, id)));
    return records.filter((record) => record !== null);
  }

  async delete(kind: StateKind, id: string): Promise<void> {
    await rm(this.#pathOf(kind, id), { force: true });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #pathOf(kind: StateKind, id: string): string {
    return join(this.#directory, kind, `${checkId(id)}.json`);
  }
}

function absent(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}
