import type { HeapNode, Slots } from "./heap-format.ts";

/** What a maker in the bundle returns: see `renderTemplate`. */
type Maker = () => [bind: (variables: unknown[]) => void, make: (base: unknown, names: PropertyKey[]) => object, hooks?: () => Hooks];

/** How private fields of instances, and of a class, are set. */
interface Hooks {
  set(instance: object, values: unknown[]): void;
  setStatic(owner: object, values: unknown[]): void;
}

/** The part of `node:v8` that is needed here. */
interface Reader {
  DefaultDeserializer: new (bytes: Uint8Array) => { readHeader(): boolean; readValue(): unknown; _readHostObject(): ArrayBufferView };
}

interface Captured {
  heap: HeapNode[];
  root: number;
}

/**
 * Makes the captured values again. Its text is put into every bundle, so it may use nothing from outside itself.
 * Objects are made first and filled afterwards, so that cycles close; making one needs only its prototype, and a
 * function its base class and outer `this`.
 */
export function restoreHeap(bytes: Uint8Array, { DefaultDeserializer }: Reader, makers: Maker[], codes: unknown[], state: { installing: boolean }): unknown {
  /** Gives each typed array memory of its own, instead of a view into all that was captured. */
  class OwnMemory extends DefaultDeserializer {
    override _readHostObject(): ArrayBufferView {
      const view = super._readHostObject();
      const memory = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
      return Buffer.isBuffer(view) ? Buffer.from(memory) : new (view.constructor as new (memory: ArrayBuffer) => ArrayBufferView)(memory);
    }
  }
  const reader = new OwnMemory(bytes);
  reader.readHeader();
  const { heap, root } = reader.readValue() as Captured;
  const made: unknown[] = new Array<unknown>(heap.length);
  const done: boolean[] = new Array<boolean>(heap.length).fill(false);
  const hooks = new Map<unknown, () => Hooks>();
  const binds: (((variables: unknown[]) => void) | undefined)[] = new Array(heap.length);
  const read = (slots: Slots, index: number): unknown => {
    const ref = slots.refs[index];
    return ref === undefined || ref < 0 ? slots.raws[index] : get(ref);
  };
  const readFrom = (slots: Slots, start: number): unknown[] => {
    const values: unknown[] = [];
    for (let index = start; index < slots.raws.length; index++) values.push(read(slots, index));
    return values;
  };
  const get = (id: number): unknown => {
    if (!done[id]) {
      const node = heap[id] as HeapNode;
      const value = node.kind === "object" && node.privates !== undefined ? makeMarked(node) : make(node, id);
      made[id] = value;
      if (node.kind !== "function") mark(node, value as object);
      done[id] = true;
    }
    return made[id];
  };
  const withPrototype = (object: object, node: HeapNode): object => {
    const prototype = read(node.slots, 0) as object | null | undefined;
    return prototype === undefined ? object : (Object.setPrototypeOf(object, prototype) as object);
  };
  const make = (node: HeapNode, id: number): unknown => {
    const data = node.data as Record<string, never>;
    switch (node.kind) {
      case "object":
        return withPrototype({}, node);
      case "array":
        return withPrototype([], node);
      case "map":
        return withPrototype(new Map(), node);
      case "set":
        return withPrototype(new Set(), node);
      case "weakmap":
        return withPrototype(new WeakMap(), node);
      case "weakset":
        return withPrototype(new WeakSet(), node);
      case "error":
        return withPrototype(makeError(data), node);
      case "date":
        return withPrototype(new Date(node.data as number), node);
      case "regexp":
        return withPrototype(new RegExp(data["source"] as unknown as string, data["flags"]), node);
      case "boxed":
        return withPrototype(Object(read(node.slots, 1)) as object, node);
      case "view":
        return withPrototype(makeView(data, read(node.slots, 1) as ArrayBuffer), node);
      case "symbol":
        return makeSymbol(data);
      case "function":
        return makeFunction(node, id);
      case "bound": {
        const [target, boundThis, ...args] = readFrom(node.slots, 0);
        return Function.prototype.bind.call(target as () => void, boundThis, ...args) as unknown;
      }
      case "code":
        return codes[node.data as number];
      case "prototype":
        return (read(node.slots, 0) as { prototype: object }).prototype;
      case "call": {
        const [callee, ...args] = readFrom(node.slots, 0);
        return (callee as (...args: unknown[]) => unknown)(...args);
      }
      case "cell":
        return { v: undefined };
      case "construct": {
        let constructor: unknown = globalThis;
        for (const name of (node.data as string).split(".")) constructor = (constructor as Record<string, unknown>)[name];
        return withPrototype(Reflect.construct(constructor as new () => object, readFrom(node.slots, 1)), node);
      }
      default:
        throw new Error(`This bundle cannot restore a value of kind ${node.kind}`);
    }
  };
  const makeError = (data: { stack?: string }): Error => {
    const error = new Error();
    if (data.stack === undefined) delete (error as { stack?: string }).stack;
    else Object.defineProperty(error, "stack", { value: data.stack, writable: true, configurable: true });
    return error;
  };
  const makeView = (data: { type?: string; offset?: number; length?: number }, buffer: ArrayBuffer): object => {
    const { type = "", offset = 0, length = 0 } = data;
    if (type === "Buffer") return Buffer.from(buffer, offset, length);
    const constructor = (globalThis as unknown as Record<string, Uint8ArrayConstructor>)[type] as Uint8ArrayConstructor;
    return new constructor(buffer, offset, length);
  };
  const makeSymbol = (data: { key?: string; wellKnown?: string; description?: string }): symbol => {
    if (data.key !== undefined) return Symbol.for(data.key);
    if (data.wellKnown !== undefined) return (Symbol as unknown as Record<string, symbol>)[data.wellKnown] as symbol;
    return Symbol(data.description);
  };
  const makeFunction = (node: HeapNode, id: number): object => {
    const { template, early, names } = node.data as { template: number; early: boolean; names: number };
    const maker = makers[template] as Maker;
    const [bind, create, hooksOf] = maker.apply(read(node.slots, 1) as undefined);
    binds[id] = bind;
    if (early) bind(readFrom(node.slots, 2));
    // Whatever a class extends by now is set when all are made.
    const base = read(node.slots, 0) ?? (early ? Object : undefined);
    const fn = create(base, names > 0 ? (readFrom(node.slots, node.slots.raws.length - names) as PropertyKey[]) : []);
    if (hooksOf !== undefined) hooks.set(fn, hooksOf);
    return fn;
  };
  /** An instance whose outermost base class has private members can only come from that class. */
  const makeMarked = (node: HeapNode): object => {
    const owner = read((node.privates as { slots: Slots }[])[0]?.slots as Slots, 0) as () => void;
    const prototype = read(node.slots, 0) as object;
    if (Object.getPrototypeOf(owner) !== Function.prototype) return Object.create(prototype) as object;
    const target = function () {};
    target.prototype = prototype;
    state.installing = true;
    try {
      return Reflect.construct(owner, [], target) as object;
    } finally {
      state.installing = false;
    }
  };
  /** Lets each derived class add its private members to the instance: by way of a base class that returns it. */
  const mark = (node: HeapNode, value: object): void => {
    for (const { slots } of node.privates ?? []) {
      const owner = read(slots, 0) as () => void;
      const base = Object.getPrototypeOf(owner) as object;
      if (base === Function.prototype) continue;
      const passOn = function () {
        return value;
      };
      Object.setPrototypeOf(owner, passOn);
      state.installing = true;
      try {
        Reflect.construct(owner, []);
      } finally {
        state.installing = false;
        Object.setPrototypeOf(owner, base);
      }
    }
  };
  const fill = (node: HeapNode, id: number): void => {
    const value = made[id];
    switch (node.kind) {
      case "map":
      case "weakmap": {
        const entries = readFrom(node.slots, 1);
        for (let at = 0; at < entries.length; at += 2) (value as Map<unknown, unknown>).set(entries[at], entries[at + 1]);
        break;
      }
      case "set":
      case "weakset":
        for (const member of readFrom(node.slots, 1)) (value as Set<unknown>).add(member);
        break;
      case "function":
        binds[id]?.(readFrom(node.slots, 2));
        break;
      case "cell":
        (value as { v: unknown }).v = read(node.slots, 0);
        break;
      default:
    }
    if (node.proto !== undefined) Object.setPrototypeOf(value, read(node.proto, 0) as object | null);
    for (const { slots } of node.privates ?? []) {
      const owner = read(slots, 0) as object;
      const { set, setStatic } = (hooks.get(owner) as () => Hooks)();
      if (owner === value) setStatic(owner, readFrom(slots, 1));
      else set(value as object, readFrom(slots, 1));
    }
    if (node.props !== undefined) define(value as object, node.props);
    if (node.kind === "array") finishArray(value as unknown[], node.data as { length: number; isFixed: boolean });
  };
  /** Last, since an array that is long from the start takes memory for what it does not hold. */
  const finishArray = (array: unknown[], { length, isFixed }: { length: number; isFixed: boolean }): void => {
    array.length = length;
    if (isFixed) Object.defineProperty(array, "length", { writable: false });
  };
  const define = (target: object, { flags, slots }: { flags: number[]; slots: Slots }): void => {
    let at = 0;
    for (const flag of flags) {
      const key = read(slots, at++) as PropertyKey;
      const shared = { enumerable: (flag & 2) !== 0, configurable: (flag & 4) !== 0 };
      if ((flag & 32) !== 0) {
        Reflect.deleteProperty(target, key);
      } else if ((flag & 16) !== 0) {
        Object.defineProperty(target, key, (flag & 8) === 0 ? { writable: (flag & 1) !== 0, ...shared } : shared);
      } else if ((flag & 8) === 0) {
        Object.defineProperty(target, key, { value: read(slots, at++), writable: (flag & 1) !== 0, ...shared });
      } else {
        const accessor = { get: read(slots, at++) as () => unknown, set: read(slots, at++) as (value: unknown) => void };
        Object.defineProperty(target, key, { ...accessor, ...shared });
      }
    }
  };
  for (let id = 0; id < heap.length; id++) get(id);
  for (let id = 0; id < heap.length; id++) fill(heap[id] as HeapNode, id);
  for (let id = 0; id < heap.length; id++) {
    const { integrity = 0 } = heap[id] as HeapNode;
    if (integrity === 1) Object.preventExtensions(made[id] as object);
    if (integrity === 2) Object.seal(made[id] as object);
    if (integrity === 3) Object.freeze(made[id] as object);
  }
  return made[root];
}
