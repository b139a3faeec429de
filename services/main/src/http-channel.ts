/**
 * A client's conversation over one HTTP request: its body carries the client's frames, its answer main's, both streamed.
 * For clients that speak HTTP and nothing else; all messages are those of the framed connection, of one job.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import { CHANNEL_CONTENT_TYPE, ROUTES, type JobId } from "@burla/protocol";
import type { Identity } from "./auth.ts";

const PATH = new RegExp(`^${ROUTES.jobChannel.replace(":jobId", "(job-[0-9a-z]{19})")}$`);
/** Parts of one turn are joined up to this size: each part becomes a chunk of the answer. */
const JOINED_BYTES = 64 * 1024;

/** The job of a request for a channel; undefined for any other request. */
export function channelJob(request: IncomingMessage): JobId | undefined {
  if (request.method !== "POST") return undefined;
  return PATH.exec(request.url ?? "")?.[1] as JobId | undefined;
}

/** Answers at once, before the body has come: what follows is a conversation. @returns null when the caller may not. */
export function acceptChannel(request: IncomingMessage, response: ServerResponse, identity: Identity | null): Duplex | null {
  if (identity === null || identity.role === "node" || identity.role === "viewer") {
    response.writeHead(401, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify({ error: "BURLA_UNAUTHORIZED" }));
    return null;
  }
  // No proxy on the way may wait for more, or keep it.
  response.writeHead(200, { "content-type": CHANNEL_CONTENT_TYPE, "cache-control": "no-store", "x-accel-buffering": "no", connection: "close" });
  response.flushHeaders();
  request.socket.setNoDelay(true);
  return new HttpChannel(request, response);
}

/** The body of the request and of its answer as one stream. A body that ends is a client that says nothing more, and still listens. */
class HttpChannel extends Duplex {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    super();
    this.#request = request;
    this.#response = response;
    request.on("data", (piece: Buffer) => {
      if (!this.push(piece)) request.pause();
    });
    const gone = () => this.destroy();
    request.on("error", gone);
    response.on("error", gone);
    response.on("close", gone);
  }

  override _read(): void {
    this.#request.resume();
  }

  override _write(piece: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#response.write(piece, done);
  }

  override _writev(pieces: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const parts = joined(pieces.map(({ chunk }) => chunk));
    parts.forEach((part, at) => this.#response.write(part, at === parts.length - 1 ? done : undefined));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#response.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#request.destroy();
    this.#response.destroy();
    done(error);
  }
}

function joined(parts: readonly Buffer[]): Buffer[] {
  const result: Buffer[] = [];
  let small: Buffer[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (bytes + part.byteLength > JOINED_BYTES && small.length > 0) {
      result.push(Buffer.concat(small));
      small = [];
      bytes = 0;
    }
    small.push(part);
    bytes += part.byteLength;
  }
  if (small.length > 0) result.push(small.length === 1 ? (small[0] as Buffer) : Buffer.concat(small));
  return result;
}
