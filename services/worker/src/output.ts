/**
 * Everything that a call prints, on the input that printed it: JavaScript's writes through `process.stdout` and
 * `process.stderr`, and what native code or a child process writes to file descriptors 1 and 2. Those descriptors are
 * files: reading what has been added to them between two calls tells exactly whose it is, which a pipe read by another
 * process cannot.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { fstatSync, ftruncateSync, openSync, readSync, watch } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { LOG_BURST_LINES, LOG_LINES_PER_SECOND, nativeKey, NO_INPUT, UPDATE } from "@burla/protocol";
import { ANNOUNCE_MS, NATIVE_READ_BYTES, TRUNCATE_BYTES, WATCHED_CALLS } from "./pace.ts";
import { dueUpdate, extend, isErased, NO_LINE, type PartialLine } from "./partial-line.ts";
import { PrintedFiles } from "./printed-files.ts";

// Taken now: the user's code may replace them, as tests with a clock of their own do.
const now = performance.now.bind(performance);
const timeNow = Date.now;

type Stream = 1 | 2;

/** Once native output was found, it is looked for before each of so many lines of JavaScript, so that they are told in order; */
const WATCHED_LINES = 1000;
/** before others not more often than this: a look costs as much as a line. */
const LOOK_BEFORE_MS = 0.5;

export interface Call {
  readonly index: number;
}

export interface Output {
  /** Runs a call so that what it prints, now or later in its promises and timers, is its own. */
  run<A, B, Result>(call: Call, body: (a: A, b: B) => Result, a: A, b: B): Result;
  /** A job begins: its first calls are watched closely for what native code prints. */
  begin(): void;
  /** The call whose code is running, if any. */
  current(): Call | undefined;
  /** A line by `context.log`. */
  log(call: Call, text: string): void;
  /** To be called when a call has ended: unfinished lines are its own. */
  ended(call: Call): void;
  /** Tells the node of what was printed, native output included; */
  flush(): void;
  /** or of what has been seen of it. */
  announce(): void;
  /** Ends unfinished lines too: the process is about to end. */
  end(): void;
}

/** @param announce says that there is more to read; `isUrgent` when the process does not come to sending by itself. */
export function captureOutput(files: { stdout: string; stderr: string }, announce: (isUrgent: boolean) => void): Output {
  return new CapturedOutput(files, announce);
}

class CapturedOutput implements Output {
  readonly #calls = new AsyncLocalStorage<Call>();
  readonly #announce: (isUrgent: boolean) => void;
  readonly #printed: PrintedFiles;
  readonly #partial = new Map<string, PartialLine>();
  readonly #decoders = new Map<string, StringDecoder>();
  readonly #natives: NativeFile[];
  readonly #limit = new LineLimit();
  /** Written and not announced. */
  #hasNews = false;
  /** Encoded and not written. */
  #isOpen = false;
  #announcedMs = -Infinity;
  #watchedCalls = WATCHED_CALLS;
  #watchedLines = 0;
  #lookedMs = -Infinity;
  #lastStarted: Call = { index: NO_INPUT };
  /** Whose native output comes now, as the node has been told. */
  #toldRunning = NO_INPUT;

