/**
 * What a worker prints, on its way to its node: in files beside its output, so that a line has left the worker when it is
 * written, whatever becomes of the worker. One writer, one reader, two files by turns:
 *
 *   u32 length | u8 kind | payload      little-endian, `length` counts the payload
 *
 *   lines      u32 count | u32 dropped lines | so many entries (MessagePack of `LogEntry`) behind each other
 *   partial    MessagePack of `PartialText`: a line that has no end yet goes on
 *   whole      MessagePack of its key: that line has ended, and comes as one of `lines`
 *   read       MessagePack of a stream and a position: so far the output of native code was read and is among the lines
 *   turned     nothing: what follows is in the other file
 *   native     MessagePack of a stream and a position: the lines from here to the next `read` are native output up to there
 *   running    MessagePack of an input: native output that comes now is its; or of `NO_INPUT`, when nobody has said whose
 *
 * A call that keeps the writer busy keeps it from reading native output. Then the reader takes that itself, ahead of the
 * writer, whole lines only, and passes over as many when they come.
 *
 * The reader empties a file when it has read that the writer turned away from it; the writer turns to one that is empty.
 */
import * as v from "valibot";
import { pack, unpack } from "./frame.ts";
import { MAX_LOG_LINE_BYTES } from "./limits.ts";
import { BurlaError } from "./errors.ts";
import { NO_INPUT, SETUP_INDEX } from "./messages.ts";
import { loggedLine } from "./overwritten.ts";

/** Beside the files of a worker's output. */
export const PRINTED_FILES = ["printed-0", "printed-1"] as const;

export const PRINTED = { lines: 1, partial: 2, whole: 3, read: 4, turned: 5, native: 6, running: 7 } as const;
const HEAD_BYTES = 5;
const COUNTS_BYTES = 8;
/** The writer's buffer is far below. */
const MAX_PART_BYTES = 1024 * 1024;

/** Of the line with this key: text that was added to it. */
const partialSchema = v.tuple([v.pipe(v.string(), v.maxLength(128)), v.pipe(v.number(), v.integer(), v.minValue(SETUP_INDEX)), v.picklist([1, 2]), v.number(), v.string()]);
export type PartialText = v.InferOutput<typeof partialSchema>;
const placeSchema = v.tuple([v.picklist([1, 2]), v.pipe(v.number(), v.integer(), v.minValue(0))]);
const indexSchema = v.pipe(v.number(), v.integer(), v.minValue(SETUP_INDEX));

/** Lines as they are sent on. */
export interface PrintedLines {
  readonly count: number;
  readonly droppedLines: number;
  /** MessagePack of `LogEntry[]`. */
  readonly body: Uint8Array;
}

/** The longest form of a line: its text in UTF-8, how long it was, and its place. */
const MAX_ENTRY_BYTES = MAX_LOG_LINE_BYTES * 3 + 256;
const BUFFER_BYTES = 4 * MAX_ENTRY_BYTES;

/** What the writer leaves behind in the file that it turns away from. */
export const TURNED_PART: Uint8Array = Uint8Array.of(0, 0, 0, 0, PRINTED.turned);

/** The writer's half: parts side by side in one buffer, which `write` takes whole, told how many lines it holds. */
export class PrintedEncoder {
  readonly #write: (bytes: Uint8Array, lines: number) => void;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #at = 0;
  /** Where the part of lines begins that is being filled; -1 for none. */
  #linesAt = -1;
  #count = 0;
  /** In the buffer. */
  #lines = 0;

  constructor(write: (bytes: Uint8Array, lines: number) => void) {
    this.#write = write;
  }

