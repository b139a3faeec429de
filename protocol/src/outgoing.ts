/** What one side of a connection has said and the stream has not been handed: bytes, and bodies that are read when their turn comes. */
import { PIECE_BYTES } from "./limits.ts";

/** A part of a message that is not held in memory. Read from its beginning to its end, or not at all. */
export interface BodySource {
  readonly byteLength: number;
  /** @throws BurlaError when it cannot be read: then the message, which has begun, ends its connection. */
  read(at: number, bytes: number): Uint8Array;
  /** Nobody reads it any more. */
  close(): void;
}

export type Body = Uint8Array | BodySource;

/** Larger parts of bytes are cut: what a stream is handed it may copy. */
const MAX_WHOLE_BYTES = 4 * PIECE_BYTES;

export class Outgoing {
  readonly #parts: Body[] = [];
  /** Of the first part, what was taken already. */
  #takenBytes = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(part: Body): void {
    if (part.byteLength === 0) return close(part);
    this.#parts.push(part);
    this.#bytes += part.byteLength;
  }

  /** The next pieces in order: at least one, and no more when they have this many bytes. @throws what a source throws. */
  take(bytes: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let taken = 0;
    let at = 0;
    for (let part = this.#parts[at]; part !== undefined && taken < bytes; part = this.#parts[at]) {
      const piece = this.#pieceOf(part);
      pieces.push(piece);
      taken += piece.byteLength;
      this.#takenBytes += piece.byteLength;
      if (this.#takenBytes < part.byteLength) continue;
      close(part);
      this.#takenBytes = 0;
      at++;
    }
    this.#parts.splice(0, at);
    this.#bytes -= taken;
    return pieces;
  }

  /** Nothing of it is sent any more. */
  clear(): void {
    for (const part of this.#parts.splice(0)) close(part);
    this.#bytes = 0;
    this.#takenBytes = 0;
  }

  #pieceOf(part: Body): Uint8Array {
    if (!(part instanceof Uint8Array)) return part.read(this.#takenBytes, Math.min(PIECE_BYTES, part.byteLength - this.#takenBytes));
    if (part.byteLength <= MAX_WHOLE_BYTES) return part;
    return part.subarray(this.#takenBytes, this.#takenBytes + PIECE_BYTES);
  }
}

function close(part: Body): void {
  if (!(part instanceof Uint8Array)) part.close();
}
