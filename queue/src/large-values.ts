/** Values that no document can hold: kept by their hash, in a bucket of Cloud Storage or by main. */
import { createHash } from "node:crypto";
import { BurlaError, messageOf, requestMain, ROUTES, type MainRequest } from "@burla/protocol";

export interface LargeValues {
  /** @returns the name under which it is found. */
  put(value: Uint8Array): Promise<string>;
  get(name: string): Promise<Uint8Array>;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
/** Main may be away for a while. */
const PATIENCE_MS = 60_000;
const REQUEST_TIMEOUT_MS = 60_000;

/** Where main is, and the certificate that it must show, if any. */
export type MainAt = Pick<MainRequest, "url" | "token" | "certificate">;

/** By main's route for blobs. */
export class MainValues implements LargeValues {
  readonly #address: () => MainAt;

  /** @param address where main is: it may have moved. */
  constructor(address: () => MainAt) {
    this.#address = address;
  }

  async put(value: Uint8Array): Promise<string> {
    const hash = createHash("sha256").update(value).digest("hex");
    await this.#request(hash, { method: "PUT", body: value });
    return hash;
  }

  async get(name: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#request(name, { method: "GET" })).arrayBuffer());
  }

  #request(hash: string, what: Pick<MainRequest, "method" | "body">): Promise<Response> {
    const path = ROUTES.blob.replace(":hash", hash);
    return patiently(() => requestMain({ ...this.#address(), ...what, path, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }));
  }
}

/** In a bucket, by the JSON API of Cloud Storage. */
export class BucketValues implements LargeValues {
  readonly #bucket: string;
  readonly #folder: string;
  readonly #token: () => Promise<string>;
  readonly #api: string;

  /** @param folder its objects are named below it: a rule of the bucket removes them after some days. */
  constructor({ bucket, folder, token, api = "https://storage.googleapis.com" }: { bucket: string; folder: string; token: () => Promise<string>; api?: string }) {
    this.#bucket = encodeURIComponent(bucket);
    this.#folder = folder;
    this.#token = token;
    this.#api = api;
  }

  async put(value: Uint8Array): Promise<string> {
    const hash = createHash("sha256").update(value).digest("hex");
    await this.#request(`/upload/storage/v1/b/${this.#bucket}/o?uploadType=media&name=${this.#nameOf(hash)}`, { method: "POST", body: value });
    return hash;
  }

  async get(name: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#request(`/storage/v1/b/${this.#bucket}/o/${this.#nameOf(name)}?alt=media`, {})).arrayBuffer());
  }

  #nameOf(hash: string): string {
    return encodeURIComponent(`${this.#folder}/${hash}`);
  }

  #request(path: string, init: RequestInit): Promise<Response> {
    return patiently(async () => {
      const headers = { authorization: `Bearer ${await this.#token()}`, "content-type": "application/octet-stream" };
      return fetch(this.#api + path, { ...init, headers });
    });
  }
}

/** @throws BurlaError BURLA_QUEUE when it is refused, or nobody answers for long. */
async function patiently(request: () => Promise<Response>): Promise<Response> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)) {
    const answer = await request().catch((error: unknown) => messageOf(error));
    if (typeof answer !== "string" && answer.ok) return answer;
    const problem = typeof answer === "string" ? answer : `${answer.status} ${(await answer.text()).slice(0, 500)}`;
    const isFinal = typeof answer !== "string" && answer.status < 500 && answer.status !== 429;
    if (isFinal || performance.now() > deadlineMs) throw new BurlaError("BURLA_QUEUE", `a large value cannot be kept or fetched: ${problem}`);
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}
