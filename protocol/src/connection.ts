/**
 * One conversation over any byte stream: frames out (gathered per turn of the event loop, and no faster than the peer
 * takes them), validated messages in, a ping when it is quiet, and one reason when it closes. What a message leads to
 * stays here: one that does not fit, or whose handler fails, ends this connection with a farewell that says why, and
 * nothing else.
 */
import type { Duplex } from "node:stream";
import * as v from "valibot";
import { BurlaError, burlaError, isErrorCode, messageOf } from "./errors.ts";
import { CONNECTION_SILENCE_MS, MAX_HEADER_BYTES, MAX_IN_SOCKET_BYTES } from "./limits.ts";
import { encodeFrame, FrameDecoder, type Frame } from "./frame.ts";
import type { JobId } from "./ids.ts";
import { afterListening, type Deadline } from "./listening.ts";
import { jobIdSchema, PROTOCOL_VERSION, type Farewell, type Hello, type Ping } from "./messages.ts";
import { Outgoing, type Body } from "./outgoing.ts";

/** A system call with many buffers costs as much as copying so many bytes into one. */
const MAX_COPIED_BYTES = 16 * 1024;
/** A peer that does not close in its turn is not waited for any longer. */
const MAX_CLOSING_MS = 1000;
/** What does not fit may be as long as a header. */
const MAX_ISSUE_CHARACTERS = 200;
const MAX_FAREWELL_CHARACTERS = 4000;
/** Pings within the silence that is allowed. */
const PINGS = 3;

interface Tagged {
  type: string;
}

export interface ConnectionOptions<Incoming extends Tagged> {
  /** The union of what this side may receive. */
  readonly incoming: v.GenericSchema<unknown, Incoming | Always>;
  /** Named in `hello`, for the person who reads the other side's log. */
  readonly software: string;
  /** Called in order of arrival; `body` is a view that must be copied to be kept beyond memory limits. */
  readonly onMessage: (message: Incoming, body: Uint8Array) => void;
  /**
   * Called once, whoever closed. `undefined` when it was this side, on purpose. `about`: the job whose message has ended
   * it, if it was one.
   */
  readonly onClose: (error: BurlaError | undefined, about: JobId | null) => void;
  /** What a handler threw that is no error of Burla's. The connection ends for it. */
  readonly onFault?: (error: unknown) => void;
  /** Bytes have come, be it a part of a long message: whoever sends them is alive. */
  readonly onHeard?: () => void;
  /** What was sent has left, after more had waited than the system took at once: a sender with much to say goes on. */
  readonly onRoom?: () => void;
  /** So many bytes of an unfinished message are held now. @returns false when that is too much: the connection ends. */
  readonly mayHold?: (bytes: number) => boolean;
  /** What it does by itself is done by this, for a process whose globals belong to somebody else. */
  readonly around?: (work: () => void) => void;
  /**
   * Silence after which the peer is taken for dead; 0 for none (a worker is busy with the user's code). Counted in turns in
   * which this process has read what came: its own stalls are no silence of the peer.
   */
  readonly silenceMs?: number;
  /** How often the peer hears that this side is there; default a third of the silence. */
  readonly pingMs?: number;
  /** A peer that has not said hello after so long is closed without a word: it dials again, if it is one. Default: it is waited for. */
  readonly openingMs?: number;
}

type Always = Hello | Ping | Farewell;

export class Connection<Incoming extends Tagged, Said extends Tagged> {
  readonly #stream: Duplex;
  readonly #options: ConnectionOptions<Incoming>;
  readonly #decoder = new FrameDecoder();
  readonly #around: (work: () => void) => void;
  #heardHello = false;
  /** Said and not handed to the stream. */
  readonly #outgoing = new Outgoing();
  #isFlushDue = false;
  #closed = false;
  /** Closed on purpose; what was said before still leaves. */
  #isEnding = false;
  /** Pings since something was heard. */
  #silentPings = 0;
  #isHeld = false;
  /** Of the message of the moment. */
  #header: unknown = null;
  #heartbeat: NodeJS.Timeout | undefined;
  readonly #opening: Deadline | undefined;