  line(index: number, stream: 1 | 2, timeMs: number, text: string): void {
    if (this.#at + HEAD_BYTES + COUNTS_BYTES + MAX_ENTRY_BYTES > BUFFER_BYTES) this.flush();
    this.#beginLines();
    this.#count++;
    this.#lines++;
    const buffer = this.#buffer;
    // MessagePack of a list of four.
    buffer[this.#at++] = 0x94;
    this.#integer(index);
    buffer[this.#at++] = stream;
    buffer[this.#at++] = 0xcb;
    this.#at = buffer.writeDoubleBE(timeMs, this.#at);
    this.#text(text);
  }

  /** 32 bits without a sign, or 64 with one. */
  #integer(value: number): void {
    const [low, high] = [value >>> 0, Math.floor(value / 2 ** 32)];
    this.#buffer[this.#at++] = high === 0 ? 0xce : 0xd3;
    if (high !== 0) this.#at = this.#buffer.writeInt32BE(high, this.#at);
    this.#at = this.#buffer.writeUInt32BE(low, this.#at);
  }

  /** With 8, 16 or 32 bits for its length, as it may be at most. */
  #text(text: string): void {
    const buffer = this.#buffer;
    const mostBytes = text.length * 3;
    const lengthBytes = mostBytes < 1 << 8 ? 1 : mostBytes < 1 << 16 ? 2 : 4;
    buffer[this.#at++] = lengthBytes === 1 ? 0xd9 : lengthBytes === 2 ? 0xda : 0xdb;
    const bytes = buffer.write(text, this.#at + lengthBytes);
    buffer.writeUIntBE(bytes, this.#at, lengthBytes);
    this.#at += lengthBytes + bytes;
  }

  dropped(lines: number): void {
    this.#endLines();
    this.#beginLines();
    this.#buffer.writeUInt32LE(lines, this.#linesAt + HEAD_BYTES + 4);
    this.#endLines();
  }

  part(kind: "partial" | "whole" | "read" | "native" | "running", payload: unknown): void {
    this.#endLines();
    const packed = pack(payload);
    this.#makeRoom(HEAD_BYTES + packed.byteLength);
    this.#head(PRINTED[kind], packed.byteLength, this.#at);
    this.#buffer.set(packed, this.#at + HEAD_BYTES);
    this.#at += HEAD_BYTES + packed.byteLength;
  }

  flush(): void {
    this.#endLines();
    if (this.#at === 0) return;
    const bytes = this.#buffer.subarray(0, this.#at);
    const lines = this.#lines;
    this.#at = this.#lines = 0;
    this.#write(bytes, lines);
  }

  #beginLines(): void {
    if (this.#linesAt >= 0) return;
    this.#makeRoom(HEAD_BYTES + COUNTS_BYTES + MAX_ENTRY_BYTES);
    this.#linesAt = this.#at;
    this.#at += HEAD_BYTES + COUNTS_BYTES;
    this.#count = 0;
    this.#buffer.writeUInt32LE(0, this.#linesAt + HEAD_BYTES + 4);
  }

  #endLines(): void {
    if (this.#linesAt < 0) return;
    this.#head(PRINTED.lines, this.#at - this.#linesAt - HEAD_BYTES, this.#linesAt);
    this.#buffer.writeUInt32LE(this.#count, this.#linesAt + HEAD_BYTES);
    this.#linesAt = -1;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes > BUFFER_BYTES) this.flush();
  }

  #head(kind: number, bytes: number, at: number): void {
    this.#buffer.writeUInt32LE(bytes, at);
    this.#buffer.writeUInt8(kind, at + 4);
  }
}

/** The reader's half: whole parts out of bytes that may end anywhere. */
export class PrintedDecoder {
  /** A part that is not whole yet. */
  #rest = Buffer.alloc(0);
  #entries: Uint8Array[] = [];
  #count = 0;
  #droppedLines = 0;
  readonly #partial = new Map<string, PartialText>();
  /** How far the writer has read native output, by stream. */
  readonly #nativeRead = new Map<1 | 2, number>();
  /** Native output whose lines are coming. */
  #native: { readonly stream: 1 | 2; readonly to: number } | null = null;
  /** Native output that was added here before the writer came to it: up to where, and how many lines of it are still to come. */
  readonly #ahead = new Map<1 | 2, { offset: number; lines: number }>();
  /** The input whose native output comes now; `NO_INPUT` where it is not known. */
  running = NO_INPUT;

  /**
   * @returns whether the writer has turned to the other file.
   * @throws BurlaError BURLA_PROTOCOL for what no worker of ours writes.
   */
  push(bytes: Uint8Array): boolean {
    let left = this.#rest.byteLength === 0 ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.concat([this.#rest, bytes]);
    let hasTurned = false;
    while (left.byteLength >= HEAD_BYTES && !hasTurned) {
      const length = left.readUInt32LE(0);
      if (length > MAX_PART_BYTES) throw new BurlaError("BURLA_PROTOCOL", "a worker has written a part of its output that is too long");
      if (left.byteLength < HEAD_BYTES + length) break;
      hasTurned = this.#part(left.readUInt8(4), left.subarray(HEAD_BYTES, HEAD_BYTES + length));
      left = left.subarray(HEAD_BYTES + length);
    }
    this.#rest = Buffer.from(left);
    return hasTurned;
  }

  /** Lines that came since the last time; null for none. */
  take(): PrintedLines | null {
    if (this.#count === 0 && this.#droppedLines === 0) return null;
    const taken = { count: this.#count, droppedLines: this.#droppedLines, body: Buffer.concat([arrayHead(this.#count), ...this.#entries]) };
    this.#entries = [];
    this.#count = this.#droppedLines = 0;
    return taken;
  }

  /** Nothing more will come: lines without an end are lines. */
  end(): void {
    for (const [, index, stream, timeMs, text] of this.#partial.values()) this.add(index, stream, timeMs, text);
    this.#partial.clear();
  }

  /** A line that the worker has not written itself, as it was printed. */
  add(index: number, stream: 1 | 2, timeMs: number, text: string): void {
    this.#entries.push(pack([index, stream, timeMs, loggedLine(text)]));
    this.#count++;
  }

  /** Where native output begins that is not among the lines. */
  nativeFrom(stream: 1 | 2): number {
    return Math.max(this.#nativeRead.get(stream) ?? 0, this.#ahead.get(stream)?.offset ?? 0);
  }

  /** Whole lines of native output that the writer has not come to, up to a position. */
  addAhead(stream: 1 | 2, to: number, timeMs: number, lines: readonly string[]): void {
    const key = nativeKey(stream, this.running);
    const begin = this.#partial.get(key)?.[4] ?? "";
    this.#partial.delete(key);
    lines.forEach((text, at) => this.add(this.running, stream, timeMs, at === 0 ? begin + text : text));
    this.#ahead.set(stream, { offset: to, lines: (this.#ahead.get(stream)?.lines ?? 0) + lines.length });
  }

  #part(kind: number, payload: Buffer): boolean {
    switch (kind) {
      case PRINTED.lines:
        this.#lines(payload);
        return false;
      case PRINTED.partial:
        this.#extend(v.parse(partialSchema, unpack(payload)));
        return false;
      case PRINTED.whole:
        this.#partial.delete(String(unpack(payload)));
        return false;
      case PRINTED.read:
        this.#wasRead(...v.parse(placeSchema, unpack(payload)));
        return false;
      case PRINTED.native: {
        const [stream, to] = v.parse(placeSchema, unpack(payload));
        this.#native = { stream, to };
        return false;
      }
      case PRINTED.running:
        this.running = v.parse(indexSchema, unpack(payload));
        return false;
      case PRINTED.turned:
        return true;
      default:
        throw new BurlaError("BURLA_PROTOCOL", "a worker has written output of an unknown kind");
    }
  }

  #lines(payload: Buffer): void {
    if (payload.byteLength < COUNTS_BYTES) throw new BurlaError("BURLA_PROTOCOL", "a worker has written lines without their number");
    const count = payload.readUInt32LE(0);
    const entries = payload.subarray(COUNTS_BYTES);
    this.#droppedLines += payload.readUInt32LE(4);
    const ahead = this.#native === null ? undefined : this.#ahead.get(this.#native.stream);
    const known = Math.min(ahead?.lines ?? 0, count);
    this.#count += count - known;
    if (ahead === undefined || known === 0) return void this.#entries.push(Buffer.from(entries));
    ahead.lines -= known;
    const all = unpack(Buffer.concat([arrayHead(count), entries]));
    if (!Array.isArray(all)) throw new BurlaError("BURLA_PROTOCOL", "a worker has written lines that are none");
    this.#entries.push(...all.slice(known).map((entry) => pack(entry)));
  }

  #wasRead(stream: 1 | 2, offset: number): void {
    this.#nativeRead.set(stream, offset);
    const native = this.#native;
    this.#native = null;
    const hasEmptied = native === null || offset < native.to;
    if (hasEmptied || offset >= (this.#ahead.get(stream)?.offset ?? 0)) this.#ahead.delete(stream);
  }

  #extend([key, index, stream, timeMs, text]: PartialText): void {
    // Lines were taken ahead up to an end of one: what was to become of this is among them.
    if (this.#native !== null && this.#native.to <= (this.#ahead.get(this.#native.stream)?.offset ?? 0)) return;
    const before = this.#partial.get(key)?.[4] ?? "";
    this.#partial.set(key, [key, index, stream, timeMs, (before + text).slice(0, MAX_LOG_LINE_BYTES)]);
  }
}

/** Names the line of native output that has no end yet. */
export function nativeKey(stream: 1 | 2, index: number): string {
  return `${stream}:${index}:native`;
}

/** MessagePack of the begin of an array. */
function arrayHead(count: number): Uint8Array {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(0xdd, 0);
  head.writeUInt32BE(count, 1);
  return head;
}
