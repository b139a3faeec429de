import { builtinModules } from "node:module";
import { types } from "node:util";
import type { CodeRef } from "./code-refs.ts";
import { classNameOf } from "./kinds.ts";

/** Globals that Node makes on first use: looking at each would load them, or print a warning. */
const LAZY_GLOBALS = new Set([
  "crypto", "fetch", "performance", "Headers", "Request", "Response", "FormData", "Blob", "WebSocket", "CustomEvent",
  "ReadableStream", "WritableStream", "TransformStream", "structuredClone", "queueMicrotask", "TextEncoder", "TextDecoder",
]);

/** Values that every Node process has, found by identity: `Math.max`, `String.prototype.trim`, `fs.readFileSync`. */
export class Natives {
  #globals: Map<unknown, string> | undefined;
  #modules: Map<unknown, CodeRef> | undefined;
  #modulesLoaded = 0;
  #lazy: Map<unknown, string> | undefined;
  #lazyLoaded = 0;

  /** The code that makes this very value in any Node process, if there is some. */
  find(value: object): CodeRef | undefined {
    if (types.isProxy(value)) return undefined;
    this.#globals ??= globalValues();
    const expression = this.#globals.get(value) ?? lazyGlobal(value) ?? this.#lazyMember(value) ?? standardStream(value);
    if (expression !== undefined) return { kind: "global", expression };
    return undefined;
  }

  /** A method of a class that Node loads on first use, static or of its prototype: there is none before that. */
  #lazyMember(value: object): string | undefined {
    if (typeof value !== "function") return undefined;
    const loaded = loadedModuleCount();
    if (this.#lazy === undefined || this.#lazyLoaded !== loaded) {
      this.#lazy = lazyMembers();
      this.#lazyLoaded = loaded;
    }
    return this.#lazy.get(value);
  }

  /** The member of one of Node's own modules that this value is. */
  findInModules(value: object): CodeRef | undefined {
    const loaded = loadedModuleCount();
    if (this.#modules === undefined || this.#modulesLoaded !== loaded) {
      this.#modules = moduleValues();
      this.#modulesLoaded = loaded;
    }
    return this.#modules.get(value);
  }
}

/** Classes that Node loads on first use, by the module that they lie in. */
const LAZY_CLASSES: Readonly<Record<string, readonly string[]>> = {
  "internal/deps/undici/undici": ["Headers", "Request", "Response", "FormData"],
  "internal/webstreams/readablestream": ["ReadableStream"],
  "internal/webstreams/writablestream": ["WritableStream"],
  "internal/webstreams/transformstream": ["TransformStream"],
  "internal/blob": ["Blob"],
  "internal/abort_controller": ["AbortController", "AbortSignal"],
  "internal/event_target": ["Event", "EventTarget"],
};

function lazyMembers(): Map<unknown, string> {
  const found = new Map<unknown, string>();
  const add = (value: unknown, expression: string): boolean => isReference(value) && !found.has(value) && found.set(value, expression).size > 0;
  const loaded = new Set(moduleLoadList());
  for (const [module, names] of Object.entries(LAZY_CLASSES)) {
    if (!loaded.has(`NativeModule ${module}`)) continue;
    for (const name of names) {
      const { [name]: made } = globalThis as unknown as Record<string, unknown>;
      if (typeof made !== "function") continue;
      addMembers(made, name, add);
      addMembers(made.prototype as object, `${name}.prototype`, add);
    }
  }
  return found;
}

/** Objects that Node makes on first use, by the name of their class. */
const LAZY_OBJECTS: Readonly<Record<string, string>> = { Performance: "performance", Crypto: "crypto", SubtleCrypto: "crypto.subtle" };

