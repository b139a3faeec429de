/** Reads the file that holds a run's results. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Row } from "../runner/messages.ts";
import { rowOfLine } from "../runner/spool-line.ts";

const NEWLINE = 0x0a;

/** The line of a row. @throws Error when the file is gone or another one. */
export async function readLine(spool: string, { offset, bytes }: Pick<Row, "offset" | "bytes">): Promise<string> {
  const file = await open(spool, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
    if (bytesRead < bytes) throw new Error("the results of this run are gone from the disk");
    return buffer.toString("utf8");
  } finally {
    await file.close();
  }
}

/** All rows, a batch for each piece of the file. A last line that was not finished is left out. */
export async function* readRows(spool: string): AsyncGenerator<Row[]> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const piece of createReadStream(spool) as AsyncIterable<Buffer>) {
    const data = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const rows: Row[] = [];
    let start = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      const row = rowOfLine(data.toString("utf8", start, end));
      if (row !== null) rows.push({ ...row, offset: offset + start, bytes: end - start });
      start = end + 1;
    }
    rest = data.subarray(start);
    offset += start;
    yield rows;
  }
}
