/**
 * How records lie in a file. The newest form, which all new files have:
 *
 *   "burl" | u32 version | u32 CRC-32 of the two                                           the head of the file
 *   u32 header length | u32 body length | u32 CRC-32 of header and body | u32 CRC-32 of these three | header | body
 *
 * All integers little-endian; the header is MessagePack. A prefix has a checksum of its own, so that a damaged length
 * is not taken for a record that was torn off at the end. The first form had no head and no checksums: its records are
 * the frames of `protocol/src/frame.ts`. A file keeps the form that it began with.
 */
import { crc32 } from "node:zlib";
import { MAX_FRAME_BYTES, MAX_HEADER_BYTES } from "@burla/protocol";

export const NEWEST_VERSION = 2;
export const FILE_HEAD_BYTES = 12;
/** As a number, more than any length with which a file of the first form can begin. */
const MAGIC = Buffer.from("burl", "latin1");

/** The lengths of a record, and what its bytes must sum up to; null where they have no sum. */
export interface Prefix {
  readonly headerBytes: number;
  readonly bodyBytes: number;
  readonly checksum: number | null;
}

export interface RecordFormat {
  readonly version: number;
  /** Where the first record begins. */
  readonly start: number;
  readonly prefixBytes: number;
  /** @param header packed. */
  prefixOf(header: Uint8Array, body: readonly Uint8Array[]): Uint8Array;
  /** @returns null for bytes that are no prefix. */
  parse(prefix: Buffer): Prefix | null;
}

const FIRST: RecordFormat = {
  version: 1,
  start: 0,
  prefixBytes: 8,
  prefixOf(header, body) {
    const prefix = Buffer.allocUnsafe(8);
    prefix.writeUInt32LE(4 + header.byteLength + bytesOf(body), 0);
    prefix.writeUInt32LE(header.byteLength, 4);
    return prefix;
  },
  parse(prefix) {
    const [restBytes, headerBytes] = [prefix.readUInt32LE(0), prefix.readUInt32LE(4)];
    if (restBytes > MAX_FRAME_BYTES || headerBytes > MAX_HEADER_BYTES || headerBytes + 4 > restBytes) return null;
    return { headerBytes, bodyBytes: restBytes - 4 - headerBytes, checksum: null };
  },
};

const SECOND: RecordFormat = {
  version: 2,
  start: FILE_HEAD_BYTES,
  prefixBytes: 16,
  prefixOf(header, body) {
    const prefix = Buffer.allocUnsafe(16);
    prefix.writeUInt32LE(header.byteLength, 0);
    prefix.writeUInt32LE(bytesOf(body), 4);
    prefix.writeUInt32LE(body.reduce((sum, part) => crc32(part, sum), crc32(header)), 8);
    prefix.writeUInt32LE(crc32(prefix.subarray(0, 12)), 12);
    return prefix;
  },
  parse(prefix) {
    if (crc32(prefix.subarray(0, 12)) !== prefix.readUInt32LE(12)) return null;
    return { headerBytes: prefix.readUInt32LE(0), bodyBytes: prefix.readUInt32LE(4), checksum: prefix.readUInt32LE(8) };
  },
};

/** That of new files. */
export const NEWEST = SECOND;

/** What new files begin with. */
export function newestHead(): Uint8Array {
  const head = Buffer.alloc(FILE_HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt32LE(NEWEST_VERSION, 4);
  head.writeUInt32LE(crc32(head.subarray(0, 8)), 8);
  return head;
}

/** What a file is by its first bytes. */
export type Recognised =
  | { readonly kind: "known"; readonly format: RecordFormat }
  /** A death in the middle of the first write, or nothing was written at all. */
  | { readonly kind: "torn" }
  | { readonly kind: "newer"; readonly version: number }
  | { readonly kind: "damaged" };

/** @param head its first `FILE_HEAD_BYTES`, or all that there are. */
export function recognise(head: Buffer): Recognised {
  if (head.byteLength < FILE_HEAD_BYTES) {
    const isTornHead = head.equals(newestHead().subarray(0, head.byteLength));
    // No record of the first form is as short.
    return isTornHead || !looksNew(head) ? { kind: "torn" } : { kind: "damaged" };
  }
  if (!looksNew(head)) return { kind: "known", format: FIRST };
  if (crc32(head.subarray(0, 8)) !== head.readUInt32LE(8) || !head.subarray(0, 4).equals(MAGIC)) return { kind: "damaged" };
  const version = head.readUInt32LE(4);
  return version === NEWEST_VERSION ? { kind: "known", format: SECOND } : { kind: "newer", version };
}

/** Whether it cannot be of the first form. A single changed bit does not make it look so. */
function looksNew(head: Buffer): boolean {
  return head.byteLength >= 4 && head.readUInt32LE(0) > MAX_FRAME_BYTES;
}

function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