  constructor(stream: Duplex, options: ConnectionOptions<Incoming>) {
    this.#stream = stream;
    this.#options = options;
    this.#around = options.around ?? ((work) => work());
    stream.on("data", (piece: Uint8Array) => this.#around(() => this.#receive(piece)));
    stream.on("error", (cause) => this.#end(new BurlaError("BURLA_UNREACHABLE", `the connection broke: ${cause.message}`, { cause })));
    stream.on("close", () => this.#end(new BurlaError("BURLA_UNREACHABLE", "the other side closed the connection")));
    stream.on("end", () => this.#end(new BurlaError("BURLA_UNREACHABLE", "the other side closed the connection")));
    stream.on("drain", () => this.#around(() => this.#drain()));
    const silenceMs = options.silenceMs ?? CONNECTION_SILENCE_MS;
    const pingMs = options.pingMs ?? silenceMs / PINGS;
    if (pingMs > 0) this.#startHeartbeat(pingMs, silenceMs === 0 ? Infinity : silenceMs / pingMs);
    const { openingMs } = options;
    if (openingMs !== undefined) this.#opening = afterListening(openingMs, () => this.#end(new BurlaError("BURLA_UNREACHABLE", "the other side has not said hello")));
    this.#write({ type: "hello", protocolVersion: PROTOCOL_VERSION, software: options.software }, []);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes handed over and not yet taken by the operating system: a sender with much to say waits for `onRoom`. */
  get unsentBytes(): number {
    return this.#stream.writableLength + this.#outgoing.bytes;
  }

  /**
   * Queues a message; everything queued in one turn of the event loop leaves in one write. Ignored once closed.
   * @param body a part that is a source is read when the peer has taken all before it; one that fails ends the connection.
   */
  send(message: Said, ...body: Body[]): void {
    this.#write(message as Tagged & Record<string, unknown>, body);
  }

  /** Writes out now what this turn has queued: for a worker that is about to run the user's code. */
  flush(): void {
    if (this.#closed && !this.#isEnding) return;
    try {
      this.#handOver();
    } catch (error) {
      if (!(error instanceof BurlaError)) throw error;
      if (this.#isEnding) this.#stream.destroy();
      this.#end(error);
    }
  }

  /** Resolves when what was sent has left this process, or the connection has closed. */
  async drained(): Promise<void> {
    this.flush();
    while (!this.#closed && this.unsentBytes > 0) {
      await new Promise<void>((resolve) => {
        this.#stream.once("close", resolve);
        this.#stream.write(new Uint8Array(0), () => {
          this.#stream.off("close", resolve);
          resolve();
        });
      });
      this.flush();
    }
  }

  /**
   * Sends what is queued and closes. What the peer still says is read and ignored until it closes too: the system throws
   * away what is on its way to the peer when a socket is destroyed that holds unread bytes.
   */
  close(): void {
    this.#closeAfterAll(undefined);
  }

  #closeAfterAll(error: BurlaError | undefined): void {
    if (this.#closed) return;
    this.#isEnding = true;
    this.#finish(error);
    const timer = setTimeout(() => this.#stream.destroy(), MAX_CLOSING_MS);
    this.#stream.once("close", () => {
      clearTimeout(timer);
      this.#outgoing.clear();
    });
    this.flush();
  }

  /** Ends the connection for a reason that the peer hears too. */
  refuse(error: BurlaError): void {
    const message = error.message.slice(0, MAX_FAREWELL_CHARACTERS);
    this.#write({ type: "farewell", code: error.code, message, jobId: jobIn(this.#header) }, []);
    this.#closeAfterAll(error);
  }

  /** Closes at once, telling `onClose` why. */
  abort(error: BurlaError): void {
    this.#end(error);
  }

  /** Reads nothing of the peer, which waits when it has much to say, until it is let go on. What is said here still leaves. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) this.#stream.pause();
    else this.#stream.resume();
  }

  /** Lets the process end although the connection is open, or not. */
  ref(keepAlive: boolean): void {
    const socket = this.#stream as Duplex & { ref?: () => void; unref?: () => void };
    if (keepAlive) socket.ref?.();
    else socket.unref?.();
  }

  #write(message: Tagged & Record<string, unknown>, body: Body[]): void {
    if (this.#closed) return closeAll(body);
    for (const part of this.#encode(message, body)) this.#outgoing.add(part);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => this.#around(() => this.flush()));
  }

  #encode(message: Tagged, body: Body[]): Body[] {
    try {
      return encodeFrame(message, body);
    } catch (error) {
      closeAll(body);
      throw error;
    }
  }

  /** As much as the stream may hold; what is left follows when that has gone. */
  #handOver(): void {
    this.#isFlushDue = false;
    const stream = this.#stream;
    while (this.#outgoing.bytes > 0 && stream.writableLength < MAX_IN_SOCKET_BYTES) {
      const pieces = this.#outgoing.take(MAX_IN_SOCKET_BYTES - stream.writableLength);
      const bytes = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (bytes <= MAX_COPIED_BYTES) {
        stream.write(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, bytes));
        continue;
      }
      stream.cork();
      for (const piece of pieces) stream.write(piece);
      stream.uncork();
    }
    if (this.#isEnding && this.#outgoing.bytes === 0 && !stream.writableEnded) stream.end();
  }

  #drain(): void {
    this.flush();
    if (!this.#closed && this.#outgoing.bytes === 0) this.#options.onRoom?.();
  }

  #receive(piece: Uint8Array): void {
    if (this.#closed) return;
    this.#silentPings = 0;
    try {
      this.#options.onHeard?.();
      for (const frame of this.#decoder.push(piece)) {
        if (this.#closed) return;
        this.#dispatch(frame);
      }
      const { pendingBytes } = this.#decoder;
      if (!this.#heardHello && pendingBytes > MAX_HEADER_BYTES) throw new BurlaError("BURLA_PROTOCOL", "the peer said something long before hello");
      if (this.#options.mayHold?.(pendingBytes) === false) throw new BurlaError("BURLA_TOO_LARGE", `too many unfinished messages: ${pendingBytes} bytes of this one`);
    } catch (error) {
      if (!(error instanceof BurlaError)) this.#options.onFault?.(error);
      this.refuse(error instanceof BurlaError ? error : new BurlaError("BURLA_PROTOCOL", `a message could not be handled: ${messageOf(error)}`, { cause: error }));
    }
  }

  #dispatch(frame: Frame): void {
    const parsed = v.safeParse(this.#options.incoming, frame.header);
    this.#header = frame.header;
    if (!parsed.success) {
      const issue = parsed.issues[0];
      const where = v.getDotPath(issue) ?? "";
      throw new BurlaError("BURLA_PROTOCOL", `a message does not fit the protocol: ${where} ${issue.message.slice(0, MAX_ISSUE_CHARACTERS)}`);
    }
    const message = parsed.output;
    if (message.type === "farewell") return this.#end(reasonIn(message as Farewell));
    if (message.type === "hello") return this.#checkVersion(message as Hello);
    if (message.type === "ping") return;
    if (!this.#heardHello) throw new BurlaError("BURLA_PROTOCOL", `the peer said ${message.type} before hello`);
    this.#options.onMessage(message as Incoming, frame.body);
    this.#header = null;
  }

  #checkVersion(hello: Hello): void {
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      throw new BurlaError(
        "BURLA_VERSION",
        `${hello.software} speaks protocol ${hello.protocolVersion}, this is ${this.#options.software} with protocol ${PROTOCOL_VERSION}`,
      );
    }
    this.#heardHello = true;
    this.#opening?.stop();
  }

  /** Between two pings what has come is read, however late they are. */
  #startHeartbeat(pingMs: number, maxPings: number): void {
    this.#heartbeat = setInterval(() => {
      if (this.#silentPings >= maxPings) return this.#end(new BurlaError("BURLA_UNREACHABLE", `the other side has been silent for ${Math.round((maxPings * pingMs) / 1000)} s`));
      if (!this.#isHeld) this.#silentPings++;
      this.#write({ type: "ping" }, []);
    }, pingMs);
    this.#heartbeat.unref();
  }

  #end(error: BurlaError | undefined): void {
    if (this.#closed) return;
    this.#finish(error);
    this.#stream.destroy();
  }

  #finish(error: BurlaError | undefined): void {
    this.#closed = true;
    if (!this.#isEnding) this.#outgoing.clear();
    clearInterval(this.#heartbeat);
    this.#opening?.stop();
    try {
      this.#options.onClose(error, error === undefined ? null : jobIn(this.#header));
    } catch (fault) {
      if (this.#options.onFault === undefined) throw fault;
      this.#options.onFault(fault);
    }
  }
}

/** Also of a message that does not fit otherwise. */
function jobIn(header: unknown): JobId | null {
  const jobId = typeof header === "object" && header !== null && "jobId" in header ? header.jobId : null;
  return v.is(jobIdSchema, jobId) ? jobId : null;
}

/** In the peer's words, without its cure, which this side has too. */
function reasonIn({ code, message }: Farewell): BurlaError {
  const [text = ""] = message.split("\n");
  return burlaError(isErrorCode(code) ? code : "BURLA_PROTOCOL", `the other side ended the connection: ${text}`);
}

function closeAll(body: readonly Body[]): void {
  for (const part of body) if (!(part instanceof Uint8Array)) part.close();
}
