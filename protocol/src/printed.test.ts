/** What a worker prints, written and read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unpack } from "./frame.ts";
import { MAX_LOG_LINE_BYTES } from "./limits.ts";
import { nativeKey, PrintedDecoder, PrintedEncoder, TURNED_PART } from "./printed.ts";

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
  assert.equal(decoder.nativeFrom(2), 77);
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

/** A writer of native output in bursts, of which a reader takes some ahead, cut and emptied anywhere. */
test("native output that was taken ahead of the writer comes once and in order", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("prints" as const), text: fc.array(fc.constantFrom("a", "bc", "\n", "\n", "d\n"), { maxLength: 4 }).map((parts) => parts.join("")) }),
    // The writer may be about to say what it has read when the reader goes ahead.
    fc.record({ kind: fc.constant("ahead" as const), races: fc.boolean() }),
    fc.record({ kind: fc.constant("writer" as const), empties: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let [file, offset, begin, all] = ["", 0, "", ""];
      const decoder = new PrintedDecoder();
      const read: string[] = [];
      const take = () => read.push(...((unpack(decoder.take()?.body ?? Uint8Array.of(0x90)) as [number, number, number, string][]).map(([, , , text]) => text)));
      const key = nativeKey(1, 7);
      let pending: Buffer[] = [];
      const deliver = () => {
        for (const bytes of pending) decoder.push(bytes);
        pending = [];
        take();
      };
      decoder.push(written((encoder) => encoder.part("running", 7)).bytes);
      const writes = (empties: boolean) => {
        if (file.length === offset) return;
        const parts = file.slice(offset).split("\n");
        pending.push(written((encoder) => {
          encoder.part("native", [1, file.length]);
          if (parts.length > 1 && begin !== "") encoder.part("whole", key);
          for (const [at, text] of parts.slice(0, -1).entries()) encoder.line(7, 1, 0, at === 0 ? begin + text : text);
          const rest = parts.at(-1) ?? "";
          begin = parts.length > 1 ? rest : begin + rest;
          if (rest !== "") encoder.part("partial", [key, 7, 1, 0, rest]);
          encoder.part("read", [1, empties ? 0 : file.length]);
        }).bytes);
        offset = file.length;
        if (!empties) return;
        [file, offset] = ["", 0];
        deliver();
      };
      for (const each of steps) {
        if (each.kind === "prints") [file, all] = [file + each.text, all + each.text];
        else if (each.kind === "writer") writes(each.empties);
        else {
          if (!each.races) deliver();
          const from = decoder.nativeFrom(1);
          const end = file.lastIndexOf("\n") + 1;
          if (end > from) decoder.addAhead(1, end, 0, file.slice(from, end - 1).split("\n"));
          take();
        }
      }
      writes(false);
      deliver();
      assert.deepEqual(read, all.split("\n").slice(0, -1));
    }),
    { numRuns: 2000 },
  );
});
