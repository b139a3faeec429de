/** An append-only file of records, readable at any of them. Written synchronously: what returns is in the kernel's hands
 * and survives the death of this process (a crash of the machine may lose the last seconds). */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, statSync, writevSync } from "node:fs";
import { crc32 } from "node:zlib";
import { BurlaError, DamageError, pack, storageError, unpack, type BodySource } from "@burla/protocol";
import type { FileOwner, OpenFiles } from "./open-files.ts";
import { FILE_HEAD_BYTES, NEWEST, newestHead, recognise, type Prefix, type RecordFormat } from "./record-format.ts";

const READ_BYTES = 1 << 20;
const PAGE_BYTES = 4096;
const WRITE_FLAGS = constants.O_RDWR | constants.O_APPEND;
const NEWER_CURE = "Start the cluster with that version, or remove the folder of the job.";

/** A record as it lies in its file. */
export interface StoredRecord {
  readonly offset: number;
  /** With its prefix. */
  readonly bytes: number;
  readonly header: unknown;
  readonly bodyBytes: number;
  /** Reads it. @throws BurlaError BURLA_STORAGE */
  body(): Uint8Array;
}

export class RecordFile implements FileOwner {
  readonly #files: OpenFiles;
  #path: string;
  #size: number;
  /** Null as long as nobody has looked. */
  #format: RecordFormat | null = null;
  /** It was here before: who opens it anew must find it as it was left. */
  #exists: boolean;
  #closed = false;
  /** Records whose body was found to be what was written. */
  readonly #checked = new Set<number>();
  /** A part of a record could not be cut off again: what is appended would not be found behind it. */
  #isTorn = false;

