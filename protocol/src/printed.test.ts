/** What a worker prints, written and read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unpack } from "./frame.ts";
import { MAX_LOG_LINE_BYTES } from "./limits.ts";
import { PrintedDecoder, PrintedEncoder, TURNED_PART } from "./printed.ts";

function written(write: (encoder: PrintedEncoder) => void): { bytes: Buffer; lines: number } {
  const parts: Buffer[] = [];
  let lines = 0;
  const encoder = new PrintedEncoder((bytes, count) => {
    parts.push(Buffer.from(bytes));
    lines += count;
  });
  write(encoder);
  encoder.flush();
  return { bytes: Buffer.concat(parts), lines };
}

const line = fc.tuple(fc.oneof(fc.integer({ min: -2, max: 300 }), fc.maxSafeInteger().filter((n) => n >= 0)), fc.constantFrom<1 | 2>(1, 2), fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0), fc.oneof(fc.string({ unit: "binary" }), fc.nat(MAX_LOG_LINE_BYTES).map((length) => "€".repeat(length))));

test("lines come back, however the file is cut where it is read", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), fc.array(fc.nat(200_000), { maxLength: 6 }), (lines, cuts) => {
      const { bytes, lines: count } = written((encoder) => lines.forEach((each) => encoder.line(...each)));
      assert.equal(count, lines.length);
      const decoder = new PrintedDecoder();
      const read: unknown[] = [];
      const ends = [...cuts.map((cut) => cut % (bytes.byteLength + 1)), bytes.byteLength].sort((a, b) => a - b);
      ends.forEach((end, at) => {
        assert.equal(decoder.push(bytes.subarray(ends[at - 1] ?? 0, end)), false);
        const taken = decoder.take();
        if (taken === null) return;
        const entries = unpack(taken.body) as unknown[];
        assert.equal(entries.length, taken.count);
        read.push(...entries);
      });
      const wellFormed = lines.map(([index, stream, ms, text]) => [index, stream, ms === 0 ? 0 : ms, Buffer.from(text).toString()]);
      assert.deepEqual(read, wellFormed);
    }),
    { numRuns: 200 },
  );
});

test("a line without an end is one when nothing more comes, and is forgotten when it came as a whole", () => {
  const { bytes } = written((encoder) => {
    encoder.part("partial", ["1:5", 5, 1, 10, "be"]);
    encoder.part("partial", ["1:6", 6, 1, 10, "other"]);
    encoder.part("partial", ["1:5", 5, 1, 11, "gin"]);
    encoder.part("whole", "1:6");
    encoder.line(6, 1, 12, "other one");
    encoder.dropped(3);
    encoder.part("read", [2, 77]);
  });
  const decoder = new PrintedDecoder();
  assert.equal(decoder.push(Buffer.concat([bytes, TURNED_PART])), true);
  const first = decoder.take();
  assert.deepEqual([first?.count, first?.droppedLines, unpack(first?.body ?? bytes)], [1, 3, [[6, 1, 12, "other one"]]]);
  assert.equal(decoder.nativeRead.get(2), 77);
  decoder.end();
  assert.deepEqual(unpack(decoder.take()?.body ?? bytes), [[5, 1, 11, "begin"]]);
});

test("what no worker of ours writes is refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        new PrintedDecoder().push(bytes);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 2000 },
  );
  assert.throws(() => new PrintedDecoder().push(Uint8Array.of(255, 255, 255, 255, 1)));
  assert.throws(() => new PrintedDecoder().push(Uint8Array.of(0, 0, 0, 0, 99)));
});
