/**
 * Errors among values. Of an error V8 writes message and stack, and one that leads back to itself it writes so that it
 * cannot be read. So errors are taken out before V8 writes the rest: in their place it gets *slots*, and behind the values
 * a table of what each error holds. The table is flat: long chains and rings of causes need no stack to be read.
 *
 *   SLOTS | V8's header | the values, with slots | the table: for each error, a list of `Detail`
 */
import { DefaultDeserializer, DefaultSerializer, type Deserializer } from "node:v8";
import { types } from "node:util";
import { builtinOf, defineDetails, detailsOf, makeError, textOf, type Detail } from "./error-parts.ts";
import { travelsAsError, walk } from "./look-inside.ts";

/** The first byte of values with errors in them; V8 begins with 0xFF, Python's pickle with 0x80. */
export const SLOTS = 0x01;
/** The number that stands for a slot where Node writes which kind of view follows. One byte, and beyond Node's. */
export const SLOT_KIND = 101;
/** The error that the properties are of, which whoever reads them has made already. */
const OUTER = "outer";
/** Set by `makeError`, or by reading the slot. */
const MADE = new Set<PropertyKey>(["name", "message", "code"]);
const NONE = new Set<PropertyKey>();

/** Applied to each stack, to drop frames that are not the user's. */
export type MapStack = (stack: string) => string;

/** V8 asks its writer what to do with views alone, so it is one; of no length. */
class Slot extends Uint8Array {
  number = 0;
  /** How the error is made: class, and for one that cannot be changed later its message and name. */
  made: [builtin: string, message: string, name: string] = ["Error", "", ""];
}

class SlotSerializer extends DefaultSerializer {
  // Node names it with an underscore and documents it as the method to override.
  _writeHostObject(view: ArrayBufferView): void {
    if (!(view instanceof Slot)) {
      (DefaultSerializer.prototype as unknown as { _writeHostObject(view: ArrayBufferView): void })._writeHostObject.call(this, view);
      return;
    }
    const made = Buffer.from(JSON.stringify(view.made));
    this.writeUint32(SLOT_KIND);
    this.writeUint32(view.number);
    this.writeUint32(made.byteLength);
    this.writeRawBytes(made);
  }
}

/** Reads what a slot stands for, behind `SLOT_KIND`. */
export function readSlot(deserializer: Deserializer, errors: Map<number, Error>, outer: Error | null): Error {
  const number = deserializer.readUint32();
  const [builtin, message, name] = JSON.parse(deserializer.readRawBytes(deserializer.readUint32()).toString()) as [string, string, string];
  const error = builtin === OUTER && outer !== null ? outer : makeError(builtin, message, name);
  if (error !== outer) errors.set(number, error);
  return error;
}

/** Fills the errors that were read with what the table says of them. @throws TypeError when it is no such table. */
export function fillErrors(errors: ReadonlyMap<number, Error>, table: unknown): void {
  for (const [number, error] of errors) {
    const details = (table as Detail[][])[number];
    if (!Array.isArray(details)) throw new TypeError("the table of errors has a gap");
    if (!details.some(([key]) => key === "stack")) Reflect.deleteProperty(error, "stack");
    defineDetails(error, details);
  }
}

/**
 * @param outer an error that is in the values by name only: who reads them has it.
 * @throws Error for what structured clone cannot copy.
 */
export function encodeWithErrors(values: readonly unknown[], mapStack: MapStack, outer: Error | null): Uint8Array {
  const detached = new Detached(mapStack, outer);
  const copy = detached.copyOf(values);
  const table = detached.table();
  const serializer = new SlotSerializer();
  serializer.writeHeader();
  serializer.writeValue(copy);
  serializer.writeValue(table);
  return Buffer.concat([Buffer.of(SLOTS), serializer.releaseBuffer()]);
}

/** Values with slots in place of the errors: all that leads to an error is copied, the rest is as it was. */
class Detached {
  readonly #mapStack: MapStack;
  readonly #outer: Error | null;
  readonly #copies = new Map<object, object>();
  readonly #errors: Error[] = [];
  /** Copies that are to be filled. */
  readonly #left: [source: object, copy: object][] = [];

  constructor(mapStack: MapStack, outer: Error | null) {
    this.#mapStack = mapStack;
    this.#outer = outer;
  }