  /** Opens nothing yet. @throws BurlaError BURLA_STORAGE when it cannot be looked at. */
  constructor(path: string, files: OpenFiles) {
    this.#path = path;
    this.#files = files;
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory() === true) throw new DamageError(path, "it is a folder");
      this.#exists = found !== undefined;
      this.#size = found?.size ?? 0;
    } catch (cause) {
      throw storageError(`look at ${path}`, cause);
    }
  }

  get size(): number {
    return this.#size;
  }

  get path(): string {
    return this.#path;
  }

  /** For `OpenFiles`. @throws what the system says. */
  open(): number {
    const descriptor = openSync(this.#path, this.#exists ? WRITE_FLAGS : WRITE_FLAGS | constants.O_CREAT, 0o600);
    this.#exists = true;
    const { size } = fstatSync(descriptor);
    if (size >= this.#size) return descriptor;
    closeSync(descriptor);
    throw new DamageError(this.#path, `it had ${this.#size} bytes, and has ${size}`);
  }

  /**
   * @returns the offset of the record, for `read`.
   * @throws BurlaError BURLA_STORAGE when the disk refuses; the file then ends with its last whole record.
   */
  append(header: unknown, ...body: Uint8Array[]): number {
    return this.#append(pack(header), body);
  }

  /** A record of another file. @returns its offset here. @throws as `append` and `read` */
  copy(source: RecordFile, offset: number): number {
    const { prefix, whole } = source.#readWhole(offset);
    return this.#append(whole.subarray(0, prefix.headerBytes), [whole.subarray(prefix.headerBytes)]);
  }

  /** @throws BurlaError BURLA_STORAGE when there is no whole record at this offset. */
  read(offset: number): { header: unknown; body: Uint8Array } {
    const { prefix, whole } = this.#readWhole(offset);
    return { header: this.#unpack(whole.subarray(0, prefix.headerBytes), offset), body: whole.subarray(prefix.headerBytes) };
  }

  /** @throws BurlaError BURLA_STORAGE as `read`. */
  headerAt(offset: number): unknown {
    const { headerBytes } = this.#prefixAt(offset);
    return this.#unpack(this.#bytesAt(offset + this.#known.prefixBytes, headerBytes), offset);
  }

  /**
   * The body of a record, to be read a piece at a time, and closed. That it is what was written is checked now if it never
   * was, and when its last piece is read.
   * @throws BurlaError BURLA_STORAGE as `read`.
   */
  bodyOf(offset: number): BodySource {
    const prefix = this.#prefixAt(offset);
    if (!this.#checked.has(offset) && !this.#sumsUp(prefix, offset)) throw this.#isChanged(offset);
    this.#checked.add(offset);
    const headerAt = offset + this.#known.prefixBytes;
    const from = headerAt + prefix.headerBytes;
    let sum = crc32(this.#bytesAt(headerAt, prefix.headerBytes));
    this.#files.hold(this);
    return {
      byteLength: prefix.bodyBytes,
      read: (at, bytes) => {
        const piece = this.#bytesAt(from + at, Math.min(bytes, prefix.bodyBytes - at));
        sum = crc32(piece, sum);
        if (at + piece.byteLength < prefix.bodyBytes || prefix.checksum === null || sum === prefix.checksum) return piece;
        this.#checked.delete(offset);
        throw this.#isChanged(offset);
      },
      close: () => this.#release(),
    };
  }

  /**
   * All records from the one at `start`, with those that are appended while it is iterated. A torn one at the end, from a
   * death in the middle of a write, is cut off; so is a tail of zeros, which a crash of the machine leaves.
   * @throws DamageError at anything else that is no record, after those before it; BurlaError BURLA_STORAGE.
   */
  *replay(start = 0): Generator<StoredRecord> {
    if (this.#size === 0) return;
    const format = this.#recognise();
    if (format === null) return this.#cutOffTail(0, start);
    const ahead = new ReadAhead((at, bytes) => this.#bytesAt(at, bytes));
    for (let offset = Math.max(start, format.start); offset < this.#size; ) {
      const record = this.#recordAt(offset, ahead);
      if (record === null) return this.#cutOffTail(offset, start);
      yield record;
      offset += record.bytes;
    }
  }

  /** It has another name now. */
  renamed(path: string): void {
    this.#path = path;
  }

  close(): void {
    this.#closed = true;
    this.#files.close(this);
  }

  #append(header: Uint8Array, body: readonly Uint8Array[]): number {
    if (this.#isTorn) throw new DamageError(this.#path, "it ends in the middle of a record");
    if (this.#size > 0 && this.#recognise() === null) this.#cutOffTail(0, 0);
    const isNew = this.#size === 0;
    if (isNew) this.#format = NEWEST;
    const format = this.#known;
    const buffers = [...(isNew ? [newestHead()] : []), format.prefixOf(header, body), header, ...body];
    const offset = this.#size;
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    const descriptor = this.#descriptor();
    try {
      let written = writevSync(descriptor, buffers);
      while (written < bytes) written += writevSync(descriptor, [Buffer.concat(buffers).subarray(written)]);
    } catch (cause) {
      this.#cutOff(descriptor, offset);
      throw storageError(`write to ${this.#path}`, cause);
    }
    this.#size += bytes;
    return isNew ? format.start : offset;
  }

  get #known(): RecordFormat {
    return this.#recognise() ?? NEWEST;
  }

  /** @returns null for one without a whole beginning. @throws DamageError, or BurlaError BURLA_STORAGE for one of a later build. */
  #recognise(): RecordFormat | null {
    if (this.#format !== null) return this.#format;
    const found = recognise(this.#bytesAt(0, Math.min(FILE_HEAD_BYTES, this.#size)));
    if (found.kind === "damaged") throw new DamageError(this.#path, "it does not begin as such a file does");
    if (found.kind === "newer") throw new BurlaError("BURLA_STORAGE", `${this.#path} was written by a later version of Burla, in form ${found.version}`, { cure: NEWER_CURE });
    if (found.kind === "torn") return null;
    return (this.#format = found.format);
  }

  /** @returns null where the file ends within it. @throws DamageError where it is no record. */
  #recordAt(offset: number, ahead: ReadAhead): StoredRecord | null {
    const { prefixBytes } = this.#known;
    if (offset + prefixBytes > this.#size) return null;
    const prefix = this.#known.parse(ahead.read(offset, prefixBytes, this.#size));
    if (prefix === null) {
      if (this.#isZeroFrom(offset)) return null;
      throw new DamageError(this.#path, `there is no record at byte ${offset}`);
    }
    const bytes = prefixBytes + prefix.headerBytes + prefix.bodyBytes;
    if (offset + bytes > this.#size) return null;
    if (!this.#sumsUp(prefix, offset, ahead)) {
      if (offset + bytes === this.#size && this.#endsInZeros(offset, bytes)) return null;
      throw new DamageError(this.#path, `the record at byte ${offset} is not what was written`);
    }
    const headerAt = offset + prefixBytes;
    return {
      offset,
      bytes,
      header: this.#unpack(ahead.read(headerAt, prefix.headerBytes, this.#size), offset),
      bodyBytes: prefix.bodyBytes,
      body: () => ahead.read(headerAt + prefix.headerBytes, prefix.bodyBytes, this.#size),
    };
  }

  #prefixAt(offset: number): Prefix {
    const { prefixBytes, start } = this.#known;
    const prefix = offset < start || offset + prefixBytes > this.#size ? null : this.#known.parse(this.#bytesAt(offset, prefixBytes));
    if (prefix === null || offset + prefixBytes + prefix.headerBytes + prefix.bodyBytes > this.#size) throw new DamageError(this.#path, `there is no record at byte ${offset}`);
    return prefix;
  }

  #readWhole(offset: number): { prefix: Prefix; whole: Buffer } {
    const prefix = this.#prefixAt(offset);
    const whole = this.#bytesAt(offset + this.#known.prefixBytes, prefix.headerBytes + prefix.bodyBytes);
    if (prefix.checksum !== null && crc32(whole) !== prefix.checksum) throw this.#isChanged(offset);
    return { prefix, whole };
  }

  #isChanged(offset: number): DamageError {
    return new DamageError(this.#path, `the record at byte ${offset} is not what was written`);
  }

  /** A piece at a time: a record may be as long as a message. */
  #sumsUp({ headerBytes, bodyBytes, checksum }: Prefix, offset: number, ahead?: ReadAhead): boolean {
    if (checksum === null) return true;
    const from = offset + this.#known.prefixBytes;
    if (ahead !== undefined && headerBytes + bodyBytes <= READ_BYTES) return crc32(ahead.read(from, headerBytes + bodyBytes, this.#size)) === checksum;
    let sum = 0;
    for (const piece of this.#pieces(from, from + headerBytes + bodyBytes)) sum = crc32(piece, sum);
    return sum === checksum;
  }

  #unpack(header: Uint8Array, offset: number): unknown {
    try {
      return unpack(header);
    } catch (cause) {
      throw new DamageError(this.#path, `the record at byte ${offset} cannot be read`, { cause });
    }
  }

  #isZeroFrom(offset: number): boolean {
    for (const piece of this.#pieces(offset, this.#size)) if (!isZero(piece)) return false;
    return true;
  }

  /** A machine that went down may have kept how long the file was, and not its last pages. */
  #endsInZeros(offset: number, bytes: number): boolean {
    const lastPage = Math.floor((this.#size - 1) / PAGE_BYTES) * PAGE_BYTES;
    const from = Math.max(offset + this.#known.prefixBytes, lastPage);
    return from < offset + bytes && this.#isZeroFrom(from);
  }

  *#pieces(from: number, to: number): Generator<Buffer> {
    for (let at = from; at < to; ) {
      const piece = this.#bytesAt(at, Math.min(READ_BYTES, to - at));
      at += piece.byteLength;
      yield piece;
    }
  }

  #bytesAt(offset: number, bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(bytes);
    const descriptor = this.#descriptor();
    for (let got = 0; got < bytes; ) {
      const read = this.#readSome(descriptor, buffer, got, offset);
      if (read === 0) throw new DamageError(this.#path, `it ends before byte ${offset + bytes}`);
      got += read;
    }
    return buffer;
  }

  #readSome(descriptor: number, buffer: Buffer, got: number, offset: number): number {
    try {
      return readSync(descriptor, buffer, got, buffer.byteLength - got, offset + got);
    } catch (cause) {
      throw storageError(`read ${this.#path}`, cause);
    }
  }

  /** @throws BurlaError BURLA_STORAGE also for a file that was closed, whose descriptor may be another's by now. */
  #descriptor(): number {
    if (this.#closed && !this.#files.isHeld(this)) throw new BurlaError("BURLA_STORAGE", `${this.#path} is not kept any more`, { cure: "The job is over, and what it left is removed: run it again." });
    try {
      return this.#files.descriptor(this);
    } catch (cause) {
      throw storageError(`open ${this.#path}`, cause);
    }
  }

  #release(): void {
    this.#files.release(this);
    if (this.#closed) this.#files.close(this);
  }

  /** Readers that begin later leave the end alone: it may be a record that is being written. */
  #cutOffTail(offset: number, start: number): void {
    if (start !== 0 || offset >= this.#size) return;
    try {
      ftruncateSync(this.#descriptor(), offset);
    } catch (cause) {
      throw storageError(`shorten ${this.#path}`, cause);
    }
    this.#size = offset;
    if (offset === 0) this.#format = null;
  }

  #cutOff(descriptor: number, offset: number): void {
    try {
      ftruncateSync(descriptor, offset);
    } catch {
      this.#isTorn = true;
    }
  }
}

/** Small records that follow each other are read from the disk together. */
class ReadAhead {
  readonly #readAt: (at: number, bytes: number) => Buffer;
  #at = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(readAt: (at: number, bytes: number) => Buffer) {
    this.#readAt = readAt;
  }

  /** @param end of the file. */
  read(at: number, bytes: number, end: number): Buffer {
    if (bytes > READ_BYTES) return this.#readAt(at, bytes);
    if (at < this.#at || at + bytes > this.#at + this.#bytes.byteLength) {
      this.#bytes = this.#readAt(at, Math.min(Math.max(READ_BYTES, bytes), end - at));
      this.#at = at;
    }
    return this.#bytes.subarray(at - this.#at, at - this.#at + bytes);
  }
}


function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
