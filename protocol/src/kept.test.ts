import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { kept } from "./kept.ts";
import { decodeValues, encodeValues } from "./value.ts";

const sent = (value: unknown): unknown => decodeValues(encodeValues([value]))[0];

test("what is kept is sent as the value itself is", () => {
  const part = { n: 1 };
  const cyclic: Record<string, unknown> = { part, again: [part] };
  cyclic["self"] = cyclic;
  const named = Object.assign([1, 2], { name: "x" });
  const odd = [undefined, null, cyclic, named, /(a)/.exec("a"), [, 1], [undefined], Object.create(null), JSON.parse('{"__proto__":{"a":1},"b":{}}'), new Map([[part, part]]), new Error("e"),
    Buffer.from("ab"), new Float32Array([1, 2]).subarray(1), new Uint8Array(new SharedArrayBuffer(2)), new Array(1000).fill(part), new (class Point { x = 1; })(), Object("s"), -0, { d: new Date(5) }];
  for (const value of odd) assert.deepEqual(sent(kept(value)), sent(value));
  fc.assert(fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true }), (value) => assert.deepEqual(sent(kept(value)), sent(value))));
});

test("shared parts stay shared", () => {
  const part = { n: 1 };
  const [first, second] = kept([part, part]) as object[];
  assert.equal(first, second);
});

test("what changes afterwards does not change what was kept", () => {
  const value = { list: [{ n: 1 }], bytes: Buffer.from([1]), floats: new Float32Array([1]), map: new Map([["a", 1]]) };
  const { map, ...plain } = value;
  const copies = [kept(plain), kept({ map })];
  value.list[0]!.n = value.bytes[0] = value.floats[0] = 2;
  map.set("a", 2);
  assert.deepEqual(copies, [{ list: [{ n: 1 }], bytes: Buffer.from([1]), floats: new Float32Array([1]) }, { map: new Map([["a", 1]]) }]);
});

test("what cannot be copied is kept itself, to be refused when it is sent", () => {
  const fails = { get bad(): never { throw new Error("no"); } };
  const proxy = new Proxy({}, { ownKeys: () => { throw new Error("no"); } });
  const promised = { p: Promise.resolve() };
  for (const value of [promised, proxy]) assert.equal(kept(value), value);
  assert.equal(kept(fails), fails);
});
