/** What native code and child processes write to stdout or stderr, up to a mark that says: all of this execution was heard. */
import { StringDecoder } from "node:string_decoder";
import { markText } from "./messages.ts";

const MARK_START = "\u0000";

export class MarkedOutput {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onText: (text: string) => void;
  /** The marks that have come and that nobody has waited for yet. */
  readonly #seen = new Set<string>();
  #rest = "";
  #wanted: { mark: string; found: () => void } | undefined;

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }

  push(bytes: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.write(bytes)).split(/\u0000(m-[0-9a-f-]{36})\u0000/);
    // Every second part is a mark.
    parts.forEach((part, index) => {
      if (index % 2 === 1) this.#mark(part);
      else if (index === parts.length - 1) this.#tail(part);
      else this.#say(part);
    });
  }

  /** Resolves when the mark has come, or after the timeout: the code may have closed the file. */
  until(mark: string, timeoutMs: number): Promise<void> {
    if (this.#seen.delete(mark)) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.#wanted = undefined;
        resolve();
      };
      const timer = setTimeout(settle, timeoutMs);
      this.#wanted = { mark, found: settle };
    });
  }

  #mark(mark: string): void {
    if (this.#wanted?.mark === mark) this.#wanted.found();
    else this.#seen.add(mark);
  }

  /** The end may be the beginning of a mark. */
  #tail(text: string): void {
    const at = text.lastIndexOf(MARK_START);
    const mayBeMark = at >= 0 && text.length - at < markText(`m-${"0".repeat(36)}`).length;
    this.#rest = mayBeMark ? text.slice(at) : "";
    this.#say(mayBeMark ? text.slice(0, at) : text);
  }

  #say(text: string): void {
    if (text !== "") this.#onText(text);
  }
}
