/** The file that holds the results of a run, a line of JSON each. The runner that has it open is its only writer. */
import { open, type FileHandle } from "node:fs/promises";
import type { Row } from "./messages.ts";
import type { RowAndLine } from "./rows.ts";

export class Spool {
  readonly #file: FileHandle;
  #bytes: number;

  private constructor(file: FileHandle, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Opens the file, or makes it; what is in it stays. */
  static async open(path: string): Promise<Spool> {
    const file = await open(path, "a", 0o600);
    return new Spool(file, (await file.stat()).size);
  }

  /** Resolves when the lines are in the file: rows that somebody was told of can be read from it. */
  async add(entries: readonly RowAndLine[]): Promise<Row[]> {
    const rows: Row[] = [];
    const texts: string[] = [];
    for (const { row, line } of entries) {
      const bytes = Buffer.byteLength(line);
      rows.push({ ...row, offset: this.#bytes, bytes });
      texts.push(line);
      this.#bytes += bytes + 1;
    }
    await this.#file.appendFile(texts.map((text) => `${text}\n`).join(""));
    return rows;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
