/**
 * Cloud Storage on this machine, for tests: what Burla uses of its JSON API. A media upload with `ifGenerationMatch`, a
 * download with `alt=media`, errors in their documented shape. It knows no credentials, metadata, listing or removal.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { AddressInfo } from "node:net";

const OBJECTS = /^\/(upload\/)?storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/;

/** Fails one request: before it is done, or after, when only its answer is lost. */
export type Fault = { readonly kind: "status"; readonly status: number } | { readonly kind: "lostAnswer" };

export class StorageEmulator {
  /** Objects of each bucket, by name. */
  readonly buckets: ReadonlyMap<string, Map<string, Buffer>>;
  /** What the next requests meet, in turn. */
  readonly faults: Fault[] = [];
  readonly #server: Server;

  static async start(...buckets: string[]): Promise<StorageEmulator> {
    const emulator = new StorageEmulator(buckets);
    await new Promise<void>((resolve) => emulator.#server.listen(0, "127.0.0.1", resolve));
    return emulator;
  }

  private constructor(buckets: readonly string[]) {
    this.buckets = new Map(buckets.map((name) => [name, new Map()]));
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** For STORAGE_EMULATOR_HOST. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const fault = this.faults.shift();
    if (fault?.kind === "status") return refuse(response, fault.status, "the test says so");
    const url = new URL(request.url ?? "/", "http://emulator");
    const [, upload, bucket = "", object] = OBJECTS.exec(url.pathname) ?? [];
    const objects = this.buckets.get(decodeURIComponent(bucket));
    if (objects === undefined) return refuse(response, 404, "The specified bucket does not exist.");
    if (fault?.kind === "lostAnswer") response.write = response.end = () => void request.socket.destroy() as never;
    if (upload !== undefined && request.method === "POST") return insert(objects, url.searchParams, body, response);
    if (object !== undefined && request.method === "GET" && url.searchParams.get("alt") === "media") return download(objects, decodeURIComponent(object), response);
    return refuse(response, 404, "Not Found");
  }
}

function insert(objects: Map<string, Buffer>, query: URLSearchParams, body: Buffer, response: ServerResponse): void {
  const name = query.get("name");
  if (query.get("uploadType") !== "media" || name === null) return refuse(response, 400, "Required parameter: name");
  if (query.get("ifGenerationMatch") === "0" && objects.has(name)) return refuse(response, 412, "At least one of the pre-conditions you specified did not hold.");
  objects.set(name, body);
  response.writeHead(200, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify({ kind: "storage#object", name, size: String(body.byteLength) }));
}

function download(objects: Map<string, Buffer>, name: string, response: ServerResponse): void {
  const body = objects.get(name);
  if (body === undefined) return refuse(response, 404, `No such object: ${name}`);
  response.writeHead(200, { "content-type": "application/octet-stream" });
  response.end(body);
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify({ error: { code, message, errors: [{ message, domain: "global" }] } }));
}
