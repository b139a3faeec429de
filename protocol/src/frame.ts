/**
 * Bytes <-> frames, on any byte stream.
 *
 *   u32 rest length | u32 header length | header (MessagePack) | body (opaque bytes)
 *
 * All integers little-endian. `rest length` counts everything behind itself. The header is a message of
 * `messages.ts`; the body belongs to it (user values, code, log lines) and no service looks into user values.
 */
import { Packr } from "msgpackr";
import { MAX_FRAME_BYTES, MAX_HEADER_BYTES } from "./limits.ts";
import { BurlaError } from "./errors.ts";

/** Plain maps only, so that any MessagePack library in any language reads them. */
const packr = new Packr({ useRecords: false, int64AsType: "number" });

export interface Frame {
  /** Decoded but not yet validated. */
  readonly header: unknown;
  readonly body: Uint8Array;
  /** Length of the whole frame. */
  readonly bytes: number;
}

export const EMPTY_BODY: Uint8Array = new Uint8Array(0);
const PREFIX_BYTES = 8;

/** MessagePack of any plain value: headers, and the bodies that services may read (logs, error envelopes). */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * The library allocates no more than the bytes can hold, however long their prefixes claim to be.
 * @throws BurlaError BURLA_PROTOCOL for anything but one whole value.
 */
export function unpack(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new BurlaError("BURLA_PROTOCOL", "what should be MessagePack is not, or ends too early", { cause });
  }
}

/**
 * The parts of one frame, those of the body as they are.
 * @throws BurlaError BURLA_TOO_LARGE above `MAX_FRAME_BYTES` or, for the header, `MAX_HEADER_BYTES`.
 */
export function encodeFrame<Part extends { readonly byteLength: number } = Uint8Array>(header: unknown, body: readonly Part[]): (Uint8Array | Part)[] {
  const packed = pack(header);
  if (packed.byteLength > MAX_HEADER_BYTES) throw tooLarge(packed.byteLength, MAX_HEADER_BYTES);
  let bodyBytes = 0;
  for (const part of body) bodyBytes += part.byteLength;
  const restBytes = 4 + packed.byteLength + bodyBytes;
  if (restBytes > MAX_FRAME_BYTES) throw tooLarge(restBytes, MAX_FRAME_BYTES);
  const head = Buffer.allocUnsafe(PREFIX_BYTES + packed.byteLength);
  head.writeUInt32LE(restBytes, 0);
  head.writeUInt32LE(packed.byteLength, 4);
  head.set(packed, PREFIX_BYTES);
  return bodyBytes === 0 ? [head] : [head, ...body.filter((part) => part.byteLength > 0)];
}

function tooLarge(bytes: number, limitBytes: number): BurlaError {
  return new BurlaError("BURLA_TOO_LARGE", `a message of ${bytes} bytes is over the limit of ${limitBytes}`);
}

/**
 * Incremental decoder: feed it pieces of any size. A frame that lies within one piece is not copied: its body is a
 * view, valid as long as the piece is.
 */
export class FrameDecoder {
  /** Pieces not yet consumed, and how many bytes they hold together. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes of an unfinished frame held back. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /**
   * @returns the frames that are complete now, in order, each decoded when it is asked for: what came before a
   * malformed frame is delivered however the bytes were cut. The iteration throws BurlaError BURLA_PROTOCOL or
   * BURLA_TOO_LARGE: the stream is then beyond repair and must be closed.
   */
  push(piece: Uint8Array): Iterable<Frame> {
    if (piece.byteLength > 0) this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
    return this.#complete();
  }

  *#complete(): Generator<Frame> {
    for (let needed = this.#nextFrameBytes(); needed !== null && this.#bytes >= needed; needed = this.#nextFrameBytes()) {
      yield decodeOne(this.#take(needed));
    }
  }

  #nextFrameBytes(): number | null {
    if (this.#bytes < PREFIX_BYTES) return null;
    const prefix = this.#peekPrefix();
    const restBytes = prefix.readUInt32LE(0);
    const headerBytes = prefix.readUInt32LE(4);
    if (restBytes > MAX_FRAME_BYTES) throw tooLarge(restBytes, MAX_FRAME_BYTES);
    if (headerBytes > MAX_HEADER_BYTES || headerBytes + 4 > restBytes) {
      throw new BurlaError("BURLA_PROTOCOL", `a frame says that its header has ${headerBytes} of ${restBytes} bytes`);
    }
    return 4 + restBytes;
  }

  #peekPrefix(): Buffer {
    let first = this.#pieces[0];
    if (first === undefined || first.byteLength < PREFIX_BYTES) {
      first = Buffer.concat(this.#pieces);
      this.#pieces = [first];
    }
    return Buffer.from(first.buffer, first.byteOffset, PREFIX_BYTES);
  }

  #take(bytes: number): Buffer {
    const first = this.#pieces[0];
    const whole = first !== undefined && first.byteLength >= bytes ? first : Buffer.concat(this.#pieces);
    const taken = Buffer.from(whole.buffer, whole.byteOffset, bytes);
    const rest = whole.subarray(bytes);
    this.#pieces = whole === first ? this.#pieces : [whole];
    if (rest.byteLength === 0) this.#pieces.shift();
    else this.#pieces[0] = rest;
    this.#bytes -= bytes;
    return taken;
  }
}

function decodeOne(frame: Buffer): Frame {
  const headerBytes = frame.readUInt32LE(4);
  const bodyStart = PREFIX_BYTES + headerBytes;
  const header = unpack(frame.subarray(PREFIX_BYTES, bodyStart));
  return { header, body: frame.subarray(bodyStart), bytes: frame.byteLength };
}
