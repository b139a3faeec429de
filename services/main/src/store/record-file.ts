/** An append-only file of frames, readable at any record. Written synchronously: what returns is in the kernel's hands
 * and survives the death of this process (a crash of the machine may lose the last seconds). */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writevSync } from "node:fs";
import { BurlaError, encodeFrame, FrameDecoder, messageOf, type Frame } from "@burla/protocol";

const READ_BYTES = 1 << 20;

export class RecordFile {
  readonly #fd: number;
  #size: number;
  /** A part of a record could not be cut off again: what is appended would not be found behind it. */
  #isTorn = false;

  /** @throws BurlaError BURLA_STORAGE when the file cannot be opened. */
  constructor(path: string) {
    try {
      this.#fd = openSync(path, "a+", 0o600);
      this.#size = fstatSync(this.#fd).size;
    } catch (cause) {
      throw new BurlaError("BURLA_STORAGE", `cannot open ${path}: ${messageOf(cause)}`, { cause });
    }
  }

  get size(): number {
    return this.#size;
  }

  /**
   * @returns the offset of the record, for `read`.
   * @throws BurlaError BURLA_STORAGE when the disk refuses; the file then ends with its last whole record.
   */
  append(header: unknown, ...body: Uint8Array[]): number {
    return this.#write(encodeFrame(header, body));
  }

  /** A record of another file, as it is. @returns its offset here. @throws as `append` and `read` */
  copy(source: RecordFile, offset: number, bytes: number): number {
    const record = Buffer.allocUnsafe(bytes);
    source.#readFully(record, offset);
    return this.#write([record]);
  }

  #write(buffers: Uint8Array[]): number {
    if (this.#isTorn) throw new BurlaError("BURLA_STORAGE", "the job log ends in the middle of a record");
    const offset = this.#size;
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    try {
      let written = writevSync(this.#fd, buffers);
      while (written < bytes) written += writevSync(this.#fd, [Buffer.concat(buffers).subarray(written)]);
    } catch (cause) {
      this.#cutOff(offset);
      throw new BurlaError("BURLA_STORAGE", `cannot write to the job log: ${messageOf(cause)}`, { cause });
    }
    this.#size += bytes;
    return offset;
  }

  /** @throws BurlaError BURLA_STORAGE when there is no whole record at this offset. */
  read(offset: number): Frame {
    if (offset < 0) throw new BurlaError("BURLA_STORAGE", "the log has no such record");
    const prefix = Buffer.allocUnsafe(4);
    this.#readFully(prefix, offset);
    const bytes = 4 + prefix.readUInt32LE(0);
    if (offset + bytes > this.#size) throw new BurlaError("BURLA_STORAGE", `there is no record at ${offset}`);
    const whole = Buffer.allocUnsafe(bytes);
    this.#readFully(whole, offset);
    const [frame] = new FrameDecoder().push(whole);
    if (frame === undefined) throw new BurlaError("BURLA_STORAGE", `there is no record at ${offset}`);
    return frame;
  }

  /**
   * All records from the one at `start`, with those that are appended while it is iterated. A torn one at the end, from a
   * death in the middle of a write, is cut off; so is a tail of zeros, which a crash of the machine leaves.
   * @throws BurlaError BURLA_STORAGE at anything else that is no record.
   */
  *replay(start = 0): Generator<{ offset: number; frame: Frame }> {
    const decoder = new FrameDecoder();
    let offset = start;
    for (const piece of this.#pieces(start)) {
      const frames = decoder.push(piece)[Symbol.iterator]();
      for (let next = this.#nextFrame(frames, offset); next?.done === false; next = this.#nextFrame(frames, offset)) {
        yield { offset, frame: next.value };
        offset += next.value.bytes;
      }
    }
    if (start === 0 && offset < this.#size) {
      this.#size = offset;
      ftruncateSync(this.#fd, offset);
    }
  }

  /** @returns null where the rest of the file is zeros. */
  #nextFrame(frames: Iterator<Frame>, offset: number): IteratorResult<Frame> | null {
    try {
      return frames.next();
    } catch (cause) {
      if (this.#isZeroFrom(offset)) return null;
      throw new BurlaError("BURLA_STORAGE", `the log is damaged at byte ${offset}: ${messageOf(cause)}`, { cause });
    }
  }

  #isZeroFrom(offset: number): boolean {
    for (const piece of this.#pieces(offset)) {
      if (piece.some((byte) => byte !== 0)) return false;
    }
    return true;
  }

  *#pieces(from: number): Generator<Buffer> {
    for (let at = from; at < this.#size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, this.#size - at));
      const got = readSync(this.#fd, buffer, 0, buffer.byteLength, at);
      if (got === 0) return;
      at += got;
      yield buffer.subarray(0, got);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readSome(buffer: Buffer, got: number, offset: number): number {
    try {
      return readSync(this.#fd, buffer, got, buffer.byteLength - got, offset + got);
    } catch (cause) {
      throw new BurlaError("BURLA_STORAGE", `cannot read the job log: ${messageOf(cause)}`, { cause });
    }
  }

  #cutOff(offset: number): void {
    try {
      ftruncateSync(this.#fd, offset);
    } catch {
      this.#isTorn = true;
    }
  }

  #readFully(buffer: Buffer, offset: number): void {
    for (let got = 0; got < buffer.byteLength; ) {
      const read = this.#readSome(buffer, got, offset);
      if (read === 0) throw new BurlaError("BURLA_STORAGE", `the job log ends before offset ${offset + buffer.byteLength}`);
      got += read;
    }
  }
}
