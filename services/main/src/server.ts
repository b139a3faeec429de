/** What listens for main: HTTP for control, and upgrades to framed connections. Off this machine, with TLS. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { BlockList, type AddressInfo, type ListenOptions, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { CONNECT_PATH, MAX_BUNDLE_BYTES, OPENING_MS, QUIET_REQUEST_MS, ROLE_HEADER, UnknownPeers, UPGRADE_PROTOCOL, type JobId } from "@burla/protocol";
import type { Identity } from "./auth.ts";
import { logFault, type FaultLog } from "./fault.ts";
import type { Guests, Visit } from "./guests.ts";
import { acceptChannel, channelJob } from "./http-channel.ts";

type FetchCallback = Parameters<typeof getRequestListener>[0];

export interface ServerOptions {
  readonly app: { readonly fetch: FetchCallback };
  readonly identify: (authorization: string | undefined) => Identity | null;
  /** Null where nobody is turned away. */
  readonly guests: Guests | null;
  readonly onStream: (stream: Duplex, identity: Identity, role: "client" | "node", arrival: Arrival) => void;
  /** The conversation of a client about one job. */
  readonly onChannel: (stream: Duplex, identity: Identity, jobId: JobId, arrival: Arrival) => void;
  readonly log: FaultLog;
}

/** How a peer has come. */
export interface Arrival {
  readonly isLocal: boolean;
  /** Null where nobody is turned away. */
  readonly visit: Visit | null;
}

const HOST = "127.0.0.1";
/** A machine that nothing is heard of is asked whether it is there after this long. */
const KEEP_ALIVE_MS = 5_000;
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");
/** Without a limit for a whole request: the body of a channel ends with its job. */
const PATIENCE = { requestTimeout: 0, headersTimeout: OPENING_MS, connectionsCheckingInterval: 1_000 };

/** @returns the server and its URL; on `port` if that is free, else on another. On loopback. */
export async function serve(options: ServerOptions, port: number): Promise<{ server: Server; url: string }> {
  const server = prepared(createServer(PATIENCE, listenerOf(options)), options, "connection");
  await listen(server, { port, host: HOST }).catch(() => listen(server, { port: 0, host: HOST }));
  return { server, url: `http://${HOST}:${(server.address() as AddressInfo).port}` };
}

/** On a path in the file system, where nothing is. */
export async function serveSocket(options: ServerOptions, path: string): Promise<Server> {
  const server = prepared(createServer(PATIENCE, listenerOf(options)), options, "connection");
  await listen(server, { path });
  return server;
}

/** For machines elsewhere: on this address and port or not at all. */
export async function serveTls(options: ServerOptions, { address, port, key, certificate }: { address: string; port: number; key: string; certificate: string }): Promise<{ server: TlsServer; url: string }> {
  const server = prepared(createTlsServer({ key, cert: certificate, minVersion: "TLSv1.3", handshakeTimeout: OPENING_MS, ...PATIENCE }, listenerOf(options)), options, "secureConnection");
  await listen(server, { port, host: address });
  return { server, url: `https://${address}:${port}` };
}

function listenerOf(options: ServerOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const listener = getRequestListener(options.app.fetch);
  return (request, response) => {
    const identity = options.identify(request.headers.authorization);
    const visit = identity === null ? null : enter(options, identity, request.socket);
    if (visit === "full") return refuseMore(response);
    if (visit !== null) response.on("close", () => visit.leave());
    const jobId = channelJob(request);
    if (jobId === undefined) {
      if (visit?.holds(bodyBytes(request)) === false) return refuseMore(response);
      return void listener(request, response);
    }
    guarded(options.log, request.socket, () => {
      const stream = acceptChannel(request, response, identity);
      // From here on both sides say that they are there.
      request.socket.setTimeout(0);
      if (stream !== null && identity !== null) options.onChannel(stream, identity, jobId, { isLocal: keepsAlive(request.socket), visit });
    });
  };
}

/** It is known whose the connection is. */
const KNOWN = "burla:known";

function enter({ guests }: ServerOptions, identity: Identity, socket: Duplex): Visit | "full" | null {
  socket.emit(KNOWN);
  return guests === null ? null : (guests.enter(identity, () => socket.destroy()) ?? "full");
}

/** A body is held until it is whole; one of unknown length may be as long as any. */
function bodyBytes({ headers }: IncomingMessage): number {
  if (headers["transfer-encoding"] !== undefined) return MAX_BUNDLE_BYTES;
  return Math.min(MAX_BUNDLE_BYTES, Number(headers["content-length"] ?? 0) || 0);
}

function refuseMore(response: ServerResponse): void {
  response.writeHead(429, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ error: "BURLA_TOO_LARGE", message: "too many connections or unfinished requests of yours are open" }));
}

/** Those that have not said whose they are get little. */
function boundUnknown(server: Server | TlsServer, opened: "connection" | "secureConnection"): void {
  const unknown = new UnknownPeers();
  server.on(opened, (socket: Socket) => {
    unknown.came(socket);
    socket.once(KNOWN, () => unknown.known(socket));
  });
}

function prepared<Kind extends Server | TlsServer>(server: Kind, options: ServerOptions, opened: "connection" | "secureConnection"): Kind {
  server.setTimeout(QUIET_REQUEST_MS);
  boundUnknown(server, opened);
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => guarded(options.log, socket, () => upgrade(options, request, socket, head)));
  return server;
}

function listen(server: Server | TlsServer, place: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => {
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
  const visit = enter(options, identity, socket);
  if (visit === "full") return refuse(socket, "429 Too Many Requests");
  if (visit !== null) socket.on("close", () => visit.leave());
  // From here on both sides say that they are there.
  (socket as Socket).setTimeout(0);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE_PROTOCOL}\r\n\r\n`);
  (socket as Duplex & { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  if (head.byteLength > 0) socket.unshift(head);
  options.onStream(socket, identity, role, { isLocal: keepsAlive(request.socket), visit });
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
