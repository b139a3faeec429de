/** The node's end of what a worker prints: see `protocol/src/printed.ts`. */
import { closeSync, fchmodSync, fstatSync, ftruncateSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { NO_INPUT, PRINTED_FILES, PrintedDecoder, type PrintedLines } from "@burla/protocol";

/** So much is sent on at once. */
const READ_BYTES = 256 * 1024;
/** Native output that a busy worker has left lying so long is read here. A worker that is not busy reads it at once. */
const LEFT_LYING_MS = 100;
/** At one look, of each stream. */
const MAX_FOLLOWED_LINES = 1000;
/** Of what native code has left unread at the end of a worker, the last of it. */
const MAX_LEFT_BYTES = 1 << 20;
/** So V8 begins to tell why it ends: that is in the error of the input already. */
const LAST_WORDS_OF_V8 = /^(?:<--- Last few GCs --->|FATAL ERROR: |# Fatal |----- Native stack trace -----)/m;

interface Native {
  readonly stream: 1 | 2;
  readonly descriptor: number;
  /** Where output begins that nobody has read, and since when it has been seen. */
  seen: { from: number; sinceMs: number } | null;
}

/** All descriptors are opened before the worker begins: the folder may be gone before the last of it is read. */
export class PrintedFiles {
  readonly #descriptors: readonly number[];
  readonly #natives: readonly Native[];
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #decoder: PrintedDecoder | null = new PrintedDecoder();
  #current = 0;
  #position = 0;

  /** @param folder with the files `stdout` and `stderr` of the worker. */
  constructor(folder: string, mode = 0o600) {
    this.#descriptors = PRINTED_FILES.map((name) => {
      const descriptor = openSync(join(folder, name), "w+");
      fchmodSync(descriptor, mode);
      return descriptor;
    });
    this.#natives = ([[1, "stdout"], [2, "stderr"]] as const).map(([stream, name]) => ({ stream, descriptor: openSync(join(folder, name), "r"), seen: null }));
  }

  /** What was written since the last time. @returns whether there was anything. */
  read(take: (lines: PrintedLines) => void): boolean {
    let hasRead = false;
    while (this.#decoder !== null && this.#readSome(this.#decoder, take)) hasRead = true;
    return hasRead;
  }

  /** Reads native output that the worker does not come to, because a call keeps it busy. To be called now and then while one runs. */
  follow(take: (lines: PrintedLines) => void): void {
    this.read(take);
    const decoder = this.#decoder;
    if (decoder === null || decoder.running === NO_INPUT) return;
    const nowMs = performance.now();
    for (const native of this.#natives) this.#followOne(decoder, native, nowMs);
    give(decoder, take);
  }

  #followOne(decoder: PrintedDecoder, native: Native, nowMs: number): void {
    const from = decoder.nativeFrom(native.stream);
    if (fstatSync(native.descriptor).size <= from) {
      native.seen = null;
      return;
    }
    if (native.seen?.from !== from) native.seen = { from, sinceMs: nowMs };
    if (nowMs - native.seen.sinceMs < LEFT_LYING_MS) return;
    const bytes = this.#buffer.subarray(0, readSync(native.descriptor, this.#buffer, 0, READ_BYTES, from));
    const { lines, length } = wholeLines(bytes);
    if (length === 0) return;
    decoder.addAhead(native.stream, from + length, Date.now(), lines);
    native.seen = { from: from + length, sinceMs: native.seen.sinceMs };
  }

  /** The worker has ended: the last of it, and what nobody has read of its native output. @param index whose that is; -1 when it is not known. */
  end(index: number, take: (lines: PrintedLines) => void): void {
    this.read(take);
    const decoder = this.#decoder;
    if (decoder === null) return;
    decoder.end();
    for (const { stream, descriptor } of this.#natives) {
      for (const text of leftIn(descriptor, decoder.nativeFrom(stream))) decoder.add(index, stream, Date.now(), text);
    }
    give(decoder, take);
  }

  close(): void {
    this.#decoder = null;
    for (const descriptor of [...this.#descriptors, ...this.#natives.map(({ descriptor: native }) => native)]) closeSync(descriptor);
  }

  #readSome(decoder: PrintedDecoder, take: (lines: PrintedLines) => void): boolean {
    const descriptor = this.#descriptors[this.#current] as number;
    const got = readSync(descriptor, this.#buffer, 0, READ_BYTES, this.#position);
    if (got === 0) return false;
    this.#position += got;
    try {
      if (decoder.push(this.#buffer.subarray(0, got))) this.#turn(descriptor);
    } catch {
      // A function has written to the files of its worker: nobody can read on.
      this.#decoder = null;
    }
    give(decoder, take);
    return true;
  }

  #turn(descriptor: number): void {
    ftruncateSync(descriptor, 0);
    this.#current = 1 - this.#current;
    this.#position = 0;
  }
}

function give(decoder: PrintedDecoder, take: (lines: PrintedLines) => void): void {
  const lines = decoder.take();
  if (lines !== null) take(lines);
}

function leftIn(descriptor: number, position: number): string[] {
  const { size } = fstatSync(descriptor);
  const from = Math.max(position, size - MAX_LEFT_BYTES);
  if (size <= from) return [];
  const bytes = Buffer.alloc(size - from);
  const text = new StringDecoder("utf8").end(bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.byteLength, from)));
  const lines = (text.split(LAST_WORDS_OF_V8, 1)[0] ?? "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The lines that have an end, up to V8's last words, and how many bytes they take. */
function wholeLines(bytes: Buffer): { lines: string[]; length: number } {
  const lines: string[] = [];
  let length = 0;
  for (let end = bytes.indexOf(10); end >= 0 && lines.length < MAX_FOLLOWED_LINES; end = bytes.indexOf(10, length)) {
    const line = bytes.toString("utf8", length, end);
    if (LAST_WORDS_OF_V8.test(line)) break;
    lines.push(line);
    length = end + 1;
  }
  return { lines, length };
}
