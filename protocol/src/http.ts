/** Requests to main: as `fetch`, which cannot be told which certificate to trust. No retries: that is the caller's policy. */
import { Readable } from "node:stream";
import { requestOf, type MainPlace } from "./dial.ts";

export interface MainRequest extends MainPlace {
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly token: string;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

const NO_BODY = [204, 304];

/** @throws Error of the connection, BurlaError when main's socket is not this user's, and the signal's reason. */
export async function requestMain({ path, method, token, body, signal, ...place }: MainRequest): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...(typeof body === "string" && { "content-type": "application/json" }) };
  const request = requestOf(place, path, { method, headers, signal });
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
