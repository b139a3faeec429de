/** HTTP as Google's APIs speak it: JSON, and errors in their documented shape. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer that is an error: `{ error: { code, message, errors: [{ reason }], status } }`. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly status: string | undefined;

  constructor(code: number, reason: string, message: string, status?: string) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.status = status;
  }
}

export const notFound = (what: string) => new ApiError(404, "notFound", `The resource '${what}' was not found`);

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Text is sent as it is, anything else as JSON. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

/** @param handle null: the connection is cut without an answer. */
export async function listen(address: string, handle: (call: Call) => Promise<Answer | null>): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => void answer(request, response, handle));
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, address, resolve));
  return { server, url: `http://${address}:${(server.address() as AddressInfo).port}` };
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function answer(request: IncomingMessage, response: ServerResponse, handle: (call: Call) => Promise<Answer | null>): Promise<void> {
  const url = new URL(request.url ?? "/", "http://emulator");
  let result: Answer | null;
  try {
    let body = "";
    request.setEncoding("utf8");
    for await (const part of request) body += String(part);
    result = await handle({ method: request.method ?? "GET", path: decodeURIComponent(url.pathname), query: url.searchParams, headers: request.headers, body });
  } catch (error) {
    result = errorAnswer(error);
  }
  if (result === null) return void request.socket.destroy();
  const isText = typeof result.body === "string";
  response.writeHead(result.status ?? 200, { "content-type": isText ? "application/text" : "application/json; charset=UTF-8", ...result.headers });
  response.end(isText ? result.body : JSON.stringify(result.body));
}

function errorAnswer(error: unknown): Answer {
  const { code, reason, status, message } = error instanceof ApiError ? error : new ApiError(500, "backendError", `the emulator failed: ${String(error)}`);
  return { status: code, body: { error: { code, message, errors: [{ message, domain: "global", reason }], ...(status !== undefined && { status }) } } };
}
