/** Where a line is written so that it has left this process: see `protocol/src/printed.ts`. */
import fs from "node:fs";
import { dirname, join } from "node:path";
import { PRINTED_FILES, PrintedEncoder, TURNED_PART } from "@burla/protocol";

/** The other file is taken when this one is longer, */
const TURN_BYTES = 1 << 20;
/** and lines are dropped when the node does not come to reading, so that no disk is filled. */
const MAX_PRINTED_BYTES = 1 << 26;

// Taken now: the user's code may replace them.
const { openSync, fstatSync, writeSync } = fs;

export class PrintedFiles {
  readonly #descriptors: readonly number[];
  #current = 0;
  /** Of the current file. */
  #bytes = 0;
  readonly encoder = new PrintedEncoder((bytes, lines) => this.#write(bytes, lines));
  #lostLines = 0;
  /** Of what the disk had room for only in part: nobody can read on without it. */
  #rest: Uint8Array = new Uint8Array(0);

  /** @param besides a file in the folder that the node has made them in. */
  constructor(besides: string) {
    this.#descriptors = PRINTED_FILES.map((name) => openSync(join(dirname(besides), name), "a"));
  }

  /** Writes out what was encoded. @returns lines for which there was no room: the disk is full, or the node does not read. */
  commit(): number {
    this.encoder.flush();
    const lost = this.#lostLines;
    this.#lostLines = 0;
    return lost;
  }

  #write(bytes: Uint8Array, lines: number): void {
    try {
      if (this.#bytes > TURN_BYTES) this.#turnIfRead();
      if (this.#bytes > MAX_PRINTED_BYTES) this.#lostLines += lines;
      else this.#append(bytes);
    } catch {
      this.#lostLines += lines;
    }
  }

  /** @throws when nothing of it could be written. */
  #append(bytes: Uint8Array): void {
    if (this.#rest.byteLength > 0) {
      this.#rest = this.#rest.subarray(this.#put(this.#rest));
      if (this.#rest.byteLength > 0) throw new Error("the disk is full");
    }
    const written = this.#put(bytes);
    if (written < bytes.byteLength) this.#rest = Uint8Array.from(bytes.subarray(written));
  }

  /** @returns how much of it was written. @throws when that is nothing. */
  #put(bytes: Uint8Array): number {
    let written = 0;
    try {
      while (written < bytes.byteLength) written += writeSync(this.#descriptors[this.#current] as number, bytes, written);
    } catch (error) {
      if (written === 0) throw error;
    }
    this.#bytes += written;
    return written;
  }

  /** The node has emptied the other file when it has read all of it. */
  #turnIfRead(): void {
    const other = 1 - this.#current;
    if (this.#rest.byteLength > 0 || fstatSync(this.#descriptors[other] as number).size > 0) return;
    this.#append(TURNED_PART);
    if (this.#rest.byteLength > 0) return;
    this.#current = other;
    this.#bytes = 0;
  }
}
