/** How a framed connection begins: one HTTP request with a token, upgraded. No retries: that is the caller's policy. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { BurlaError, messageOf } from "./errors.ts";
import { pinned } from "./http.ts";
import { afterListening } from "./listening.ts";
import { CONNECT_PATH, ROLE_HEADER, UPGRADE_PROTOCOL } from "./routes.ts";

export interface UpgradeOptions {
  readonly url: string;
  readonly token: string;
  readonly role: "client" | "node";
  readonly timeoutMs: number;
  /** PEM: the only certificate that main may show. */
  readonly certificate?: string | null | undefined;
}

const SOCKET_SCHEME = "http+unix:";

/** A URL for what listens on a socket of this machine: the path is where the host usually is. */
export function socketUrl(path: string): string {
  return `${SOCKET_SCHEME}//${encodeURIComponent(path)}`;
}

/**
 * @returns the raw stream, for a `Connection`.
 * @throws BurlaError BURLA_UNAUTHORIZED when the token is refused, BURLA_UNREACHABLE for all else.
 */
export function openStream({ url, token, role, timeoutMs, certificate }: UpgradeOptions): Promise<Duplex> {
  const target = new URL(CONNECT_PATH, url);
  const isSocket = target.protocol === SOCKET_SCHEME;
  const place = isSocket ? url : target.origin;
  const options = {
    headers: {
      connection: "upgrade",
      upgrade: UPGRADE_PROTOCOL,
      authorization: `Bearer ${token}`,
      [ROLE_HEADER]: role,
    },
    agent: false as const,
    ...pinned(certificate),
  };
  const request = isSocket
    ? httpRequest({ ...options, socketPath: decodeURIComponent(target.hostname), path: CONNECT_PATH })
    : (target.protocol === "https:" ? httpsRequest : httpRequest)(target, options);
  const deadline = afterListening(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  return new Promise<Duplex>((resolve, reject) => {
    request.on("upgrade", (_response, socket, head) => {
      socket.setNoDelay(true);
      if (head.byteLength > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on("response", (response) => {
      response.resume();
      const code = response.statusCode === 401 || response.statusCode === 403 ? "BURLA_UNAUTHORIZED" : "BURLA_UNREACHABLE";
      reject(new BurlaError(code, `the cluster at ${place} answered ${response.statusCode ?? "nothing"}`));
    });
    request.on("error", (cause) => reject(new BurlaError("BURLA_UNREACHABLE", `no cluster at ${place}: ${messageOf(cause)}`, { cause })));
    request.end();
  }).finally(() => deadline.stop());
}
