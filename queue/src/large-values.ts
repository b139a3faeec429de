/** Values that no document can hold: in a bucket of Cloud Storage if the cluster names one, else among main's blobs. */
import { createHash } from "node:crypto";
import { BurlaError, requestMain, ROUTES, type MainRequest, type QueuePlace } from "@burla/protocol";
import { BucketValues } from "./bucket-values.ts";
import type { LargeValues } from "./port.ts";
import { requestPatiently } from "./request-patiently.ts";

const REQUEST_TIMEOUT_MS = 60_000;

/** @param main the way to main's blobs, for clusters without a bucket. */
export function largeValuesOf({ root, bucket }: Pick<QueuePlace, "root" | "bucket">, main: LargeValues): LargeValues {
  return bucket === null ? main : new BucketValues({ ...bucket, folder: `${root}/values` });
}

/** Where main is, and what it must show, if anything. */
export type MainAt = Pick<MainRequest, "url" | "socket" | "token" | "certificate">;

/** By main's route for blobs, where a value's name is its hash. */
export class MainValues implements LargeValues {
  readonly #address: () => MainAt;

  /** @param address where main is: it may have moved. */
  constructor(address: () => MainAt) {
    this.#address = address;
  }

  async put(value: Uint8Array): Promise<string> {
    const hash = hashOf(value);
    await this.#request(hash, { method: "PUT", body: value });
    return hash;
  }

  async get(name: string): Promise<Uint8Array> {
    const value = new Uint8Array(await (await this.#request(name, { method: "GET" })).arrayBuffer());
    if (hashOf(value) !== name) throw new BurlaError("BURLA_QUEUE", `the value ${name} is not what its name says`);
    return value;
  }

  #request(hash: string, what: Pick<MainRequest, "method" | "body">): Promise<Response> {
    const path = ROUTES.blob.replace(":hash", hash);
    return requestPatiently("main", () => requestMain({ ...this.#address(), ...what, path, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }));
  }
}

function hashOf(value: Uint8Array): string {
  return createHash("sha256").update(value).digest("hex");
}
