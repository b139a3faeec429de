/** What the code prints goes to the session's owner, in the order in which it was printed. */
import type { Reporter } from "./reporter.ts";

type WriteCallback = (error?: Error | null) => void;

/** From here on, `process.stdout` and `process.stderr`, and so the console, write to the reporter. */
export function captureConsole(reporter: Reporter): void {
  redirect(process.stdout, (text) => reporter.print("stdout", text));
  redirect(process.stderr, (text) => reporter.print("stderr", text));
}

function redirect(stream: NodeJS.WriteStream, print: (text: string) => void): void {
  const decoder = new TextDecoder();
  const write = (chunk: string | Uint8Array, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean => {
    print(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
    const done = typeof encoding === "function" ? encoding : callback;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  stream.write = write as typeof stream.write;
}
