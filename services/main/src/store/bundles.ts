/** The code of jobs, among the blobs: each as the bytes that its name is the hash of, which say with what it is loaded. */
import { bundleHead, bundleIdOf, bundleKindOf, BurlaError, type JobSpec } from "@burla/protocol";
import type { BlobStore } from "./blobs.ts";

/** The part of a job's spec that a bundle's name stands for. */
type Asked = Pick<JobSpec, "runtime" | "bundle">;

export class Bundles {
  readonly #blobs: BlobStore;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** @returns null when it is not here, or was damaged: then it may be sent anew. */
  find(asked: Asked): Uint8Array | null {
    const { id } = asked.bundle;
    const content = this.#blobs.find(id);
    if (content === null) return null;
    const code = content.subarray(bundleHead(bundleKindOf(asked)).byteLength);
    check(asked, code);
    return code;
  }

  /** @throws BurlaError BURLA_PROTOCOL when its name says something else; BURLA_STORAGE when the disk refuses it. */
  put(asked: Asked, code: Uint8Array): void {
    check(asked, code);
    this.#blobs.put(asked.bundle.id, bundleHead(bundleKindOf(asked)), code);
  }

  /** Counts as a use. */
  touch({ bundle }: Asked): void {
    this.#blobs.touch(bundle.id);
  }
}

/** The name may be that of the same code with other packages, or of any blob. */
function check(asked: Asked, code: Uint8Array): void {
  const { id } = asked.bundle;
  if (bundleIdOf(bundleKindOf(asked), code) !== id) throw new BurlaError("BURLA_PROTOCOL", `the bundle ${id} is not what its name says: other code, or other packages`);
}
