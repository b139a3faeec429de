/**
 * Values that were written together, read one by one: what one of them does to its reader, its neighbours do not notice.
 * Slow, and needed only where reading all at once has failed.
 */
import { SLOTS, ValueDeserializer } from "./error-values.ts";
import { scanValues, type Scanned, type ScannedValue } from "./wire-scan.ts";

export interface OpenedValues {
  /** In their order; undefined in place of one that cannot be read. */
  readonly values: readonly unknown[];
  /** Why, by position. */
  readonly unreadable: ReadonlyMap<number, string>;
}

/** An empty array and an empty object: each stands where V8 has counted an object. */
const [EMPTY_ARRAY, EMPTY_OBJECT] = [Buffer.from("A\0$\0\0", "latin1"), Buffer.from("o{\0", "latin1")];
const UNDEFINED = Buffer.from("_", "latin1");
const DAMAGED = "it is damaged";
const SHARED = "it shares a part with one that cannot be read";

/** Never throws. Where the bytes themselves make no sense, all `count` values are unreadable. */
export function readApart(bytes: Uint8Array, count: number): OpenedValues {
  try {
    return new Apart(bytes, count).read();
  } catch {
    const values = new Array<undefined>(count).fill(undefined);
    return { values, unreadable: new Map(values.map((_, position) => [position, DAMAGED])) };
  }
}

class Apart {
  readonly #prefix: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #scanned: Scanned;
  readonly #count: number;
  readonly #unreadable = new Map<number, string>();
  /** Values that are passed over hold these objects. */
  readonly #lost: { from: number; to: number }[] = [];

  constructor(bytes: Uint8Array, count: number) {
    const hasSlots = bytes[0] === SLOTS;
    this.#prefix = hasSlots ? bytes.subarray(0, 1) : new Uint8Array(0);
    this.#bytes = hasSlots ? bytes.subarray(1) : bytes;
    this.#scanned = scanValues(this.#bytes);
    this.#count = count;
    if (this.#scanned.values.length < count) throw new RangeError("there are too few values");
  }

  /** Again after each value that cannot be read, without it. */
  read(): OpenedValues {
    for (;;) {
      const values = this.#attempt();
      if (values !== null) return { values, unreadable: this.#unreadable };
    }
  }

  #attempt(): unknown[] | null {
    const reader = new ValueDeserializer(this.#withoutUnreadable());
    reader.readHeader();
    // In place of the array that held the values.
    reader.readValue();
    const values: unknown[] = [];
    for (let position = 0; position < this.#count; position++) {
      try {
        const value: unknown = reader.readValue();
        values.push(this.#unreadable.has(position) ? undefined : value);
      } catch (error) {
        this.#passOver(position, reasonOf(error));
        return null;
      }
    }
    reader.end();
    return values;
  }

  #passOver(position: number, reason: string): void {
    if (this.#unreadable.has(position)) throw new RangeError("nothing can be read");
    this.#unreadable.set(position, reason);
    const { firstId, slots } = this.#value(position);
    this.#lost.push({ from: firstId, to: firstId + slots.length });
    for (let later = position + 1; later < this.#count; later++) {
      const { references } = this.#value(later);
      if (!this.#unreadable.has(later) && references.some((id) => this.#isLost(id))) this.#passOver(later, SHARED);
    }
  }

  /** Slots are kept, and so are the errors that they stand for. */
  #isLost(id: number): boolean {
    return this.#lost.some(({ from, to }) => id >= from && id < to) && !this.#isSlot(id);
  }

  #isSlot(id: number): boolean {
    const holder = this.#scanned.values.find(({ firstId, slots }) => id >= firstId && id < firstId + slots.length);
    return holder?.slots[id - holder.firstId] != null;
  }

  #value(position: number): ScannedValue {
    return this.#scanned.values[position] as ScannedValue;
  }

  #withoutUnreadable(): Uint8Array {
    const { header, values, rest } = this.#scanned;
    const parts = values.flatMap((value, position) => (this.#unreadable.has(position) ? standIns(value) : [this.#bytes.subarray(value.from, value.to)]));
    return Buffer.concat([this.#prefix, header, EMPTY_ARRAY, ...parts, rest]);
  }
}

/** One value that counts as many objects as this one, so that the numbers of those behind it are the same. */
function standIns({ slots }: ScannedValue): Uint8Array[] {
  if (slots.length === 0) return [UNDEFINED];
  const inner = slots.slice(1).map((slot) => slot ?? EMPTY_OBJECT);
  const count = varint(inner.length);
  if (slots[0] != null) return [slots[0], ...inner];
  return [Buffer.from("A"), count, ...inner, Buffer.from("$"), varint(0), count];
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.from([...bytes, left]);
}

function reasonOf(error: unknown): string {
  return error instanceof RangeError && /call stack/.test(error.message) ? "it is nested too deep" : "something in it cannot be made again here";
}
