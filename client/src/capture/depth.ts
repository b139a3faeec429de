/**
 * How deep plain data goes. V8's structured clone calls itself for each level, here and where the function runs, so what is
 * too deep is refused before anything is written. Everything else travels level by level, however deep it is.
 */
import { types } from "node:util";
import { isReference } from "./kinds.ts";
import { stepTo, type Path } from "./path.ts";
import type { Vertex } from "./vertex.ts";

/** A third of what V8 can read with the stack that a worker has. */
export const MAX_DEPTH = 1_000;

/** Each question to an object (what class it is of, whether it is a URL) goes through all that it inherits from. */
export const MAX_PROTOTYPES = 3_000;

/** Functions that hold each other, one behind the other: each is a question to V8. */
export const MAX_FUNCTIONS = 10_000;
/** One that is bound costs more with each that it is bound from, since its name has theirs: `bound bound f`. */
const BOUND = "bound ";
const MAX_BOUND = 3_000;

/** Whether the function was bound more often than {@link MAX_BOUND}, each time from the one before. */
export function isBoundTooOften(fn: object): boolean {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, "name")?.value;
  return typeof name === "string" && name.startsWith(BOUND.repeat(MAX_BOUND));
}

/** Whether the object inherits from more than {@link MAX_PROTOTYPES}, one from the other. */
export function hasLongChain(value: object): boolean {
  let length = 0;
  for (let at: object | null = value; at !== null && !types.isProxy(at); at = Object.getPrototypeOf(at) as object | null) if (++length > MAX_PROTOTYPES) return true;
  return false;
}

/** The way to a part that lies too deep in the plain data of the vertices; undefined when there is none. */
export function tooDeep(vertices: ReadonlyMap<unknown, Vertex>): Path | undefined {
  const plain = [...vertices.values()].filter(({ special, value }) => !special && typeof value === "object");
  if (plain.length < MAX_DEPTH || boundOf(plain) < MAX_DEPTH) return undefined;
  const seen = new Set<object>();
  for (const { value, path, holders } of plain) {
    if (!holders.some(({ special }) => special)) continue;
    const found = deepPart(value as object, path, vertices, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** No way through the plain data is longer: from the leaves up, each level once; what leads back to itself may be of any length. */
function boundOf(plain: readonly Vertex[]): number {
  const heights = new Map(plain.map((vertex) => [vertex, 1]));
  const open = new Map<Vertex, number>();
  for (const { holders } of plain) for (const holder of holders) if (!holder.special) open.set(holder, (open.get(holder) ?? 0) + 1);
  const ready = plain.filter((vertex) => !open.has(vertex));
  let highest = 0;
  let done = 0;
  for (let vertex = ready.pop(); vertex !== undefined; vertex = ready.pop()) {
    done++;
    const height = heights.get(vertex) as number;
    highest = Math.max(highest, height);
    for (const holder of vertex.holders) {
      if (holder.special) continue;
      heights.set(holder, Math.max(heights.get(holder) as number, height + 1));
      const left = (open.get(holder) as number) - 1;
      open.set(holder, left);
      if (left === 0) ready.push(holder);
    }
  }
  return done < plain.length ? Infinity : highest;
}

/** Goes through the data in the order in which V8 writes it: what was written before is not gone into again. */
function deepPart(root: object, path: Path, vertices: ReadonlyMap<unknown, Vertex>, seen: Set<object>): Path | undefined {
  if (seen.has(root)) return undefined;
  seen.add(root);
  const levels = [{ path, parts: partsOf(root) }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.parts.next();
    if (next.done === true) {
      levels.pop();
      continue;
    }
    const [key, part] = next.value;
    if (!isReference(part) || typeof part === "symbol" || seen.has(part) || !vertices.has(part)) continue;
    seen.add(part);
    const there = stepTo(level.path, key);
    if (levels.length >= MAX_DEPTH) return there;
    levels.push({ path: there, parts: partsOf(part) });
  }
  return undefined;
}

function* partsOf(value: object): Generator<[PropertyKey, unknown]> {
  if (types.isMap(value)) {
    for (const [key, item] of value) {
      yield ["a key of the Map", key];
      yield [typeof key === "string" || typeof key === "number" ? key : "a value of the Map", item];
    }
  } else if (types.isSet(value)) {
    for (const item of value) yield ["a member of the Set", item];
  } else if (!ArrayBuffer.isView(value)) {
    for (const key of Object.keys(value)) yield [Array.isArray(value) && /^\d+$/.test(key) ? Number(key) : key, (value as Record<string, unknown>)[key]];
  }
}
