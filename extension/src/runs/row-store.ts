/** The rows of a run: what the results view shows. No editor, no files. */
import type { Field, Row } from "../runner/messages.ts";
import { ErrorGroups, type ErrorGroup } from "./error-groups.ts";
import { comparison, type RowOrder } from "./row-order.ts";

/** Which rows are shown, and in which order. */
export interface RowFilter {
  readonly onlyFailed: boolean;
  /** Shown are rows whose input or result holds this text, in any case. */
  readonly text: string;
  /** Shown are failed rows of this group alone; null for all. */
  readonly group: string | null;
  /** Null: as results arrive. */
  readonly order: RowOrder | null;
}

export const ALL_ROWS: RowFilter = { onlyFailed: false, text: "", group: null, order: null };

/** Columns beyond these nobody reads: the whole value is in the last one. */
export const MAX_FIELD_COLUMNS = 12;

interface Shown {
  readonly version: number;
  readonly key: string;
  readonly indexes: readonly number[];
}

/** One row for each input; a newer result takes the place of an older one. */
export class RowStore {
  /** By index of the input; holes where no result is there yet. */
  readonly #byIndex: (Row | undefined)[] = [];
  /** Indexes in order of their first result. */
  readonly #arrival: number[] = [];
  readonly #groups = new ErrorGroups();
  readonly #columns: string[] = [];
  #version = 0;
  #shown: Shown | undefined;

  get count(): number {
    return this.#arrival.length;
  }

  get failed(): number {
    return this.#groups.failed;
  }

  /** Changes whenever rows do. */
  get version(): number {
    return this.#version;
  }

  /** The fields that values have, in the order in which they were seen. */
  get columns(): readonly string[] {
    return this.#columns;
  }

  /** Errors that say the same, the most frequent first. */
  errorGroups(max: number): readonly ErrorGroup[] {
    return this.#groups.top(max);
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      const before = this.#byIndex[row.index];
      if (before === undefined) this.#arrival.push(row.index);
      if (before?.isFailed === true) this.#groups.remove(before);
      if (row.isFailed) this.#groups.add(row);
      this.#addColumns(row);
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
    const indexes = this.#select(filter, key);
    this.#shown = { version: this.#version, key, indexes };
    return indexes;
  }

  #addColumns({ fields }: Row): void {
    for (const [name] of fields ?? []) {
      if (this.#columns.length < MAX_FIELD_COLUMNS && !this.#columns.includes(name)) this.#columns.push(name);
    }
  }

  #select(filter: RowFilter, key: string): readonly number[] {
    const fits = this.#fitting(filter);
    if (filter.order === null) return this.#arrival.filter(fits);
    const compare = comparison(filter.order);
    // What was in order before is so nearly always: ordering it once more then costs little more than looking at it.
    const known = this.#shown?.key === key ? this.#shown.indexes : [];
    const seen = new Set(known);
    const indexes = [...known, ...this.#arrival.filter((index) => !seen.has(index))].filter(fits);
    return indexes.sort((a, b) => compare(this.#byIndex[a] as Row, this.#byIndex[b] as Row));
  }

  #fitting({ onlyFailed, text, group }: RowFilter): (index: number) => boolean {
    const wanted = text.toLowerCase();
    return (index) => {
      const row = this.#byIndex[index] as Row;
      if ((onlyFailed || group !== null) && !row.isFailed) return false;
      if (group !== null && this.#groups.keyOf(row.text) !== group) return false;
      return wanted === "" || row.text.toLowerCase().includes(wanted) || row.input.toLowerCase().includes(wanted);
    };
  }
}

/** What a row has of a column of fields; undefined when it lacks it. */
export function fieldOf({ fields }: Pick<Row, "fields">, name: string): Field | undefined {
  return fields?.find(([key]) => key === name)?.[1];
}
