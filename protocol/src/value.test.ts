import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { decodeValues, encodeValues, findUncloneable } from "./value.ts";

test("what structured clone copies survives, with shared parts and cycles", () => {
  fc.assert(
    fc.property(fc.array(fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true })), (values) => {
      assert.deepEqual(decodeValues(encodeValues(values)), values.map(withoutNullPrototypes));
    }),
  );
  const shared = { n: 1 };
  const cyclic: Record<string, unknown> = { shared, again: shared };
  cyclic["self"] = cyclic;
  const [back] = decodeValues(encodeValues([cyclic])) as [typeof cyclic];
  assert.equal(back["self"], back);
  assert.equal(back["shared"], back["again"]);
});

/** Objects come back with `Object.prototype`. */
function withoutNullPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === Object.keys(value).length ? value.map(withoutNullPrototypes) : decodeValues(encodeValues([value]))[0];
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [withoutNullPrototypes(key), withoutNullPrototypes(item)]));
  if (value instanceof Set) return new Set([...value].map(withoutNullPrototypes));
  if (typeof value !== "object" || value === null || ![null, Object.prototype].includes(Object.getPrototypeOf(value) as never)) return value;
  const plain = {};
  for (const [key, part] of Object.entries(value)) Object.defineProperty(plain, key, { value: withoutNullPrototypes(part), enumerable: true, configurable: true, writable: true });
  return plain;
}

test("special values keep what they are", () => {
  class Point {
    x = 1;
    #secret = 2;
    get secret() {
      return this.#secret;
    }
  }
  const values = [-0, Number.NaN, 5n, undefined, null, new Date(5), /a/giu, Buffer.from("ab"), new Float32Array([1.5])];
  assert.deepEqual(decodeValues(encodeValues(values)), values);
  assert.ok((decodeValues(encodeValues([Object("boxed")]))[0] as unknown) instanceof String);
  const [view] = decodeValues(encodeValues([new DataView(new Uint8Array([1, 2]).buffer)])) as [DataView];
  assert.equal(view.getUint16(0), 0x0102);
  const [point, error] = decodeValues(encodeValues([new Point(), new RangeError("r")]));
  assert.deepEqual(point, { x: 1 }, "an instance arrives as a plain object of its own fields");
  assert.ok(error instanceof RangeError && error.message === "r");
});

test("an object without fields is one", () => {
  class Empty {
    #hidden = 1;
    shown() {
      return this.#hidden;
    }
  }
  const values = [{}, [], new Map(), new Set(), new Date(0), new Empty(), Object.create(null), Object.create({}), [[{}]], "o{\0", new Uint8Array([0x6f, 0x7b, 0])];
  assert.equal(decodeValues(encodeValues([...values, new Error(), /a/, Object(1), new ArrayBuffer(1)])).length, values.length + 4);
});

test("there is nothing to find in what can be copied", () => {
  fc.assert(fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true }), (value) => assert.equal(findUncloneable(value), null)));
});

function fn() {}
const throwing = {
  get bad(): never {
    throw new Error("no");
  },
};
function transferred(): ArrayBuffer {
  const memory = new ArrayBuffer(8);
  structuredClone(memory, { transfer: [memory] });
  return memory;
}
const cases: [string, unknown, string, string][] = [
  ["a function", fn, "", "a function (fn)"],
  ["an anonymous function", (() => () => 1)(), "", "a function (anonymous)"],
  ["a symbol", Symbol("s"), "", "a symbol"],
  ["a field", { a: { b: fn } }, ".a.b", "a function (fn)"],
  ["an element", [1, [2, fn]], "[1][1]", "a function (fn)"],
  ["a key that is no name", { "a b": { 1: fn } }, '["a b"]["1"]', "a function (fn)"],
  ["a value of a Map", new Map([["k", { f: fn }]]), ".get('k').f", "a function (fn)"],
  ["a key of a Map", new Map([[fn, 1]]), ".keys(a function (fn))", "a function (fn)"],
  ["an item of a Set", new Set([fn]), ".values()", "a function (fn)"],
  ["a getter that throws", { deep: throwing }, ".deep.bad", "a getter that throws"],
  ["a promise", { p: Promise.resolve() }, ".p", "a Promise"],
  ["a WeakMap", [new WeakMap()], "[0]", "a WeakMap"],
  ["a Proxy", { p: new Proxy({}, {}) }, ".p", "a Proxy"],
  ["a generator", [(function* () {})()], "[0]", "a Generator"],
  ["an object without a constructor", Object.assign(Object.create(null), { f: fn }), ".f", "a function (fn)"],
  ["an iterator", { it: new Map().entries() }, ".it", "a Map Iterator"],
  ["memory that was given away", [transferred()], "[0]", "a detached ArrayBuffer"],
  ["what would arrive empty", { link: new URL("https://a.b") }, ".link", "a URL"],
  ["what would arrive empty, in a Map", new Map([[{}, new Headers()]]), ".get({})", "a Headers"],
  ["an instance of a class of the user's that extends such", [{}, new (class Link extends URL {})("https://a.b")], "[1]", "a Link"],
  ["a field of an instance", new (class Owner { socket = { fn }; })(), ".socket.fn", "a function (fn)"],
];
for (const [what, value, path, description] of cases) {
  test(`${what} is found with its path`, () => {
    const found = findUncloneable(value);
    assert.equal(found?.path, path);
    assert.equal(found?.what, description);
  });
}

test("a cycle on the way does not hide the culprit behind it", () => {
  const parent: Record<string, unknown> = { name: "p" };
  parent["child"] = { parent };
  parent["culprit"] = fn;
  assert.deepEqual(findUncloneable(parent), { path: ".culprit", what: "a function (fn)" });
});

test("a part that cannot be copied by itself is named by its class", () => {
  const socket = connect({ port: 1, host: "127.0.0.1" }).on("error", () => undefined);
  const found = findUncloneable({ db: { socket } });
  socket.destroy();
  assert.match(found?.path ?? "", /^\.db\.socket/);
});

test("nesting beyond what V8 copies is named, and does not overflow the search", () => {
  let deep: unknown = null;
  for (let at = 0; at < 100_000; at++) deep = { deep };
  const found = findUncloneable({ list: deep });
  assert.match(found?.what ?? "", /nested too deep/);
  assert.equal(found?.path, ".list.deep.deep.deep.deep…");
});

test("a typed array that arrives has memory of its own, without the bytes of its neighbours", () => {
  const [floats, view, bytes, part] = decodeValues(encodeValues([
    new Float32Array([1, 2]), new DataView(new ArrayBuffer(3)), Buffer.from("hello"), new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  ])) as [Float32Array, DataView, Buffer, Uint8Array];
  for (const value of [floats, view, bytes, part]) assert.equal(value.buffer.byteLength, value.byteLength);
  assert.deepEqual([...new Uint8Array(floats.buffer)], [0, 0, 128, 63, 0, 0, 0, 64]);
  assert.ok(Buffer.isBuffer(bytes) && bytes.toString() === "hello");
  assert.deepEqual([...part], [2, 3]);
});