  /** @throws what a getter throws. */
  copyOf(root: object): unknown {
    const leads = leadingToErrors(root);
    const copy = this.#of(root, leads);
    for (let next = this.#left.pop(); next !== undefined; next = this.#left.pop()) this.#fill(...next, leads);
    return copy;
  }

  /** What the errors hold, in the order of their numbers. They may lead to further ones. */
  table(): unknown[] {
    const table: unknown[] = [];
    for (let number = 0; number < this.#errors.length; number++) table.push(this.copyOf(this.#detailsOf(this.#errors[number] as Error)));
    return table;
  }

  #detailsOf(error: Error): Detail[] {
    const builtin = builtinOf(error);
    const details = detailsOf(error, builtin === "DOMException" ? MADE : NONE).map(([key, isEnumerable, value]): Detail =>
      [key, isEnumerable, key === "stack" && typeof value === "string" ? this.#mapped(value) : value]);
    const name = textOf(error, "name");
    const isNamed = builtin === "DOMException" || name === builtin || details.some(([key]) => key === "name");
    return isNamed ? details : [...details, ["name", false, name]];
  }

  #mapped(stack: string): string {
    try {
      return this.#mapStack(stack);
    } catch {
      return stack;
    }
  }

  #of(value: unknown, leads: ReadonlySet<object>): unknown {
    if (typeof value !== "object" || value === null || !leads.has(value)) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    const copy = travelsAsError(value) ? this.#slotOf(value) : emptyCopy(value);
    this.#copies.set(value, copy);
    if (copy !== value && !(copy instanceof Slot)) this.#left.push([value, copy]);
    return copy;
  }

  #slotOf(error: Error): Slot {
    const slot = new Slot(0);
    if (error === this.#outer) {
      slot.made = [OUTER, "", ""];
      return slot;
    }
    const builtin = builtinOf(error);
    slot.number = this.#errors.push(error) - 1;
    slot.made = builtin === "DOMException" ? [builtin, textOf(error, "message"), textOf(error, "name")] : [builtin, "", ""];
    return slot;
  }

  #fill(source: object, copy: object, leads: ReadonlySet<object>): void {
    if (copy instanceof Map) for (const [key, item] of source as Map<unknown, unknown>) copy.set(this.#of(key, leads), this.#of(item, leads));
    else if (copy instanceof Set) for (const item of source as Set<unknown>) copy.add(this.#of(item, leads));
    else if (Array.isArray(source) && isPacked(source)) for (const item of source) (copy as unknown[]).push(this.#of(item, leads));
    else {
      if (Array.isArray(source)) (copy as unknown[]).length = source.length;
      for (const key of Object.keys(source)) {
        const value = this.#of((source as Record<string, unknown>)[key], leads);
        Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true });
      }
    }
  }
}

/** The errors, and what leads to them. */
function leadingToErrors(root: object): Set<object> {
  const holders = new Map<object, object[]>();
  const found: object[] = [];
  walk(root, (part, holder) => {
    const known = holders.get(part);
    if (known === undefined) holders.set(part, holder === null ? [] : [holder]);
    else if (holder !== null) known.push(holder);
    if (known === undefined && travelsAsError(part)) found.push(part);
    return known === undefined && !travelsAsError(part);
  });
  const leads = new Set<object>();
  for (let next = found.pop(); next !== undefined; next = found.pop()) {
    if (leads.has(next)) continue;
    leads.add(next);
    for (const holder of holders.get(next) ?? []) found.push(holder);
  }
  return leads;
}

/** Neither holes nor names beside the items: V8 writes those in another form. */
function isPacked(list: readonly unknown[]): boolean {
  return Object.keys(list).length === list.length;
}

/** What V8 would make of it, before it is filled; the value itself where V8 refuses. */
function emptyCopy(value: object): object {
  if (Array.isArray(value)) return [];
  if (types.isMap(value)) return new Map<unknown, unknown>();
  if (types.isSet(value)) return new Set<unknown>();
  return types.isProxy(value) || types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) ? value : {};
}

/** Node's reader, with slots and with memory of its own for each view. */
export class ValueDeserializer extends DefaultDeserializer {
  readonly errors = new Map<number, Error>();
  readonly #bytes: Uint8Array;
  readonly #outer: Error | null;
  readonly #hasSlots: boolean;

  constructor(bytes: Uint8Array, outer: Error | null = null) {
    const hasSlots = bytes[0] === SLOTS;
    const rest = hasSlots ? bytes.subarray(1) : bytes;
    super(rest);
    this.#bytes = rest;
    this.#outer = outer;
    this.#hasSlots = hasSlots;
  }

  /** The values as they were. */
  readAll(): unknown {
    this.readHeader();
    const value: unknown = this.readValue();
    this.end();
    return value;
  }

  /** To be called when the values have been read: errors in them are whole then. */
  end(): void {
    if (this.#hasSlots) fillErrors(this.errors, this.readValue());
  }

  // Node names it with an underscore and documents it as the method to override.
  _readHostObject(): unknown {
    if (this.#hasSlots && this.#peek() === SLOT_KIND) {
      this.readUint32();
      return readSlot(this, this.errors, this.#outer);
    }
    const { _readHostObject: readView } = DefaultDeserializer.prototype as unknown as { _readHostObject(): ArrayBufferView };
    const view = readView.call(this);
    const memory = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
    return Buffer.isBuffer(view) ? Buffer.from(memory) : new (view.constructor as new (memory: ArrayBuffer) => ArrayBufferView)(memory);
  }

  #peek(): number | undefined {
    return this.#bytes[this.readRawBytes(0).byteOffset - this.#bytes.byteOffset];
  }
}
