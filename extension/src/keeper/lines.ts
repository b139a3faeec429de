/** Messages as lines of JSON over a socket. */
import type { Socket } from "node:net";
import { MAX_LINE_CHARACTERS } from "./messages.ts";

/** Calls `hear` with each message. A line that is no JSON, or too long, ends the connection: the other side is not ours. */
export function readLines(socket: Socket, hear: (message: unknown) => void): void {
  const parts: string[] = [];
  let characters = 0;
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = text.split("\n");
    for (const line of lines.slice(0, -1)) {
      const message = parse(parts.join("") + line);
      parts.length = 0;
      characters = 0;
      if (message === undefined) return socket.destroy();
      hear(message);
    }
    const rest = lines.at(-1) ?? "";
    parts.push(rest);
    characters += rest.length;
    if (characters > MAX_LINE_CHARACTERS) socket.destroy();
  });
}

/** @returns whether it was written: a message that is too long for the other side is not. */
export function writeLine(socket: Socket, message: object): boolean {
  const line = JSON.stringify(message);
  if (line.length > MAX_LINE_CHARACTERS || socket.destroyed) return false;
  socket.write(`${line}\n`);
  return true;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
