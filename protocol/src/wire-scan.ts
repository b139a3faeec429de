/**
 * Where each of many values lies in the bytes that V8 wrote of all of them, found without making any: neither depth nor
 * what cannot be made again stops it. It knows the tags of V8's format 15 (Node 20 to 24) and refuses others.
 */
import { SLOT_KIND } from "./error-values.ts";

/** The bytes of one value, and which objects it is the first to hold, as numbered by V8. */
export interface ScannedValue {
  readonly from: number;
  readonly to: number;
  readonly firstId: number;
  /** One for each object: the bytes of its slot where it is an error's, else null. */
  readonly slots: readonly (Uint8Array | null)[];
  /** Objects of values before it, and its own. */
  readonly references: readonly number[];
}

export interface Scanned {
  readonly header: Uint8Array;
  readonly values: readonly ScannedValue[];
  /** Behind the values. */
  readonly rest: Uint8Array;
}

const code = (tag: string): number => tag.charCodeAt(0);
const [VERSION, PADDING, DENSE_ARRAY, END_DENSE_ARRAY] = [0xff, 0x00, code("A"), code("$")];
const FORMATS = [13, 14, 15];
/** Behind the tag: so many numbers of variable length, then so many bytes. */
const PLAIN = new Map<number, { numbers: number; bytes: number }>([
  ..."-_0TF".split("").map((tag) => [code(tag), { numbers: 0, bytes: 0 }] as const),
  ..."IU".split("").map((tag) => [code(tag), { numbers: 1, bytes: 0 }] as const),
  [code("N"), { numbers: 0, bytes: 8 }],
]);
const OBJECTS = new Map<number, { numbers: number; bytes: number }>([
  ..."yx".split("").map((tag) => [code(tag), { numbers: 0, bytes: 0 }] as const),
  ..."Dn".split("").map((tag) => [code(tag), { numbers: 0, bytes: 8 }] as const),
]);
const TEXTS = new Set(["\"", "c", "S"].map(code));
/** They end with a tag of their own, behind which there are so many numbers. */
const OPENERS = new Map([[code("o"), 0], [code("a"), 1], [DENSE_ARRAY, 1], [code(";"), 0], [code("'"), 0]]);
const ENDS = new Map([[code("{"), 1], [code("@"), 2], [END_DENSE_ARRAY, 2], [code(":"), 1], [code(","), 1]]);

/** @throws RangeError for bytes that end too early or are not of this format. */
export function scanValues(bytes: Uint8Array): Scanned {
  const scan = new Scan(bytes);
  scan.expect(VERSION);
  if (!FORMATS.includes(scan.number())) throw new RangeError("the values are written in an unknown format");
  const header = bytes.subarray(0, scan.at);
  scan.skipPadding();
  scan.expect(DENSE_ARRAY);
  // The array itself is the first object.
  scan.takeId(null);
  const count = scan.number();
  if (count > bytes.byteLength) throw new RangeError("there are more values than bytes");
  const values = Array.from({ length: count }, () => scan.value());
  scan.skipPadding();
  scan.expect(END_DENSE_ARRAY);
  scan.number();
  scan.number();
  return { header, values, rest: bytes.subarray(scan.at) };
}

class Scan {
  readonly #bytes: Uint8Array;
  at = 0;
  #ids = 0;
  #slots: (Uint8Array | null)[] = [];
  #references: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  expect(wanted: number): void {
    if (this.#byte() !== wanted) throw new RangeError("the values are written in an unknown form");
  }

  takeId(slot: Uint8Array | null): void {
    this.#ids++;
    this.#slots.push(slot);
  }

  /** Of variable length: seven bits in each byte. Beyond 32 bits nothing is counted. */
  number(): number {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
      if (factor > 2 ** 63) throw new RangeError("a number is too long");
    }
  }

  skipPadding(): void {
    while (this.#bytes[this.at] === PADDING) this.at++;
  }

  value(): ScannedValue {
    this.#slots = [];
    this.#references = [];
    const [from, firstId] = [this.at, this.#ids];
    let depth = 0;
    do depth += this.#token();
    while (depth > 0);
    return { from, to: this.at, firstId, slots: this.#slots, references: this.#references };
  }

  /** @returns how much deeper it is behind it. */
  #token(): number {
    this.skipPadding();
    const tag = this.#byte();
    const opened = OPENERS.get(tag);
    if (opened !== undefined) {
      this.takeId(null);
      this.#numbers(opened);
      return 1;
    }
    const ended = ENDS.get(tag);
    if (ended === undefined) this.#leaf(tag);
    else this.#numbers(ended);
    return ended === undefined ? 0 : -1;
  }

  #leaf(tag: number): void {
    const object = OBJECTS.get(tag);
    const plain = object ?? PLAIN.get(tag);
    if (object !== undefined) this.takeId(null);
    if (plain !== undefined) {
      this.#numbers(plain.numbers);
      this.#skip(plain.bytes);
    } else if (TEXTS.has(tag)) this.#skip(this.number());
    else this.#odd(String.fromCharCode(tag));
  }

  #odd(tag: string): void {
    switch (tag) {
      case "^":
        this.#references.push(this.number());
        return;
      case "Z":
        return this.#bigint();
      case "z":
        this.takeId(null);
        return this.#bigint();
      case "s":
        this.takeId(null);
        return this.#text();
      case "R":
        this.takeId(null);
        this.#text();
        this.#numbers(1);
        return;
      case "B":
        this.takeId(null);
        return this.#skip(this.number());
      case "~": {
        this.takeId(null);
        const length = this.number();
        this.#numbers(1);
        return this.#skip(length);
      }
      case "\\":
        return this.#hostObject();
      default:
        throw new RangeError("the values hold something of an unknown kind");
    }
  }

  /** A view, as Node writes it, or the slot of an error. */
  #hostObject(): void {
    const from = this.at - 1;
    const isSlot = this.number() === SLOT_KIND;
    if (isSlot) this.number();
    this.#skip(this.number());
    this.takeId(isSlot ? this.#bytes.subarray(from, this.at) : null);
  }

  #bigint(): void {
    this.#skip(Math.floor(this.number() / 2));
  }

  #text(): void {
    this.skipPadding();
    if (!TEXTS.has(this.#byte())) throw new RangeError("the values hold something of an unknown kind");
    this.#skip(this.number());
  }

  #numbers(count: number): void {
    for (let left = count; left > 0; left--) this.number();
  }

  #skip(count: number): void {
    this.at += count;
    if (this.at > this.#bytes.byteLength) throw new RangeError("the values end too early");
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new RangeError("the values end too early");
    return byte;
  }
}
