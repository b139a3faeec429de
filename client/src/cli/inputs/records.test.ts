import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { linesOf } from "../../lines.ts";
import { readRecords, type RecordFormat } from "./records.ts";

/** The text in pieces of so many bytes. */
async function* inPieces(text: string, bytes: number): AsyncGenerator<Uint8Array> {
  const content = Buffer.from(text);
  for (let at = 0; at < content.byteLength; at += bytes) yield content.subarray(at, at + bytes);
}

async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}

function read(text: string, format: RecordFormat, bytes = 3): Promise<unknown[]> {
  return collect(readRecords({ name: "data", bytes: inPieces(text, bytes) }, format));
}

test("any values as NDJSON, cut anywhere, come back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 64 }), fc.constantFrom("\n", "\r\n"), async (values, bytes, end) => {
      const text = values.map((value) => JSON.stringify(value) + end).join("");
      assert.deepEqual(await read(text, "ndjson", bytes), JSON.parse(JSON.stringify(values)));
    }),
    { numRuns: 200 },
  );
});

test("lines are numbered, with and without an end of the last one, without a byte order mark", async () => {
  const lines = await collect(linesOf(inPieces("\uFEFFone\r\n\nthrée", 1)));
  assert.deepEqual(lines, [{ number: 1, text: "one" }, { number: 2, text: "" }, { number: 3, text: "thrée" }]);
  assert.deepEqual(await collect(linesOf(inPieces("", 1))), []);
});

test("the line of a syntax error is named", async () => {
  await assert.rejects(read("1\n\n{\n", "ndjson"), { name: "UsageError", message: /^data:3 is not JSON: / });
  await assert.rejects(read("[1,", "json"), { name: "UsageError", message: /^data is not JSON: / });
  await assert.rejects(read("{}", "json"), { name: "UsageError", message: "data holds no array" });
});

test("CSV: quotes, empty cells, a row of another length", async () => {
  assert.deepEqual(await read('a,b\n"x ""y"", z",\n\n1,2\n', "csv"), [{ a: 'x "y", z', b: "" }, { a: "1", b: "2" }]);
  assert.deepEqual(await read("a\tb\n1\t2\n", "tsv"), [{ a: "1", b: "2" }]);
  await assert.rejects(read("a,b\n1\n", "csv"), { name: "UsageError", message: /^data: .*line 2/ });
  assert.deepEqual(await read("a,b\n", "csv"), []);
});

test("CSV as spreadsheets write it: a byte order mark, semicolons where the first row has no comma", async () => {
  const rows = [{ name: "a;1", note: 'say "hi"' }, { name: "b,c", note: "two\r\nlines" }];
  for (const bytes of [1, 7, 1000]) {
    assert.deepEqual(await read('\uFEFFname;note\r\n"a;1";"say ""hi"""\r\nb,c;"two\r\nlines"\r\n', "csv", bytes), rows);
    assert.deepEqual(await read('"na;me",note\na;1,2\n', "csv", bytes), [{ "na;me": "a;1", note: "2" }]);
  }
  assert.deepEqual(await read("", "csv"), []);
  assert.deepEqual(await read("one\r\nx\r\n", "csv"), [{ one: "x" }]);
});

test("CSV with two columns of one name is refused, since one would be lost", async () => {
  await assert.rejects(read("a,b,a\n1,2,3\n", "csv"), { name: "UsageError", message: 'data: two columns are called "a"' });
});

test("a reader that stops early ends the source", async () => {
  let ended = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from("a,b\n1,2\n3,4\n");
    } finally {
      ended = true;
    }
  }
  for (const format of ["csv", "lines"] as const) {
    ended = false;
    for await (const _ of readRecords({ name: "endless", bytes: source() }, format)) break;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ended, true, format);
  }
});
