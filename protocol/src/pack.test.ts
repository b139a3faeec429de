import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BurlaError } from "./errors.ts";
import { pack, unpack } from "./frame.ts";

const plain = fc.letrec((tie) => ({
  leaf: fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true }).map((n) => n + 0), fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 40 })),
  value: fc.oneof({ depthSize: "small" }, tie("leaf"), fc.array(tie("value")), fc.dictionary(fc.string().filter((key) => key !== "__proto__"), tie("value"), { noNullPrototype: true })),
}));

test("plain values survive", () => {
  fc.assert(
    fc.property(plain.value, (value) => {
      assert.deepEqual(bare(unpack(pack(value))), bare(value));
    }),
  );
});

/** Bytes come back as a Buffer, and -0 as 0. */
function bare(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, bare(part)]));
  return value === 0 ? 0 : value;
}

test("random bytes either are a value or BURLA_PROTOCOL", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        unpack(bytes);
      } catch (error) {
        assert.ok(error instanceof BurlaError && error.code === "BURLA_PROTOCOL", String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test("every cut of a valid value is refused", () => {
  const whole = pack({ type: "x", list: [1, 70_000, -5, 2 ** 40, 1.5], text: "é".repeat(40), bytes: Buffer.alloc(300), none: null, yes: true });
  assert.ok(unpack(whole));
  for (let length = 0; length < whole.byteLength; length++) {
    assert.throws(() => unpack(whole.subarray(0, length)), { code: "BURLA_PROTOCOL" }, `cut at ${length}`);
  }
});

test("nesting that would overflow the stack is refused", () => {
  assert.throws(() => unpack(Buffer.concat([Buffer.alloc(1_000_000, 0x91), Buffer.from([1])])), { code: "BURLA_PROTOCOL" });
});

test("nested prefixes that promise many items each take no memory", () => {
  const prefix = Buffer.from([0xdd, 0x00, 0x01, 0x80, 0x00]);
  const bytes = Buffer.concat([...Array<Buffer>(100_000).fill(prefix), Buffer.alloc(500_000, 0xc0)]);
  const before = process.memoryUsage().rss;
  assert.throws(() => unpack(bytes), { code: "BURLA_PROTOCOL" });
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
});
