/** The rows of a run: what the results view shows. No editor, no files. */
import type { Row } from "../runner/messages.ts";

/** Which rows are shown, and in which order. */
export interface RowFilter {
  readonly onlyFailed: boolean;
  /** Shown are rows whose input or result holds this text, in any case. */
  readonly text: string;
  readonly order: "arrival" | "input";
}

export const ALL_ROWS: RowFilter = { onlyFailed: false, text: "", order: "arrival" };

/** One row for each input; a newer result takes the place of an older one. */
export class RowStore {
  /** By index of the input; holes where no result is there yet. */
  readonly #byIndex: (Row | undefined)[] = [];
  /** Indexes in order of their first result. */
  readonly #arrival: number[] = [];
  #failed = 0;
  #version = 0;
  #shown: { version: number; key: string; indexes: readonly number[] } | undefined;

  get count(): number {
    return this.#arrival.length;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Changes whenever rows do. */
  get version(): number {
    return this.#version;
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      const before = this.#byIndex[row.index];
      if (before === undefined) this.#arrival.push(row.index);
      this.#failed += Number(row.isFailed) - Number(before?.isFailed ?? false);
      this.#byIndex[row.index] = before === undefined || row.input !== "" ? row : { ...row, input: before.input };
    }
    if (rows.length > 0) this.#version++;
  }

  get(index: number): Row | undefined {
    return this.#byIndex[index];
  }

  /** In rising order. */
  failedIndexes(): number[] {
    return this.#byIndex.flatMap((row) => (row?.isFailed === true ? [row.index] : []));
  }

  /** The rows that the filter lets through; the same array until rows or filter change. */
  shown(filter: RowFilter): readonly number[] {
    const key = JSON.stringify(filter);
    if (this.#shown?.version === this.#version && this.#shown.key === key) return this.#shown.indexes;
    const indexes = this.#select(filter);
    this.#shown = { version: this.#version, key, indexes };
    return indexes;
  }

  #select({ onlyFailed, text, order }: RowFilter): readonly number[] {
    const wanted = text.toLowerCase();
    const fits = (row: Row) => (!onlyFailed || row.isFailed) && (wanted === "" || row.text.toLowerCase().includes(wanted) || row.input.toLowerCase().includes(wanted));
    if (order === "input") return this.#byIndex.flatMap((row) => (row !== undefined && fits(row) ? [row.index] : []));
    return this.#arrival.filter((index) => fits(this.#byIndex[index] as Row));
  }
}