  constructor(files: { stdout: string; stderr: string }, announce: (isUrgent: boolean) => void) {
    this.#announce = announce;
    this.#printed = new PrintedFiles(files.stdout);
    this.#intercept(process.stdout, 1);
    this.#intercept(process.stderr, 2);
    this.#natives = [new NativeFile(1, files.stdout), new NativeFile(2, files.stderr)];
    for (const native of this.#natives) {
      native.onChange(() => this.#readNative(this.#lastStarted.index));
      if (native.offset > 0) this.#noteRead(native);
    }
    this.#commit();
  }

  run<A, B, Result>(call: Call, body: (a: A, b: B) => Result, a: A, b: B): Result {
    if (call !== this.#lastStarted) this.#noteStarted(call);
    return this.#calls.run(call, body, a, b);
  }

  begin(): void {
    this.#watchedCalls = WATCHED_CALLS;
  }

  current(): Call | undefined {
    return this.#calls.getStore();
  }

  log(call: Call, text: string): void {
    this.#readBefore();
    this.#write(call.index, 1, `${text}\n`);
    this.#commit();
  }

  ended(call: Call): void {
    if (this.#watchedCalls > 0) {
      this.#watchedCalls--;
      this.#readNative(call.index);
    }
    if (this.#partial.size === 0 && this.#decoders.size === 0) return;
    this.#endLine(call.index, 1);
    this.#endLine(call.index, 2);
    this.#commit();
  }

  end(): void {
    for (const key of new Set([...this.#partial.keys(), ...this.#decoders.keys()])) {
      const [stream = "", index = ""] = key.split(":");
      this.#endLine(Number.parseInt(index, 10), stream === "2" ? 2 : 1);
    }
    this.#commit();
    this.flush();
  }

  flush(): void {
    this.#readNative(this.#lastStarted.index);
    this.announce();
  }

  announce(): void {
    if (this.#limit.dropped > 0) this.#noteDropped();
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#announcedMs = now();
    this.#announce(false);
  }

  #intercept(stream: NodeJS.WriteStream, which: Stream): void {
    const write = (chunk: string | Uint8Array, encodingOrDone?: unknown, done?: unknown): boolean => {
      this.#readBefore();
      const index = this.#calls.getStore()?.index ?? NO_INPUT;
      this.#write(index, which, this.#textOf(chunk, encodingOrDone, which, index));
      this.#commit();
      const callback = typeof encodingOrDone === "function" ? encodingOrDone : done;
      if (typeof callback === "function") process.nextTick(callback as () => void);
      return true;
    };
    stream.write = write as typeof stream.write;
  }

  /** A character may be split over writes, between which another call prints: each call has a decoder of its own. */
  #textOf(chunk: string | Uint8Array, encoding: unknown, stream: Stream, index: number): string {
    const isText = typeof encoding !== "string" || /^utf-?8$/i.test(encoding);
    if (typeof chunk === "string" && isText) return chunk;
    const key = `${stream}:${index}`;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding as BufferEncoding) : Buffer.from(chunk);
    const decoder = this.#decoders.get(key) ?? new StringDecoder("utf8");
    this.#decoders.set(key, decoder);
    return decoder.write(bytes);
  }

  /** Should the call not come back for long, the node reads native output itself, and has to know whose it is. */
  #noteStarted(call: Call): void {
    this.#lastStarted = call;
    const running = this.#watchedCalls > 0 ? call.index : NO_INPUT;
    if (running === this.#toldRunning) return;
    this.#toldRunning = running;
    this.#printed.encoder.part("running", running);
    this.#limit.dropped += this.#printed.commit();
  }

  /** What native code has printed before a line stands before it: each line is watched once there was such output, else now and then. */
  #readBefore(): void {
    if (this.#watchedCalls === 0) return;
    if (this.#watchedLines > 0) this.#watchedLines--;
    else if (now() - this.#lookedMs < LOOK_BEFORE_MS) return;
    this.#readNative(this.#lastStarted.index);
  }

  #readNative(index: number): void {
    this.#lookedMs = now();
    for (const native of this.#natives) {
      const { text, droppedBytes, to } = native.read();
      if (text === "" && droppedBytes === 0) continue;
      this.#watchedCalls = WATCHED_CALLS;
      this.#watchedLines = WATCHED_LINES;
      this.#printed.encoder.part("native", [native.stream, to]);
      this.#write(index, native.stream, text, nativeKey(native.stream, index));
      this.#noteRead(native);
      if (droppedBytes > 0) {
        this.#endLine(index, native.stream);
        this.#add(index, native.stream, extend(NO_LINE, `… ${droppedBytes} bytes were dropped`));
      }
      this.#commit();
    }
  }

  /** Whoever reads on after the end of this process begins there. */
  #noteRead({ stream, offset }: NativeFile): void {
    this.#printed.encoder.part("read", [stream, offset]);
    this.#isOpen = true;
  }

  /** @param key unfinished lines of different sources do not run into each other: which came first is not known. */
  #write(index: number, stream: Stream, text: string, key = `${stream}:${index}`): void {
    const parts = text.split("\n");
    const before = this.#partial.get(key) ?? NO_LINE;
    let line = extend(before, parts[0] ?? "");
    const hasEnd = parts.length > 1;
    if (hasEnd && before.characters > 0) this.#endPartial(key);
    for (let at = 1; at < parts.length; at++) {
      this.#add(index, stream, line);
      line = extend(NO_LINE, parts[at] ?? "");
    }
    if (line.characters === 0) return;
    this.#partial.set(key, line);
    if (line.isOver || line.hasReturned) return this.#writeOver(index, stream, line, key);
    const added = hasEnd ? line.kept : line.kept.slice(before.kept.length);
    if (added === "" || !this.#limit.hasRoom) return;
    this.#printed.encoder.part("partial", [key, index, stream, timeNow(), added]);
    this.#isOpen = true;
  }

  /** A line that is written over is told by its states: should the process end, the last of them is what is known. */
  #writeOver(index: number, stream: Stream, line: PartialLine, key: string): void {
    if (!this.#limit.hasRoom) return;
    // Native output may be read by the node ahead of this process, and its lines are counted then: it has no states.
    const isNative = key === nativeKey(stream, index);
    const update = isNative ? null : dueUpdate(line, now());
    if (update === null && line.isOver && !isNative) return;
    this.#printed.encoder.part("whole", key);
    this.#printed.encoder.part("partial", [key, index, stream, timeNow(), line.hasReturned ? line.kept + UPDATE : line.kept]);
    this.#isOpen = true;
    if (update === null || !this.#limit.allows()) return;
    this.#partial.set(key, { ...line, sent: { text: line.kept, ms: now() } });
    this.#printed.encoder.line(index, stream, timeNow(), update);
  }

  /** What there was of the line comes as a whole one now. */
  #endPartial(key: string): void {
    if (!this.#partial.delete(key)) return;
    this.#printed.encoder.part("whole", key);
    this.#isOpen = true;
  }

  #endLine(index: number, stream: Stream): void {
    for (const key of [`${stream}:${index}`, nativeKey(stream, index)]) {
      const rest = extend(this.#partial.get(key) ?? NO_LINE, this.#decoders.get(key)?.end() ?? "");
      this.#endPartial(key);
      this.#decoders.delete(key);
      if (rest.characters > 0 && !isErased(rest)) this.#add(index, stream, rest);
    }
  }

  #add(index: number, stream: Stream, { kept, characters }: PartialLine): void {
    if (!this.#limit.allows()) return;
    const text = kept.length === characters ? kept : `${kept}… (${characters} characters)`;
    this.#printed.encoder.line(index, stream, timeNow(), text);
    this.#isOpen = true;
  }

  #noteDropped(): void {
    this.#printed.encoder.dropped(this.#limit.takeDropped());
    this.#isOpen = true;
    this.#commit();
  }

  /** A line leaves the process when it is written: whatever follows may end it, or take long. */
  #commit(): void {
    if (!this.#isOpen) {
      if (this.#limit.dropped > 0) this.#tell();
      return;
    }
    this.#isOpen = false;
    this.#limit.dropped += this.#printed.commit();
    this.#tell();
  }

  #tell(): void {
    if (!this.#hasNews) setImmediate(() => this.announce());
    this.#hasNews = true;
    if (now() - this.#announcedMs < ANNOUNCE_MS) return;
    if (this.#limit.dropped > 0) this.#printed.encoder.dropped(this.#limit.takeDropped());
    this.#limit.dropped += this.#printed.commit();
    this.#hasNews = false;
    this.#announcedMs = now();
    this.#announce(true);
  }
}

/** A token bucket of lines. */
class LineLimit {
  dropped = 0;
  #tokens = LOG_BURST_LINES;
  #lastMs = now();

  get hasRoom(): boolean {
    return this.#tokens >= 1;
  }

  allows(): boolean {
    if (this.#tokens < 1) this.#refill();
    if (this.#tokens < 1) {
      this.dropped++;
      return false;
    }
    this.#tokens--;
    return true;
  }

  takeDropped(): number {
    const dropped = this.dropped;
    this.dropped = 0;
    return dropped;
  }

  #refill(): void {
    const nowMs = now();
    this.#tokens = Math.min(LOG_BURST_LINES, this.#tokens + ((nowMs - this.#lastMs) * LOG_LINES_PER_SECOND) / 1000);
    this.#lastMs = nowMs;
  }
}

/** What was added to the file behind a descriptor since the last look. */
class NativeFile {
  readonly stream: Stream;
  readonly #path: string;
  readonly #readFd: number;
  readonly #decoder = new StringDecoder("utf8");
  #offset: number;

  get offset(): number {
    return this.#offset;
  }

  constructor(stream: Stream, path: string) {
    this.stream = stream;
    this.#path = path;
    this.#readFd = openSync(path, "r+");
    this.#offset = fstatSync(this.#readFd).size;
  }

  /** While a call waits, the system tells of writes by its children. */
  onChange(look: () => void): void {
    try {
      watch(this.#path, { persistent: false }, look).on("error", () => undefined);
    } catch {
      // No watches left on this machine: the output is read when the call ends.
    }
  }

  /** `to`: so far the file was read, before it was emptied if it was. */
  read(): { text: string; droppedBytes: number; to: number } {
    const { size } = fstatSync(this.#readFd);
    // The node has emptied it: what it held is counted as dropped, as far as it is known.
    if (size < this.#offset) {
      const droppedBytes = this.#offset;
      this.#offset = 0;
      return { text: "", droppedBytes, to: 0 };
    }
    if (size === this.#offset) return { text: "", droppedBytes: 0, to: size };
    const bytes = Math.min(size - this.#offset, NATIVE_READ_BYTES);
    const buffer = Buffer.allocUnsafe(bytes);
    const got = readSync(this.#readFd, buffer, 0, bytes, this.#offset);
    const droppedBytes = size - this.#offset - got;
    this.#offset = size;
    if (size > TRUNCATE_BYTES) {
      ftruncateSync(this.#readFd, 0);
      this.#offset = 0;
    }
    return { text: this.#decoder.write(buffer.subarray(0, got)), droppedBytes, to: size };
  }
}
