/** What one value does to whoever reads it, its neighbours do not notice. */
import assert from "node:assert/strict";
import { serialize } from "node:v8";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { readApart } from "./apart.ts";
import { encodeValues, openValues } from "./value.ts";

/** Deeper than can be read, and not too deep to be written. */
const DEPTH = 2_500;

interface Link {
  v: number;
  next: unknown;
}

const list = (depth: number): unknown => {
  let last: unknown = null;
  for (let v = 0; v < depth; v++) last = { v, next: last } satisfies Link;
  return last;
};
const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let inner: unknown = 1;
  for (let at = 0; at < depth; at++) inner = wrap(inner);
  return inner;
};
/** As many levels as can be written, by ever smaller steps: how many depends on the kind. */
const deepest = (wrap: (inner: unknown) => unknown): unknown => {
  for (let depth = 6_000; depth > 0; depth -= 50) {
    const value = nested(depth, wrap);
    try {
      serialize([value]);
      return value;
    } catch {
      // Too deep to be written.
    }
  }
  throw new Error("nothing can be written");
};

const DEEP: Record<string, () => unknown> = {
  "a linked list": () => list(DEPTH),
  "maps, by their values": () => deepest((inner) => new Map([[1, inner]])),
  "maps, by their keys": () => deepest((inner) => new Map([[inner, 1]])),
  "sets": () => deepest((inner) => new Set([inner])),
  "objects beside buffers": () => deepest((inner) => ({ bytes: Buffer.from("x"), inner })),
  "sparse arrays": () => deepest((inner) => Object.assign([], { 5: inner, name: "x" })),
};

for (const [name, make] of Object.entries(DEEP)) {
  test(`${name}, nested too deep, are unreadable alone`, () => {
    const shared = { of: "all" };
    const values = [1, "two", shared, make(), { shared, date: new Date(5) }, new Map([["k", new Set([shared])]]), Uint8Array.of(1, 2), make(), 1n, "é€", undefined];
    const { values: read, unreadable } = openValues(encodeValues(values), values.length);
    assert.deepEqual([...unreadable], [[3, "it is nested too deep"], [7, "it is nested too deep"]]);
    values[3] = values[7] = undefined;
    assert.deepEqual(read, values);
    assert.equal((read[4] as { shared: unknown }).shared, read[2], "what they share they still share");
  });
}

test("what shares a part with an unreadable value is unreadable too, and never something else", () => {
  const deep = list(DEPTH) as { next: unknown };
  const { values, unreadable } = openValues(encodeValues([{ a: 1 }, deep, { part: deep.next }, { a: 2 }]), 4);
  assert.deepEqual([...unreadable.keys()].sort(), [1, 2]);
  assert.deepEqual([values[0], values[3]], [{ a: 1 }, { a: 2 }]);
});

test("errors keep their own beside a value that cannot be read, and when it holds them", () => {
  const error = Object.assign(new TypeError("kept"), { code: 5 });
  const { values, unreadable } = openValues(encodeValues([error, { deep: list(DEPTH), error: new RangeError("lost") }, { error }]), 3);
  assert.deepEqual([...unreadable.keys()], [1]);
  assert.ok(values[0] instanceof TypeError && (values[0] as TypeError & { code: number }).code === 5);
  assert.equal((values[2] as { error: unknown }).error, values[0]);
});

test("on a small stack the deep ones are unreadable, and the others are read", () => {
  const values = [1, list(400), { a: [1] }];
  const bytes = encodeValues(values);
  const onSmallStack = (left: number): ReturnType<typeof openValues> => {
    try {
      return left === 0 ? openValues(bytes, 3) : onSmallStack(left - 1);
    } catch {
      return onSmallStack(left - 200);
    }
  };
  const { values: read, unreadable } = onSmallStack(9_000);
  assert.ok(!unreadable.has(0) && !unreadable.has(2), [...unreadable].join());
  assert.deepEqual([read[0], read[2]], [1, { a: [1] }]);
});

const anything = fc
  .anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withSparseArray: true, withTypedArray: true, withUnicodeString: true, withBoxedValues: true })
  // Of two dates without a time `assert` says that they differ: those have a test of their own.
  .filter((value) => !inspect(value, { depth: Infinity, maxArrayLength: Infinity }).includes("Invalid Date"));

test("a date without a time is read by itself as it is among others", () => {
  const bytes = encodeValues([1, new Date(NaN), { at: new Date(NaN) }]);
  const [, date, holder] = readApart(bytes, 3).values as [number, Date, { at: Date }];
  assert.ok(date instanceof Date && holder.at instanceof Date);
  assert.deepEqual([date.getTime(), holder.at.getTime()], [NaN, NaN]);
});

test("any values are read one by one as they are together", () => {
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 8 }), (some) => {
      const values = [...some, some[0], { again: some }, /a+/giu, new Error("e"), new ArrayBuffer(3), Object(1n)];
      const bytes = encodeValues(values);
      const { values: together } = openValues(bytes, values.length);
      const { values: apart, unreadable } = readApart(bytes, values.length);
      assert.deepEqual([...unreadable], []);
      assert.deepEqual(apart, together);
    }),
    { numRuns: 500 },
  );
});

test("any values beside one that cannot be read are as they were", () => {
  const deep = list(DEPTH);
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 5 }), fc.nat(5), (some, at) => {
      const values = [...some.slice(0, at), deep, ...some.slice(at), some];
      const position = Math.min(at, some.length);
      const { values: read, unreadable } = openValues(encodeValues(values), values.length);
      assert.deepEqual([...unreadable.keys()], [position]);
      assert.deepEqual(read[values.length - 1], openValues(encodeValues([some]), 1).values[0]);
    }),
    { numRuns: 100 },
  );
});

test("damaged bytes end nothing", () => {
  const bytes = encodeValues([1, { a: "text", list: [1, 2, 3] }, new Map([["k", new Error("e")]]), Buffer.from("abc")]);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.nat(bytes.byteLength), (changes, length) => {
      const damaged = Uint8Array.from(bytes);
      for (const [at, byte] of changes) damaged[at] = byte;
      const { values, unreadable } = openValues(damaged.subarray(0, length), 4);
      assert.ok(values.length >= 4 && unreadable.size <= 4);
    }),
    { numRuns: 3_000 },
  );
  for (const hostile of [new Uint8Array(0), Uint8Array.of(1), Uint8Array.of(0xff, 15), Buffer.from("\u00ff\u000fA\u00ff\u00ff\u00ff\u00ff\u000f", "latin1"), encodeValues([1])]) {
    assert.equal(openValues(hostile, 3).unreadable.size, 3);
  }
});
