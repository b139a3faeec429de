/** What a map runs over -> inputs of a job, or nothing when only the language itself can say what its map does. */
import type { MapShape } from "../cells/plan/sites.ts";

export interface MapInputs {
  readonly values: Iterable<unknown>;
  /** Null when it is not known before they are read. */
  readonly count: number | null;
  /** Elements that are there, in an array with gaps; else null. */
  readonly present: readonly number[] | null;
  /** The results as the map would give them. */
  readonly collect: (results: unknown[]) => unknown;
}

type TypedArray = Float64Array | BigInt64Array;

const TYPED_ARRAY: unknown = Object.getPrototypeOf(Uint8Array);

/** Undefined for what has a map of its own: it stays one call. */
export function readInputs(receiver: unknown, { from }: Pick<MapShape, "from">): MapInputs | undefined {
  if (from === "from" || from === "pMap") return readIterable(receiver);
  if (Array.isArray(receiver)) return readArray(receiver, from);
  return isTypedArray(receiver) && from === "map" ? readTypedArray(receiver) : undefined;
}

/** The turns of a loop. */
export async function readTurns(turns: Iterable<unknown> | AsyncIterable<unknown>): Promise<MapInputs & { readonly values: readonly unknown[] }> {
  const values: unknown[] = [];
  for await (const value of turns) values.push(value);
  return { values, count: values.length, present: null, collect: (results) => results };
}

function readArray(array: readonly unknown[], from: "map" | "flatMap" | "filter"): MapInputs | undefined {
  if (array[from] !== Array.prototype[from] || Object.getPrototypeOf(array) !== Array.prototype) return undefined;
  const present = gapsOf(array);
  if (from !== "map") {
    const values = present === null ? array : present.map((index) => array[index]);
    const collect = from === "flatMap" ? (results: unknown[]) => results.flat() : (results: unknown[]) => values.filter((_value, at) => Boolean(results[at]));
    return { values, count: values.length, present, collect };
  }
  if (present === null) return { values: array, count: array.length, present, collect: (results) => results };
  return {
    values: present.map((index) => array[index]),
    count: present.length,
    present,
    collect: (results) => {
      const collected: unknown[] = new Array<unknown>(array.length);
      present.forEach((index, at) => (collected[index] = results[at]));
      return collected;
    },
  };
}

/** The indexes of the elements, if some are missing: map passes over gaps and keeps them. */
function gapsOf(array: readonly unknown[]): number[] | null {
  let index = 0;
  while (index < array.length && index in array) index++;
  return index === array.length ? null : [...array.keys()].filter((key) => key in array);
}

function readTypedArray(array: TypedArray): MapInputs | undefined {
  const constructor = array.constructor as unknown as { from: (values: unknown[]) => unknown };
  if (array.map !== Float64Array.prototype.map || typeof constructor.from !== "function") return undefined;
  return { values: array, count: array.length, present: null, collect: (results) => constructor.from(results) };
}

function isTypedArray(value: unknown): value is TypedArray {
  return typeof TYPED_ARRAY === "function" && value instanceof TYPED_ARRAY;
}

/** `Array.from` takes what can be iterated, else what has a length. */
function readIterable(source: unknown): MapInputs | undefined {
  if (source === null || source === undefined) return undefined;
  const { [Symbol.iterator]: iterator, length } = source as { [Symbol.iterator]?: unknown; length?: unknown };
  if (typeof iterator === "function") {
    const count = Array.isArray(source) || typeof source === "string" ? [...source].length : source instanceof Set || source instanceof Map ? source.size : null;
    return { values: source as Iterable<unknown>, count, present: null, collect: (results) => results };
  }
  if (typeof length !== "number" || typeof source === "function") return undefined;
  const values = Array.from(source as ArrayLike<unknown>);
  return { values, count: values.length, present: null, collect: (results) => results };
}