function lazyGlobal(value: object): string | undefined {
  const globals = globalThis as unknown as Record<string, Record<string, unknown> | undefined>;
  if (typeof value !== "function") {
    const expression = LAZY_OBJECTS[classNameOf(value) ?? ""];
    return expression !== undefined && Object.is(lazyObject(expression), value) ? expression : undefined;
  }
  const name: unknown = Object.getOwnPropertyDescriptor(value, "name")?.value;
  if (typeof name !== "string" || name === "") return undefined;
  if (LAZY_GLOBALS.has(name)) return Object.is(globals[name], value) ? name : undefined;
  const owner = Object.values(LAZY_OBJECTS).find((expression) => LAZY_MEMBERS.has(name) && Object.is(lazyObject(expression)[name], value));
  return owner === undefined ? undefined : `${owner}[${JSON.stringify(name)}]`;
}

/** Methods that programs take from those objects: only functions of these names are looked for there. */
const LAZY_MEMBERS = new Set(["now", "mark", "measure", "randomUUID", "getRandomValues", "digest"]);

function lazyObject(expression: string): Record<string, unknown> {
  const { performance, crypto } = globalThis;
  const found: object = expression === "performance" ? performance : expression === "crypto" ? crypto : crypto.subtle;
  return found as Record<string, unknown>;
}

/** The streams of the process are made when first asked for, so only something that looks like one is compared. */
function standardStream(value: object): string | undefined {
  const fd: unknown = Object.getOwnPropertyDescriptor(value, "fd")?.value;
  const name = (["stdin", "stdout", "stderr"] as const)[typeof fd === "number" ? fd : -1];
  return name !== undefined && process[name] === value ? `process.${name}` : undefined;
}

function globalValues(): Map<unknown, string> {
  const found = new Map<unknown, string>();
  const add = (value: unknown, expression: string): boolean => {
    if (!isReference(value) || found.has(value)) return false;
    found.set(value, expression);
    return true;
  };
  add(globalThis, "globalThis");
  add(process.env, "process.env");
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    // Some Nodes have it behind a getter, though it is there from the start.
    const value = name === "Buffer" ? Buffer : (Object.getOwnPropertyDescriptor(globalThis, name)?.value as unknown);
    if (!isNativeGlobal(name, value) || !add(value, name)) continue;
    addMembers(value, name, add);
    const prototype = Object.getOwnPropertyDescriptor(value, "prototype")?.value as unknown;
    if (isReference(prototype) && add(prototype, `${name}.prototype`)) addMembers(prototype, `${name}.prototype`, add);
  }
  for (const [expression, value] of hiddenIntrinsics()) {
    if (add(value, expression)) addMembers(value, expression, add);
  }
  add(process, "process");
  addMembers(process, "process", add);
  addMembers(process.hrtime, "process.hrtime", add);
  add(console, "console");
  addMembers(console, "console", add);
  return found;
}

/** Prototypes that no global names. */
function hiddenIntrinsics(): [string, object][] {
  const iterator = "Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))";
  const asyncIterator = "Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype))";
  return [
    [iterator, Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()) as object) as object],
    [asyncIterator, Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype as object) as object) as object],
    ["Object.getPrototypeOf(Int8Array)", Object.getPrototypeOf(Int8Array) as object],
    ["Object.getPrototypeOf(Int8Array.prototype)", Object.getPrototypeOf(Int8Array.prototype) as object],
    ["Object.getPrototypeOf(async function () {})", Object.getPrototypeOf(async function () {}) as object],
    ["Object.getPrototypeOf(function* () {})", Object.getPrototypeOf(function* () {}) as object],
    ["Object.getPrototypeOf(async function* () {})", Object.getPrototypeOf(async function* () {}) as object],
    ["Object.getPrototypeOf(function* () {}).prototype", (Object.getPrototypeOf(function* () {}) as { prototype: object }).prototype],
    ["Object.getPrototypeOf(async function* () {}).prototype", (Object.getPrototypeOf(async function* () {}) as { prototype: object }).prototype],
  ];
}

