/** Two ends of one byte stream, and a peer that speaks raw bytes. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { Connection, type BurlaError, type ClientToMain, clientToMain, type ConnectionOptions, encodeFrame, type MainToClient, PROTOCOL_VERSION } from "@burla/protocol";

/** Both ends of a stream in this process, joined without a delay; `writes` are the buffers as they were handed over. */
export function duplexPair(): { near: Duplex; far: Duplex; writes: Buffer[] } {
  const writes: Buffer[] = [];
  const ends: Duplex[] = [];
  const make = (other: () => Duplex | undefined, record: boolean) =>
    new Duplex({
      read: () => undefined,
      writev: (chunks, done) => {
        const whole = Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer));
        if (record && whole.byteLength > 0) writes.push(whole);
        other()?.push(whole);
        done();
      },
      final: (done) => {
        other()?.push(null);
        done();
      },
      destroy: (error, done) => {
        other()?.push(null);
        done(error);
      },
    });
  ends.push(make(() => ends[1], true), make(() => ends[0], false));
  return { near: ends[0] as Duplex, far: ends[1] as Duplex, writes };
}

/** Both ends of a real socket. */
export async function socketPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const far = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [near] = await accepted;
  server.close();
  return { near, far };
}

export const HELLO = { type: "hello", protocolVersion: PROTOCOL_VERSION, software: "test" };

export function frame(header: unknown, ...body: Uint8Array[]): Buffer {
  return Buffer.concat(encodeFrame(header, body));
}

/** The end of main, with what it heard. */
export interface Listening {
  readonly connection: Connection<ClientToMain, MainToClient>;
  readonly heard: { message: ClientToMain; body: Uint8Array }[];
  /** Resolves with the reason when it has ended. */
  readonly closed: Promise<BurlaError | undefined>;
}

export function listen(stream: Duplex, options: Partial<ConnectionOptions<ClientToMain>> = {}): Listening {
  const heard: Listening["heard"] = [];
  let close: (error: BurlaError | undefined) => void = () => undefined;
  const closed = new Promise<BurlaError | undefined>((resolve) => {
    close = resolve;
  });
  const connection = new Connection<ClientToMain, MainToClient>(stream, {
    incoming: clientToMain,
    software: "test main",
    silenceMs: 0,
    onMessage: (message, body) => heard.push({ message, body }),
    onClose: close,
    ...options,
  });
  return { connection, heard, closed };
}
