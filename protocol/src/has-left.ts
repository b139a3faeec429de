/** Resolves when all that was written to the stream has left this process, or its reader has gone: a pipe that is full leaves here what it has no room for. */
export async function hasLeft(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0 && stream.writable) await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
