/** A connection that is fed rubbish never crashes, hangs or takes memory beyond its limits: it ends with a reason. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { setImmediate as nextTurn } from "node:timers/promises";
import { clientToMain, FrameDecoder } from "@burla/protocol";
import { corpusOf, hostileStream, inPieces } from "./mutations.ts";
import { duplexPair, listen } from "./peers.ts";
import { fuzzPlan, randomFrom } from "./random.ts";

const MAX_GROWTH_BYTES = 256 * 1024 * 1024;
const ENDINGS = new Set(["BURLA_PROTOCOL", "BURLA_TOO_LARGE", "BURLA_VERSION"]);

/** Seeds that once found something. */
const FOUND: readonly number[] = [];

async function feed(seed: number, corpus: readonly Buffer[]): Promise<void> {
  const random = randomFrom(seed);
  const stream = hostileStream(random, corpus);
  const { near, far } = duplexPair();
  const { connection, closed, heard } = listen(near);
  for (const piece of inPieces(random, stream)) far.write(piece);
  await nextTurn();
  if (connection.closed) {
    const error = await closed;
    assert.ok(error !== undefined && ENDINGS.has(error.code), `ended with ${String(error)}`);
  } else {
    connection.close();
  }
  assert.ok(heard.every(({ message }) => message.type !== undefined));
}

test("a connection survives hostile streams, or ends with its reason", async (t) => {
  const { seed, runs } = fuzzPlan(2000);
  t.diagnostic(`seeds ${seed} to ${seed + runs - 1}; repeat one with BURLA_FUZZ_SEED=<seed> BURLA_FUZZ_RUNS=1`);
  const corpus = corpusOf(clientToMain, 1);
  const before = process.memoryUsage().rss;
  for (const each of [...FOUND, ...Array.from({ length: runs }, (_, at) => seed + at)]) {
    await feed(each, corpus).catch((error: unknown) => {
      throw new Error(`seed ${each}`, { cause: error });
    });
  }
  assert.ok(process.memoryUsage().rss - before < MAX_GROWTH_BYTES);
});

test("the same bytes give the same frames and the same end, whatever the pieces", () => {
  const { seed, runs } = fuzzPlan(1000);
  const corpus = corpusOf(clientToMain, 2);
  for (let each = seed; each < seed + runs; each++) {
    const random = randomFrom(each);
    const stream = hostileStream(random, corpus);
    assert.deepEqual(decode(inPieces(random, stream)), decode([stream]), `seed ${each}`);
  }
});

/** Hostile headers nest deeper than a comparison of objects can follow. */
const MAX_COMPARED_DEPTH = 50;

function decode(pieces: Iterable<Buffer>): { frames: unknown[]; error: string } {
  const decoder = new FrameDecoder();
  const frames: unknown[] = [];
  try {
    for (const piece of pieces) for (const { header, body } of decoder.push(piece)) frames.push([inspect(header, { depth: MAX_COMPARED_DEPTH }), Buffer.from(body).toString("hex")]);
    return { frames, error: "" };
  } catch (error) {
    return { frames, error: (error as { code: string }).code };
  }
}

test("a promised frame takes memory only as its bytes arrive", () => {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(500 * 1024 * 1024, 0);
  prefix.writeUInt32LE(100, 4);
  const before = process.memoryUsage();
  const decoders = Array.from({ length: 100 }, () => new FrameDecoder());
  for (const decoder of decoders) assert.deepEqual([...decoder.push(prefix)], []);
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers + after.rss - before.arrayBuffers - before.rss < 50 * 1024 * 1024);
});
