/** How main is reached: over TCP, TLS, or a socket in the file system. */
import { request as httpRequest, type ClientRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { MAIN_SERVER_NAME } from "./gce/names.ts";
import { checkOwnSocket } from "./own-socket.ts";

/** Where main is. */
export interface MainPlace {
  readonly url: string;
  /** PEM: the only certificate that main may show. */
  readonly certificate?: string | null | undefined;
  /** The path of main's socket on this machine. Where there is one, the URL is not dialled: anybody may take its port when main has died. */
  readonly socket?: string | null | undefined;
}

const SOCKET_SCHEME = "http+unix:";

/** A URL for what listens on a socket of this machine: the path is where the host usually is. */
export function socketUrl(path: string): string {
  return `${SOCKET_SCHEME}//${encodeURIComponent(path)}`;
}

/** @returns null when it is the URL of something else. */
export function socketOfUrl(url: string): string | null {
  const { protocol, hostname } = new URL(url);
  return protocol === SOCKET_SCHEME ? decodeURIComponent(hostname) : null;
}

/** What people call the place that a URL stands for: of a socket, which has no origin, its path. */
export function placeOf(url: string): string {
  return socketOfUrl(url) ?? new URL(url).origin;
}

/**
 * A request to main that is yet to be ended.
 * @throws BurlaError BURLA_UNREACHABLE when main's socket is not this user's: nothing has been said then.
 */
export function requestOf({ url, certificate, socket }: MainPlace, path: string, options: RequestOptions): ClientRequest {
  if (socket != null) checkOwnSocket(socket);
  const socketPath = socket ?? socketOfUrl(url);
  if (socketPath !== null) return httpRequest({ ...options, agent: false, socketPath, path });
  const target = new URL(path, url);
  return (target.protocol === "https:" ? httpsRequest : httpRequest)(target, { ...options, agent: false, ...pinned(certificate) });
}

/** TLS with nothing trusted but this certificate, whatever address main has. */
function pinned(certificate: string | null | undefined): RequestOptions & { ca?: string; servername?: string } {
  return certificate == null ? {} : { ca: certificate, servername: MAIN_SERVER_NAME };
}
