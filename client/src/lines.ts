/** Bytes -> lines, streamed. */
import { StringDecoder } from "node:string_decoder";

export interface NumberedLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * Lines without their ends (`\n` or `\r\n`) and without a byte order mark; an empty last line is none.
 * @throws RangeError for a line that is longer than the limit.
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, maxLength = Infinity): AsyncGenerator<NumberedLine> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let number = 0;
  for await (const piece of bytes) {
    const parts = decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)).split("\n");
    parts[0] = rest + (parts[0] ?? "");
    rest = parts.pop() ?? "";
    if (rest.length > maxLength) throw new RangeError(`line ${number + 1} is longer than ${maxLength} characters`);
    for (const text of parts) yield { number: ++number, text: trimEnds(text, number) };
  }
  rest += decoder.end();
  if (rest !== "") yield { number: ++number, text: trimEnds(rest, number) };
}

function trimEnds(text: string, number: number): string {
  const withoutMark = number === 1 && text.startsWith("\uFEFF") ? text.slice(1) : text;
  return withoutMark.endsWith("\r") ? withoutMark.slice(0, -1) : withoutMark;
}
