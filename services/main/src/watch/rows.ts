/** Rows as they were last told, each with the version in which it changed: what a watcher has missed follows from one number. */

/** Ids of rows that are gone, remembered for watchers that have not heard of it. */
const MAX_GONE = 1000;

interface Row {
  readonly text: string;
  readonly version: number;
}

export interface RowChanges {
  /** JSON, in the order of the changes. */
  readonly changed: string[];
  readonly gone: string[];
}

export class Rows {
  readonly #rows = new Map<string, Row>();
  readonly #gone = new Map<string, number>();
  /** What went in this version or before is forgotten. */
  #forgotten = 0;

  /** @param row undefined when it is gone. @returns whether anything is different. */
  put(id: string, row: object | undefined, version: number): boolean {
    return row === undefined ? this.#remove(id, version) : this.#set(id, JSON.stringify(row), version);
  }

  /** What is different since a version; null when too much has been forgotten to say. */
  since(version: number): RowChanges | null {
    if (version < this.#forgotten) return null;
    const changed = [...this.#rows.values()].filter((row) => row.version > version).map(({ text }) => text);
    const gone = [...this.#gone].filter(([, goneIn]) => goneIn > version).map(([id]) => id);
    return { changed, gone };
  }

  clear(): void {
    this.#rows.clear();
    this.#gone.clear();
  }

  #set(id: string, text: string, version: number): boolean {
    if (this.#rows.get(id)?.text === text) return false;
    this.#gone.delete(id);
    this.#rows.delete(id);
    this.#rows.set(id, { text, version });
    return true;
  }

  #remove(id: string, version: number): boolean {
    if (!this.#rows.delete(id)) return false;
    this.#gone.set(id, version);
    for (const [oldest, goneIn] of this.#gone) {
      if (this.#gone.size <= MAX_GONE) break;
      this.#gone.delete(oldest);
      this.#forgotten = Math.max(this.#forgotten, goneIn);
    }
    return true;
  }
}
