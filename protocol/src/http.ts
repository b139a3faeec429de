/** Requests to main: as `fetch`, which cannot be told which certificate to trust. No retries: that is the caller's policy. */
import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { MAIN_SERVER_NAME } from "./gce/names.ts";

export interface MainRequest {
  readonly url: string;
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly token: string;
  /** PEM: the only certificate that main may show. */
  readonly certificate?: string | null | undefined;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

const NO_BODY = [204, 304];

/** TLS with nothing trusted but this certificate, whatever address main has. */
export function pinned(certificate: string | null | undefined): RequestOptions & { ca?: string; servername?: string } {
  return certificate == null ? {} : { ca: certificate, servername: MAIN_SERVER_NAME };
}

/** @throws Error of the connection, and the signal's reason. */
export function requestMain({ url, path, method, token, certificate, body, signal }: MainRequest): Promise<Response> {
  const target = new URL(path, url);
  const request = (target.protocol === "https:" ? httpsRequest : httpRequest)(target, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(typeof body === "string" && { "content-type": "application/json" }) },
    agent: false,
    signal,
    ...pinned(certificate),
  });
  return new Promise((resolve, reject) => {
    request.on("response", (response) => {
      const status = response.statusCode ?? 500;
      const content = NO_BODY.includes(status) ? null : (Readable.toWeb(response) as ReadableStream<Uint8Array>);
      resolve(new Response(content, { status, headers: Object.entries(response.headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as [string, string]] : [])) }));
    });
    request.on("error", (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    request.end(body);
  });
}
