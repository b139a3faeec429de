/** Streams that a broken or hostile peer might send. */
import fc from "fast-check";
import type * as v from "valibot";
import { MAX_FRAME_BYTES, MAX_HEADER_BYTES, pack } from "@burla/protocol";
import { messagesOf, valuesOf } from "./arbitrary.ts";
import { frame, HELLO } from "./peers.ts";
import type { Random } from "./random.ts";

/** Valid frames of every type of a union, made from one seed. */
export function corpusOf(union: v.GenericSchema, seed: number, perType = 4): Buffer[] {
  const schemas = [...messagesOf(union).values()];
  return schemas.flatMap((schema) =>
    fc.sample(fc.tuple(valuesOf(schema), fc.uint8Array({ maxLength: 100 })), { seed, numRuns: perType }).map(([header, body]) => frame(header, body)),
  );
}

type Mutation = (random: Random, valid: Buffer) => Buffer;

const INTERESTING = [0, 1, 3, 4, 0x7fffffff, 0xffffffff, MAX_FRAME_BYTES, MAX_FRAME_BYTES + 1, MAX_HEADER_BYTES, MAX_HEADER_BYTES + 1];

const mutations: Mutation[] = [
  (_random, valid) => valid,
  (random) => random.bytes(random.below(200)),
  (random, valid) => flip(random, valid, 1 + random.below(8)),
  (random, valid) => valid.subarray(0, random.below(valid.byteLength)),
  (random, valid) => withLength(valid, 0, random.pick(INTERESTING)),
  (random, valid) => withLength(valid, 4, random.pick(INTERESTING)),
  (random) => rawHeader(Buffer.concat([Buffer.alloc(random.below(20_000), random.pick([0x91, 0x81])), random.bytes(5)])),
  (random) => rawHeader(Buffer.concat(Array.from({ length: 1 + random.below(1000) }, () => Buffer.from([random.pick([0xdc, 0xdd, 0xde, 0xdf]), 0, random.below(256), 255, 255])))),
  (random) => frame({ type: random.pick([null, 5, "", "toString", "__proto__", ["hello"], { a: 1 }]) }),
  (random) => rawHeader(pack(random.pick<unknown>([null, 1, "text", [], true, [HELLO]]))),
  (random, valid) => Buffer.concat([valid.subarray(0, random.below(valid.byteLength)), random.bytes(random.below(50)), valid]),
];

/** A stream of some frames, most of which are wrong in one way. */
export function hostileStream(random: Random, corpus: readonly Buffer[]): Buffer {
  const parts = random.below(10) === 0 ? [] : [frame(HELLO)];
  for (let at = random.below(6); at >= 0; at--) parts.push(random.pick(mutations)(random, random.pick(corpus)));
  return Buffer.concat(parts);
}

/** So many at most: a hundred thousand writes of one byte take seconds and show nothing new. */
const MAX_PIECES = 300;

/** The same bytes in pieces of random sizes. */
export function* inPieces(random: Random, bytes: Buffer): Generator<Buffer> {
  const largest = Math.max(random.pick([1, 7, 100, 5000, bytes.byteLength + 1]), Math.ceil((2 * bytes.byteLength) / MAX_PIECES));
  for (let at = 0; at < bytes.byteLength; ) {
    const piece = bytes.subarray(at, at + 1 + random.below(largest));
    at += piece.byteLength;
    yield piece;
  }
}

function flip(random: Random, valid: Buffer, times: number): Buffer {
  const copy = Buffer.from(valid);
  for (let at = 0; at < times; at++) copy[random.below(copy.byteLength)] = random.below(256);
  return copy;
}

function withLength(valid: Buffer, offset: number, length: number): Buffer {
  const copy = Buffer.from(valid);
  copy.writeUInt32LE(length, offset);
  return copy;
}

function rawHeader(header: Uint8Array): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(4 + header.byteLength, 0);
  prefix.writeUInt32LE(header.byteLength, 4);
  return Buffer.concat([prefix, header]);
}
