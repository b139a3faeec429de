import { types } from "node:util";
import type { FunctionReader } from "./functions.ts";
import { hasPlainProps, isBoxed, isBuiltinView, isPooled, isReference } from "./kinds.ts";
import { stepTo } from "./path.ts";
import type { Hold, Vertex } from "./vertex.ts";

/** Listing the property names of an array of a million numbers takes a second; V8's inspector leaves the elements out. */
const LARGE_ARRAY = 1000;

/** Longer than memory has room for elements. */
const SURELY_SPARSE = 2 ** 26;
const SAMPLES = 64;

/** Whether most of the array's indices are not there, by some of them: what listing them would take is then known before. */
function isMostlyHoles(array: readonly unknown[]): boolean {
  if (array.length > SURELY_SPARSE) return true;
  let holes = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    if (!Object.hasOwn(array, Math.floor((sample * (array.length - 1)) / (SAMPLES - 1)))) holes++;
  }
  return holes > SAMPLES / 2;
}

/**
 * Tells plain data from everything else, and notes what it holds. Plain data all the way down needs no node of its own:
 * V8's structured clone copies it, many times faster.
 */
export class PlainData {
  readonly #hold: Hold;
  readonly #functions: FunctionReader;
  readonly #views = new Map<object, Vertex[]>();

  constructor(hold: Hold, functions: FunctionReader) {
    this.#hold = hold;
    this.#functions = functions;
  }

  /** Notes what a plain container holds. False if the value is more than plain data. */
  expand(value: object, vertex: Vertex): boolean {
    if (types.isProxy(value)) return false;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (!Object.isExtensible(value)) return false;
    if (Array.isArray(value)) return prototype === Array.prototype && this.#expandArray(value, vertex);
    if (prototype === Object.prototype && !types.isNativeError(value) && !isBoxed(value)) {
      if (types.isArgumentsObject(value) || !hasPlainProps(value, 0) || this.#functions.codeOf(value) !== undefined) return false;
      this.#holdValues(value, vertex);
      return true;
    }
    // A typed array of some megabytes has as many property names: it is not asked for them.
    if (!ArrayBuffer.isView(value) && !hasPlainProps(value, 0)) return false;
    if (prototype === Map.prototype && types.isMap(value)) {
      for (const [key, item] of value) {
        this.#holdLater(key, vertex, "a key of the Map");
        this.#holdLater(item, vertex, typeof key === "string" || typeof key === "number" ? key : "a value of the Map");
      }
      return true;
    }
    if (prototype === Set.prototype && types.isSet(value)) {
      for (const item of value) this.#holdLater(item, vertex, "a member of the Set");
      return true;
    }
    return this.#isPlainLeaf(value, prototype, vertex);
  }

  #expandArray(array: unknown[], vertex: Vertex): boolean {
    if (array.length > LARGE_ARRAY && isMostlyHoles(array)) return this.#expandSparse(array, vertex);
    const isLarge = array.length > LARGE_ARRAY;
    if (isLarge ? this.#functions.namedProperties(array).length > 0 : !hasPlainProps(array, 1)) return false;
    array.forEach((item, index) => {
      this.#holdLater(item, vertex, index);
    });
    if (!isLarge && Object.keys(array).length > array.length) this.#holdValues(array, vertex);
    return true;
  }

  /** Asked by what it holds, not index by index. */
  #expandSparse(array: unknown[], vertex: Vertex): boolean {
    if (!hasPlainProps(array, 1)) return false;
    for (const key of Object.keys(array)) this.#holdLater(array[key as unknown as number], vertex, /^\d+$/.test(key) ? Number(key) : key);
    return true;
  }

  /** Views of one buffer must still share it where they run. Call it when all values have been looked at. */
  keepSharedBuffers(): void {
    for (const [buffer, views] of this.#views) {
      if (views.length < 2) continue;
      for (const vertex of views) if (vertex.value !== buffer) vertex.special = true;
    }
  }

  #isPlainLeaf(value: object, prototype: unknown, vertex: Vertex): boolean {
    if (types.isDate(value)) return prototype === Date.prototype && Reflect.ownKeys(value).length === 0;
    if (types.isRegExp(value)) return prototype === RegExp.prototype && value.lastIndex === 0;
    if (isBoxed(value)) return !types.isSymbolObject(value) && Reflect.ownKeys(value).every((key) => typeof key === "string" && (key === "length" || /^\d+$/.test(key)));
    if (types.isArrayBuffer(value)) {
      this.#noteView(value, vertex);
      return prototype === ArrayBuffer.prototype;
    }
    if (ArrayBuffer.isView(value)) {
      if (types.isSharedArrayBuffer(value.buffer)) return false;
      if (!isPooled(value)) this.#noteView(value.buffer, vertex);
      return isBuiltinView(value, prototype);
    }
    return false;
  }

  #noteView(buffer: object, vertex: Vertex): void {
    const views = this.#views.get(buffer);
    if (views === undefined) this.#views.set(buffer, [vertex]);
    else views.push(vertex);
  }

  #holdValues(value: object, vertex: Vertex): void {
    for (const [key, item] of Object.entries(value)) this.#holdLater(item, vertex, key);
  }

  #holdLater(value: unknown, vertex: Vertex, key: PropertyKey): void {
    if (isReference(value) && !this.#isFlatRecord(value)) this.#hold(value, vertex, stepTo(vertex.path, key));
  }

  /** Whether the value is a plain object of primitives: by far the most in large data, and never in need of a vertex. */
  #isFlatRecord(value: object | symbol): boolean {
    if (typeof value !== "object" || types.isProxy(value) || Object.getPrototypeOf(value) !== Object.prototype) return false;
    if (!Object.isExtensible(value) || Object.getOwnPropertySymbols(value).length > 0) return false;
    for (const name of Object.getOwnPropertyNames(value)) {
      const descriptor = Object.getOwnPropertyDescriptor(value, name) as PropertyDescriptor;
      const isOrdinary = descriptor.enumerable === true && descriptor.writable === true && descriptor.configurable === true;
      if (!isOrdinary || isReference(descriptor.value)) return false;
    }
    return !types.isNativeError(value) && !isBoxed(value) && !types.isArgumentsObject(value) && this.#functions.codeOf(value) === undefined;
  }
}