function addMembers(owner: object, expression: string, add: (value: unknown, expression: string) => boolean): void {
  for (const key of Reflect.ownKeys(owner)) {
    if (key === "constructor" || key === "prototype") continue;
    const descriptor = Object.getOwnPropertyDescriptor(owner, key);
    const access = typeof key === "string" ? `[${JSON.stringify(key)}]` : symbolAccess(key);
    if (descriptor === undefined || access === undefined) continue;
    if (typeof descriptor.value === "function") add(descriptor.value, expression + access);
    const describe = `Object.getOwnPropertyDescriptor(${expression}, ${access.slice(1, -1)})`;
    if (descriptor.get !== undefined) add(descriptor.get, `${describe}.get`);
    if (descriptor.set !== undefined) add(descriptor.set, `${describe}.set`);
  }
}

/** `Symbol.iterator` for the well-known ones. */
export function wellKnownSymbol(symbol: symbol): string | undefined {
  const name = symbol.description?.startsWith("Symbol.") === true ? symbol.description.slice(7) : undefined;
  if (name === undefined) return undefined;
  return (Symbol as unknown as Record<string, unknown>)[name] === symbol ? name : undefined;
}

function symbolAccess(symbol: symbol): string | undefined {
  const name = wellKnownSymbol(symbol);
  return name === undefined ? undefined : `[Symbol.${name}]`;
}

function isNativeGlobal(name: string, value: unknown): value is object {
  if (name === "global" || name === "globalThis") return false;
  if (typeof value === "function") return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(value)) || NODE_GLOBALS.has(name);
  return typeof value === "object" && value !== null && ["Math", "JSON", "Reflect", "Atomics", "Intl", "WebAssembly"].includes(name);
}

/** Functions of Node itself that are written in JavaScript. */
const NODE_GLOBALS = new Set([
  "Buffer", "URL", "URLSearchParams", "AbortController", "AbortSignal", "Event", "EventTarget", "TextEncoder", "TextDecoder",
  "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate", "queueMicrotask",
  "structuredClone", "atob", "btoa", "fetch", "MessageChannel", "MessagePort", "MessageEvent", "BroadcastChannel", "DOMException",
]);

/** The names that a plain Node process has as globals, or whose absence code may test for. */
export function isStandardGlobal(name: string): boolean {
  if (NODE_GLOBALS.has(name) || LAZY_GLOBALS.has(name)) return true;
  if (["process", "console", "global", "globalThis", "undefined", "NaN", "Infinity", "navigator", "module", "exports", "require"].includes(name)) return true;
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
  return descriptor === undefined || descriptor.get !== undefined || isNativeGlobal(name, descriptor.value);
}

function moduleLoadList(): string[] {
  return (process as unknown as { moduleLoadList?: string[] }).moduleLoadList ?? [];
}

function loadedModuleCount(): number {
  return moduleLoadList().length;
}

function moduleValues(): Map<unknown, CodeRef> {
  const found = new Map<unknown, CodeRef>();
  const loaded = new Set(moduleLoadList());
  for (const name of builtinModules) {
    if (name.startsWith("_") || !loaded.has(`NativeModule ${name}`)) continue;
    const exports = process.getBuiltinModule(name) as object;
    addModule(found, `node:${name}`, exports, [], 2);
  }
  return found;
}

function addModule(found: Map<unknown, CodeRef>, specifier: string, value: object, path: string[], depth: number): void {
  const source = { specifier, from: "", how: "import" } as const;
  if (found.has(value)) return;
  found.set(value, { kind: "module", source, name: "default", path });
  if (depth === 0) return;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    const member = descriptor.value as unknown;
    if (isOfThisProcess(specifier, key, member)) continue;
    if (isReference(member)) addModule(found, specifier, member, [...path, key], typeof member === "function" ? 0 : depth - 1);
  }
}

/** Data of this one process, such as its arguments or the modules that it has loaded: on a worker that is other data. */
function isOfThisProcess(specifier: string, key: string, member: unknown): boolean {
  return typeof member !== "function" && (key.startsWith("_") || specifier === "node:process");
}

function isReference(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
