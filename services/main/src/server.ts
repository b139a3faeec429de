/** The one port of main: HTTP for control, and upgrades to framed connections. Off loopback, with TLS. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { BlockList, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { CONNECT_PATH, ROLE_HEADER, UPGRADE_PROTOCOL, type JobId } from "@burla/protocol";
import type { Identity } from "./auth.ts";
import { logFault, type FaultLog } from "./fault.ts";
import { acceptChannel, channelJob } from "./http-channel.ts";

export interface ServerOptions {
  readonly app: Hono;
  readonly identify: (authorization: string | undefined) => Identity | null;
  readonly onStream: (stream: Duplex, identity: Identity, role: "client" | "node", isLocal: boolean) => void;
  /** The conversation of a client about one job. */
  readonly onChannel: (stream: Duplex, identity: Identity, jobId: JobId, isLocal: boolean) => void;
  readonly log: FaultLog;
}

const HOST = "127.0.0.1";
/** A machine that nothing is heard of is asked whether it is there after this long. */
const KEEP_ALIVE_MS = 5_000;
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** @returns the server and its URL; on `port` if that is free, else on another. On loopback. */
export async function serve(options: ServerOptions, port: number): Promise<{ server: Server; url: string }> {
  const server = prepared(createServer(listenerOf(options)), options);
  await listen(server, port, HOST).catch(() => listen(server, 0, HOST));
  return { server, url: `http://${HOST}:${(server.address() as AddressInfo).port}` };
}

/** For machines elsewhere: on this address and port or not at all. */
export async function serveTls(options: ServerOptions, { address, port, key, certificate }: { address: string; port: number; key: string; certificate: string }): Promise<{ server: TlsServer; url: string }> {
  const server = prepared(createTlsServer({ key, cert: certificate, minVersion: "TLSv1.3" }, listenerOf(options)), options);
  await listen(server, port, address);
  return { server, url: `https://${address}:${port}` };
}

function listenerOf(options: ServerOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const listener = getRequestListener(options.app.fetch);
  return (request, response) => {
    const jobId = channelJob(request);
    if (jobId === undefined) return void listener(request, response);
    guarded(options.log, request.socket, () => {
      const identity = options.identify(request.headers.authorization);
      const stream = acceptChannel(request, response, identity);
      if (stream !== null && identity !== null) options.onChannel(stream, identity, jobId, keepsAlive(request.socket));
    });
  };
}

function prepared<Kind extends Server | TlsServer>(server: Kind, options: ServerOptions): Kind {
  // The body of a channel ends with its job.
  server.requestTimeout = 0;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => guarded(options.log, socket, () => upgrade(options, request, socket, head)));
  return server;
}

function listen(server: Server | TlsServer, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function upgrade(options: ServerOptions, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on("error", () => socket.destroy());
  const identity = options.identify(request.headers.authorization);
  const role = request.headers[ROLE_HEADER] === "node" ? "node" : "client";
  const allowed = identity !== null && identity.role !== "viewer" && (role === "node") === (identity.role === "node");
  if (request.url !== CONNECT_PATH || request.headers.upgrade !== UPGRADE_PROTOCOL) return refuse(socket, "400 Bad Request");
  if (!allowed) return refuse(socket, "401 Unauthorized");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE_PROTOCOL}\r\n\r\n`);
  (socket as Duplex & { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  if (head.byteLength > 0) socket.unshift(head);
  options.onStream(socket, identity, role, keepsAlive(request.socket));
}

/** A fault while a peer is let in ends that peer's connection. */
function guarded(log: FaultLog, socket: Duplex, run: () => void): void {
  try {
    run();
  } catch (error) {
    logFault(log, error);
    socket.destroy();
  }
}

/**
 * A peer that computes says nothing for long. Of one on this machine the system tells when it has ended; another machine
 * is asked, and one that is gone does not answer.
 * @returns whether it is on this machine.
 */
function keepsAlive(socket: Socket): boolean {
  const { remoteAddress } = socket;
  const isLocal = remoteAddress === undefined || LOOPBACK.check(remoteAddress, socket.remoteFamily === "IPv6" ? "ipv6" : "ipv4");
  if (!isLocal) socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return isLocal;
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
