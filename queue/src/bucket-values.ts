/** Large values in a bucket of Cloud Storage, by its JSON API. */
import type { LargeValues } from "./port.ts";
import { randomId } from "./documents.ts";
import { openToken } from "./open-store.ts";
import { requestPatiently } from "./request-patiently.ts";

const GOOGLE = "https://storage.googleapis.com";
const REQUEST_TIMEOUT_MS = 60_000;
/** The condition of the request does not hold. */
const PRECONDITION_FAILED = 412;

export interface BucketValuesOptions {
  readonly name: string;
  /** The address of an emulator, which wants no token; null for Google's service. */
  readonly emulator: string | null;
  /** Objects are named below it: a rule of the bucket removes them after some days. */
  readonly folder: string;
}

export class BucketValues implements LargeValues {
  readonly #bucket: string;
  readonly #options: BucketValuesOptions;
  #token: Promise<() => Promise<string>> | undefined;

  constructor(options: BucketValuesOptions) {
    this.#options = options;
    this.#bucket = `b/${encodeURIComponent(options.name)}/o`;
  }

  /** Names are random: nobody writes an object twice, which Cloud Storage allows once a second only and with further rights. */
  async put(value: Uint8Array): Promise<string> {
    const name = randomId();
    const path = `/upload/storage/v1/${this.#bucket}?uploadType=media&ifGenerationMatch=0&name=${this.#objectOf(name)}`;
    // Nobody else has the name: it was written, and the answer was lost.
    await this.#request(path, { method: "POST", body: value }, [PRECONDITION_FAILED]);
    return name;
  }

  async get(name: string): Promise<Uint8Array> {
    const answer = await this.#request(`/storage/v1/${this.#bucket}/${this.#objectOf(name)}?alt=media`, { method: "GET" });
    return new Uint8Array(await answer.arrayBuffer());
  }

  #objectOf(name: string): string {
    return encodeURIComponent(`${this.#options.folder}/${name}`);
  }

  #request(path: string, init: RequestInit, isFine: readonly number[] = []): Promise<Response> {
    const { name, emulator } = this.#options;
    const ask = async () => {
      const headers = { "content-type": "application/octet-stream", ...(await this.#authorization()) };
      return fetch((emulator ?? GOOGLE) + path, { ...init, headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    };
    return requestPatiently(`the bucket ${name}`, ask, isFine);
  }

  async #authorization(): Promise<{ authorization?: string }> {
    if (this.#options.emulator !== null) return {};
    this.#token ??= openToken();
    return { authorization: `Bearer ${await (await this.#token)()}` };
  }
}
