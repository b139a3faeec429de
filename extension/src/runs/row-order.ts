/** The order of rows by one of their columns. Pure. */
import type { Field, Row } from "../runner/messages.ts";

/** A column by which rows can be ordered: one of ours, or a field of the values. */
export const OWN_COLUMNS = ["index", "status", "after", "input", "result"] as const;
export type OwnColumn = (typeof OWN_COLUMNS)[number];

export interface RowOrder {
  readonly column: { readonly own: OwnColumn } | { readonly field: string };
  readonly isDescending: boolean;
}

export const BY_INPUT: RowOrder = { column: { own: "index" }, isDescending: false };

/** What a row is ordered by. Undefined stands behind everything, in both directions. */
type Key = number | string | boolean | null | undefined;

/** Compares rows; those that are alike stay in the order of their inputs. */
export function comparison({ column, isDescending }: RowOrder): (a: Row, b: Row) => number {
  const keyOf = "field" in column ? (row: Row) => row.fields?.find(([name]) => name === column.field)?.[1] : OWN_KEYS[column.own];
  const sign = isDescending ? -1 : 1;
  return (a, b) => {
    const [keyA, keyB] = [keyOf(a), keyOf(b)];
    if (keyA === undefined || keyB === undefined) return Number(keyA === undefined) - Number(keyB === undefined) || a.index - b.index;
    return sign * compareKeys(keyA, keyB) || a.index - b.index;
  };
}

const OWN_KEYS: Record<OwnColumn, (row: Row) => Key> = {
  index: ({ index }) => index,
  status: ({ isFailed }) => isFailed,
  after: ({ afterMs }) => afterMs ?? undefined,
  input: ({ input }) => (input === "" ? undefined : jsonKey(input)),
  result: ({ isFailed, text }) => (isFailed ? text : jsonKey(text)),
};

/** Numbers in JSON are ordered as numbers. */
function jsonKey(json: string): Field {
  const number = /^-?\d/.test(json) ? Number(json) : Number.NaN;
  return Number.isNaN(number) ? json : number;
}

/** Numbers before texts before the rest: one column may hold all of them. */
function compareKeys(a: Exclude<Key, undefined>, b: Exclude<Key, undefined>): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  return rankOf(a) - rankOf(b);
}

function rankOf(key: Exclude<Key, undefined>): number {
  if (typeof key === "number") return 0;
  if (typeof key === "string") return 1;
  return key === null ? 4 : key ? 3 : 2;
}
