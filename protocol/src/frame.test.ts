import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BurlaError } from "./errors.ts";
import { encodeFrame, FrameDecoder, pack } from "./frame.ts";
import { MAX_FRAME_BYTES, MAX_HEADER_BYTES } from "./limits.ts";

interface Plain {
  header: unknown;
  body: number[];
}

function bytesOf(header: unknown, ...body: Uint8Array[]): Buffer {
  return Buffer.concat(encodeFrame(header, body));
}

/** Feeds the pieces; what was decoded, and the code of the error that ended it. */
function feed(pieces: Iterable<Uint8Array>): { frames: Plain[]; error: string | null } {
  const decoder = new FrameDecoder();
  const frames: Plain[] = [];
  try {
    for (const piece of pieces) {
      for (const { header, body } of decoder.push(piece)) frames.push({ header, body: [...body] });
    }
    return { frames, error: null };
  } catch (error) {
    assert.ok(error instanceof BurlaError, `not a BurlaError: ${String(error)}`);
    return { frames, error: error.code };
  }
}

function* cutAt(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  const marks = [...new Set(cuts.map((cut) => cut % (bytes.byteLength + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...marks, bytes.byteLength]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

const headers = fc.record({
  type: fc.string(),
  n: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger()),
  list: fc.array(fc.nat(), { maxLength: 20 }),
  nested: fc.option(fc.record({ flag: fc.boolean(), none: fc.constant(null) })),
});
const frameSpecs = fc.array(fc.record({ header: headers, body: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }) }), { minLength: 1, maxLength: 6 });

test("frames come out as they went in, in one piece, byte by byte, and in random pieces", () => {
  fc.assert(
    fc.property(frameSpecs, fc.array(fc.nat(5000), { maxLength: 30 }), (specs, cuts) => {
      const stream = Buffer.concat(specs.map(({ header, body }) => bytesOf(header, ...body)));
      const expected = specs.map(({ header, body }) => ({ header: { ...header }, body: [...Buffer.concat(body)] }));
      for (const pieces of [[stream], cutAt(stream, cuts), [...stream].map((byte) => Uint8Array.of(byte))]) {
        const { frames, error } = feed(pieces);
        assert.equal(error, null);
        assert.deepEqual(frames, withoutNegativeZero(expected));
      }
    }),
  );
});

/** -0 travels as 0. */
function withoutNegativeZero(plain: Plain[]): unknown {
  return JSON.parse(JSON.stringify(plain));
}

test("what comes before a malformed frame is delivered however the bytes are cut", () => {
  const good = [bytesOf({ type: "one" }, Buffer.from("a")), bytesOf({ type: "two" })];
  const stream = Buffer.concat([...good, Buffer.alloc(12, 0xff)]);
  fc.assert(
    fc.property(fc.array(fc.nat(200), { maxLength: 10 }), (cuts) => {
      const { frames, error } = feed(cutAt(stream, cuts));
      assert.deepEqual(frames.map(({ header }) => header), [{ type: "one" }, { type: "two" }]);
      assert.equal(error, "BURLA_TOO_LARGE");
    }),
  );
});

test("a body within one piece is a view of it; one over several pieces is put together", () => {
  const stream = bytesOf({ type: "x" }, Buffer.from("body"));
  const [whole] = new FrameDecoder().push(stream);
  assert.equal(whole?.body.buffer, stream.buffer);
  assert.equal(whole?.bytes, stream.byteLength);
  const decoder = new FrameDecoder();
  assert.deepEqual([...decoder.push(stream.subarray(0, -2))], []);
  assert.equal(decoder.pendingBytes, stream.byteLength - 2);
  const [joined] = decoder.push(stream.subarray(-2));
  assert.equal(Buffer.from(joined?.body ?? []).toString(), "body");
  assert.equal(decoder.pendingBytes, 0);
});

function prefixed(restBytes: number, headerBytes: number, rest: Uint8Array = Buffer.alloc(0)): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(restBytes, 0);
  prefix.writeUInt32LE(headerBytes, 4);
  return Buffer.concat([prefix, rest]);
}

const malformed: [string, Buffer, string][] = [
  ["a length over the limit", prefixed(MAX_FRAME_BYTES + 1, 4), "BURLA_TOO_LARGE"],
  ["the largest length there is", prefixed(0xffffffff, 4), "BURLA_TOO_LARGE"],
  ["a header longer than the frame", prefixed(10, 7), "BURLA_PROTOCOL"],
  ["a header over its limit", prefixed(MAX_HEADER_BYTES + 100, MAX_HEADER_BYTES + 1), "BURLA_PROTOCOL"],
  ["a frame of nothing", prefixed(0, 0), "BURLA_PROTOCOL"],
  ["an empty header", prefixed(4, 0), "BURLA_PROTOCOL"],
  ["a header that ends early", prefixed(5, 1, Buffer.from([0x92])), "BURLA_PROTOCOL"],
  ["a header with something behind it", prefixed(6, 2, Buffer.from([1, 2])), "BURLA_PROTOCOL"],
];
for (const [what, bytes, code] of malformed) {
  test(`${what} ends the stream with ${code}, from the prefix alone where it can be told`, () => {
    assert.deepEqual(feed([bytes]), { frames: [], error: code });
    assert.deepEqual(feed([...bytes].map((byte) => Uint8Array.of(byte))), { frames: [], error: code });
  });
}

test("a frame over a limit is refused before it is sent", () => {
  const huge = { byteLength: MAX_FRAME_BYTES } as Uint8Array;
  assert.throws(() => encodeFrame({ type: "x" }, [huge]), { code: "BURLA_TOO_LARGE" });
  assert.throws(() => encodeFrame({ type: "x".repeat(MAX_HEADER_BYTES) }, []), { code: "BURLA_TOO_LARGE" });
});

test("the header is plain MessagePack behind two little-endian lengths", () => {
  const header = { type: "ping" };
  const packed = pack(header);
  const [head] = encodeFrame(header, [new Uint8Array(0)]);
  assert.deepEqual(Buffer.from(head ?? []), prefixed(4 + packed.byteLength, packed.byteLength, packed));
});
