/** Bytes of a pipe -> lines. */
import { StringDecoder } from "node:string_decoder";

export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #maxLength: number;
  #parts: string[] = [];
  #length = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** @throws RangeError for a line that is longer than allowed. */
  *push(bytes: Uint8Array): Generator<string> {
    const pieces = this.#decoder.write(bytes).split("\n");
    for (let index = 0; index < pieces.length; index++) {
      const piece = pieces[index] as string;
      this.#parts.push(piece);
      this.#length += piece.length;
      if (this.#length > this.#maxLength) throw new RangeError(`a message is longer than ${this.#maxLength} characters`);
      if (index === pieces.length - 1) return;
      yield this.#parts.join("");
      this.#parts = [];
      this.#length = 0;
    }
  }
}
