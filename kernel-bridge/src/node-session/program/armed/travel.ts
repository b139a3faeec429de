/** How the inputs of a map reach a worker: as data, within what is captured of the function, or not at all. */

/** `data`: a copy is the same. `captured`: objects of classes, functions. `stays`: what has its place here, such as a promise. */
export type Travel = "data" | "captured" | "stays";

/** Of so many values at most it is looked at what they are: the others are like those. */
const MAX_LOOKED_AT = 20_000;
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;
const ITERATOR = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as object;
const PLAIN = new Set<unknown>([Object, Array, Map, Set, Date, RegExp, ArrayBuffer, DataView, Boolean, Number, String].map(({ prototype }) => prototype as unknown));

export function travelOf(values: readonly unknown[]): Travel {
  const seen = new Set<object>();
  const waiting: unknown[] = values.slice(0, MAX_LOOKED_AT);
  let travel: Travel = "data";
  for (let at = 0; at < waiting.length && at < MAX_LOOKED_AT; at++) {
    const value = waiting[at];
    if (typeof value === "symbol") return "stays";
    if (typeof value === "function") travel = "captured";
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (isTied(value)) return "stays";
    if (!isData(value)) travel = "captured";
    for (const part of partsOf(value)) waiting.push(part);
  }
  return travel;
}

/** Its state is not among its properties. */
function isTied(value: object): boolean {
  return value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || Object.prototype.isPrototypeOf.call(ITERATOR, value);
}

function isData(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || PLAIN.has(prototype) || value instanceof Error || ArrayBuffer.isView(value) || Object.getPrototypeOf(prototype) === TYPED_ARRAY;
}

function* partsOf(value: object): Iterable<unknown> {
  if (value instanceof Map) for (const entry of value) yield* entry;
  else if (value instanceof Set) yield* value;
  else if (!ArrayBuffer.isView(value)) for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) if ("value" in property) yield property.value;
}
